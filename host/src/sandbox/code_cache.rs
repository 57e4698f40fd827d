//! Compiled plugins on disk, in a directory that only its user can write to.
//!
//! Compiled code runs in this process without a sandbox. So it is never taken from beside a recipe, a directory that
//! another user may write to is refused, and each entry is bound to the bytes of one plugin: a seal holds the digest
//! of every file in it, and an entry that does not match its seal is compiled again.

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;

use crate::error::{Error, Kind, Result};

/// The file that holds the digests of an entry's other files.
const SEAL: &str = "seal";
/// The directory of an entry that holds its code.
const CODE: &str = "code";
/// The ending of files in which the compiler's cache counts uses; they are no code.
const COUNTS: &str = "stats";
/// The first part of the endings of files that a thread of the compiler's cache is still writing; they are no code yet.
const UNFINISHED: &str = "wip-";
/// Entries that were not used for this long are removed.
const UNUSED: Duration = Duration::from_hours(30 * 24);
/// The permission bits that let others write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// A directory of compiled plugins.
#[derive(Debug, Clone)]
pub struct CodeCache(PathBuf);

/// The place of one compiled plugin.
#[derive(Debug)]
pub(super) enum Entry {
    /// Its code is there and matches its seal.
    Compiled(PathBuf),
    /// It is compiled into the first directory, and moved to the second once it is sealed.
    New(TempDir, PathBuf),
}

impl CodeCache {
    /// Opens a directory of compiled plugins, or creates it.
    ///
    /// *Errors*: [`Kind::Denied`] if another user owns it or may write to it; [`Kind::Unavailable`] if it cannot be
    /// made.
    pub fn open(directory: &Path) -> Result<Self> {
        let within = |error: Error| error.with("directory", directory.display().to_string());
        let unusable = |error: io::Error| {
            within(Error::new(Kind::Unavailable, "the directory for compiled plugins cannot be used").because(error))
        };
        let directory = std::path::absolute(directory).map_err(unusable)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(unusable)?;
        let found = fs::symlink_metadata(&directory).map_err(unusable)?;
        if found.is_dir()
            && found.uid() == rustix::process::geteuid().as_raw()
            && found.mode() & WRITABLE_BY_OTHERS == 0
        {
            return Ok(Self(directory));
        }
        Err(within(
            Error::new(Kind::Denied, "other users can change the directory for compiled plugins")
                .hint("make it a directory of your own with mode 700; compiled code runs outside the sandbox"),
        ))
    }

    /// The entry of a plugin, by the digest of its bytes.
    pub(super) fn entry(&self, plugin: &blake3::Hash) -> io::Result<Entry> {
        // Another version of this crate may compile differently.
        let path = self.0.join(format!("{}-{}", plugin.to_hex(), env!("CARGO_PKG_VERSION")));
        if is_sealed(&path) {
            touch(&path)?;
            return Ok(Entry::Compiled(path));
        }
        if path.exists() {
            // A thread of the compiler's cache may still write into it, and removing a directory that is written to may
            // fail.
            let aside = tempfile::Builder::new().prefix("old-").tempdir_in(&self.0)?;
            fs::rename(&path, aside.path().join(CODE))?;
        }
        Ok(Entry::New(tempfile::Builder::new().prefix("new-").tempdir_in(&self.0)?, path))
    }

    /// Removes entries that were not used for a long time, and directories that a dead process left.
    fn remove_unused(&self, now: &Path) -> io::Result<()> {
        let now = fs::metadata(now)?.modified()?;
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let used = entry.metadata()?.modified()?;
            if now.duration_since(used).is_ok_and(|unused| unused > UNUSED) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Entry {
    /// Where the compiler's cache keeps its files.
    pub fn code(&self) -> PathBuf {
        match self {
            Self::Compiled(path) => path.join(CODE),
            Self::New(directory, _) => directory.path().join(CODE),
        }
    }

    /// Seals the compiled code, and moves it to where the next process finds it. If another process put an entry there
    /// in the meantime, that one stays.
    pub fn keep(self, cache: &CodeCache) -> io::Result<()> {
        let Self::New(directory, path) = self else { return Ok(()) };
        fs::write(directory.path().join(SEAL), seal(directory.path(), &path)?)?;
        match fs::rename(directory.path(), &path) {
            Ok(()) => drop(directory.keep()),
            Err(_) if path.exists() => return Ok(()),
            Err(error) => return Err(error),
        }
        cache.remove_unused(&path)
    }
}

fn is_sealed(entry: &Path) -> bool {
    fs::read_to_string(entry.join(SEAL)).is_ok_and(|said| seal(entry, entry).is_ok_and(|own| own == said))
}

/// The name of the entry, so that one entry cannot replace another, and the digest and the name of each of its code
/// files.
fn seal(directory: &Path, entry: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    list(&directory.join(CODE), &mut files)?;
    files.sort();
    let mut lines = format!("{}\n", entry.file_name().unwrap_or_default().display());
    for file in files {
        let digest = blake3::hash(&fs::read(&file)?).to_hex();
        let name = file.strip_prefix(directory).map_err(io::Error::other)?;
        lines.push_str(&format!("{digest} {}\n", name.display()));
    }
    Ok(lines)
}

fn list(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        match entry.path() {
            path if entry.file_type()?.is_dir() => list(&path, files)?,
            path if path.extension().is_some_and(is_no_code) => {}
            path => files.push(path),
        }
    }
    Ok(())
}

fn is_no_code(ending: &OsStr) -> bool {
    ending == COUNTS || ending.as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
}

/// Marks an entry as used now.
fn touch(entry: &Path) -> io::Result<()> {
    use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Ok(futimens(File::open(entry)?, &Timestamps { last_access: now, last_modification: now })?)
}
