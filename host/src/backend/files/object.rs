//! One object as one file: describing it, and putting a new one in its place in one step.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{XattrFlags, fgetxattr, fsetxattr};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{
    explain,
    key::{self, UNFINISHED},
};
use crate::{
    capability::storage::{Condition, ObjectInfo, Put},
    error::{Error, Result},
};

/// The extended attribute that holds [`Kept`].
const ATTRIBUTE: &str = "user.reindex";

/// More than a file system keeps in one attribute of ours.
const ATTRIBUTE_BYTES: usize = 16 << 10;

/// What is kept beside the content.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Kept {
    digest: String,
    /// Size and time of the file when this was noted: somebody changed it by hand if they differ.
    size: u64,
    modified: i128,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

/// An object, open for reading.
pub(super) struct Opened {
    pub(super) info: ObjectInfo,
    pub(super) file: fs::File,
    pub(super) path: PathBuf,
}

/// Opens the object of a key.
pub(super) fn open(directory: &Path, key: &str) -> Result<Option<Opened>> {
    let Ok(path) = key::path(directory, key) else { return Ok(None) };
    let opened = fs::File::open(&path).and_then(|file| file.metadata().map(|found| (file, found)));
    match opened {
        Ok((_, found)) if found.is_dir() => Ok(None),
        Ok((file, found)) => Ok(Some(Opened { info: describe(key, &file, &found), file, path })),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(explain(error, &path)),
    }
}

/// Describes the object of a key.
pub(super) fn head(directory: &Path, key: &str) -> Result<Option<ObjectInfo>> {
    Ok(open(directory, key)?.map(|opened| opened.info))
}

/// Whether there is nothing of that name.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn describe(key: &str, file: &fs::File, found: &fs::Metadata) -> ObjectInfo {
    let key = key.to_owned();
    match kept(file).filter(|kept| kept.size == found.len() && kept.modified == modified(found)) {
        Some(Kept { digest, size, content_type, metadata, .. }) => {
            ObjectInfo { key, size, etag: digest, content_type, metadata }
        }
        None => {
            let etag = format!("{:x}-{:x}-{:x}", modified(found), found.len(), found.ino());
            ObjectInfo { key, size: found.len(), etag, content_type: None, metadata: BTreeMap::new() }
        }
    }
}

fn modified(found: &fs::Metadata) -> i128 {
    i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec())
}

fn kept(file: &fs::File) -> Option<Kept> {
    let mut text = [0; ATTRIBUTE_BYTES];
    let length = fgetxattr(file, ATTRIBUTE, &mut text[..]).ok()?;
    serde_json::from_slice(&text[..length]).ok()
}

/// Notes down what the content cannot say. A file system without such attributes keeps the content alone.
fn keep(file: &fs::File, kept: &Kept) -> Result<()> {
    use rustix::io::Errno;
    let text =
        serde_json::to_vec(kept).map_err(|error| Error::bug("metadata cannot be written down").because(error))?;
    match fsetxattr(file, ATTRIBUTE, &text, XattrFlags::empty()) {
        Ok(()) => Ok(()),
        Err(_) if kept.metadata.is_empty() => Ok(()),
        Err(Errno::NOSPC | Errno::TOOBIG | Errno::RANGE) => {
            Err(Error::usage("the file system has no room for so much metadata of one object"))
        }
        Err(error) => Err(Error::usage("the file system keeps no metadata of an object")
            .because(io::Error::from(error))
            .hint("put the bucket's directory on a file system with extended attributes, such as ext4, xfs or btrfs")),
    }
}

/// An object that is being written, and has no name yet. Dropped, it leaves nothing.
pub(super) struct Unfinished {
    directory: PathBuf,
    file: NamedTempFile,
    digest: blake3::Hasher,
}

impl Unfinished {
    /// Begins an object of a bucket.
    pub(super) fn begin(directory: PathBuf) -> Result<Self> {
        let unfinished = directory.join(UNFINISHED);
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        let made = fs::create_dir_all(&unfinished)
            .and_then(|()| tempfile::Builder::new().permissions(permissions).tempfile_in(&unfinished));
        let file = made.map_err(|error| explain(error, &unfinished))?;
        Ok(Self { directory, file, digest: blake3::Hasher::new() })
    }

    /// Adds to its content.
    pub(super) fn append(mut self, bytes: &[u8]) -> Result<Self> {
        self.digest.update(bytes);
        self.file.write_all(bytes).map_err(|error| explain(error, self.file.path()))?;
        Ok(self)
    }

    /// How long its content is.
    pub(super) fn size(&self) -> u64 {
        self.digest.count()
    }

    /// Makes it last and gives it its name, unless the condition forbids it: then it leaves nothing.
    pub(super) fn finish(self, key: &str, path: &Path, put: Put) -> Result<Option<ObjectInfo>> {
        let Put { content_type, metadata, condition, .. } = put;
        let (etag, size) = (self.digest.finalize().to_hex().to_string(), self.size());
        let failed = |error| explain(error, self.file.path());
        let modified = modified(&self.file.as_file().metadata().map_err(failed)?);
        let kept = Kept { digest: etag, size, modified, content_type, metadata };
        keep(self.file.as_file(), &kept)?;
        self.file.as_file().sync_all().map_err(failed)?;
        let _turn = turn(&self.directory).map_err(failed)?;
        if !holds(&condition, head(&self.directory, key)?) {
            return Ok(None);
        }
        let found = self.file.as_file().metadata().map_err(failed)?;
        let info = describe(key, self.file.as_file(), &found);
        name(self.file, path).map_err(|error| not_stored(error, key, path))?;
        Ok(Some(info))
    }
}

/// Waits for the turn to decide what stands under a name; ends when it is dropped, or with the process.
fn turn(directory: &Path) -> io::Result<fs::File> {
    let path = directory.join(UNFINISHED).join("lock");
    let file = fs::OpenOptions::new().create(true).write(true).truncate(false).open(path)?;
    file.lock()?;
    Ok(file)
}

fn holds(condition: &Condition, found: Option<ObjectInfo>) -> bool {
    match condition {
        Condition::Always => true,
        Condition::Absent => found.is_none(),
        Condition::Etag(etag) => found.is_some_and(|found| found.etag == *etag),
    }
}

fn name(file: NamedTempFile, path: &Path) -> io::Result<()> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)?;
    file.into_temp_path().persist(path).map_err(|failed| failed.error)?;
    fs::File::open(parent)?.sync_all()
}

fn not_stored(error: io::Error, key: &str, path: &Path) -> Error {
    let clashes = [io::ErrorKind::IsADirectory, io::ErrorKind::NotADirectory, io::ErrorKind::AlreadyExists];
    if clashes.contains(&error.kind()) {
        Error::usage("the key is also a directory of other keys, and a file cannot be both")
            .with("key", key)
            .hint("use keys of which none is another one's beginning up to a `/`")
            .because(error)
    } else {
        explain(error, path)
    }
}

/// Removes an object, if there is one.
pub(super) fn delete(directory: &Path, path: &Path) -> io::Result<()> {
    let _turn = match turn(directory) {
        // Nothing was ever written here.
        Err(error) if is_absent(&error) => None,
        turn => Some(turn?),
    };
    remove(directory, path)
}

/// Removes an object while it has this etag. False if another one has its key; true if none has.
pub(super) fn delete_if(directory: &Path, path: &Path, key: &str, etag: &str) -> Result<bool> {
    if head(directory, key)?.is_none() {
        return Ok(true);
    }
    let failed = |error| explain(error, path);
    // A file that people put there by hand may have come before any lock.
    fs::create_dir_all(directory.join(UNFINISHED)).map_err(failed)?;
    let _turn = turn(directory).map_err(failed)?;
    match head(directory, key)? {
        Some(found) if found.etag != etag => Ok(false),
        Some(_) => remove(directory, path).map(|()| true).map_err(failed),
        None => Ok(true),
    }
}

fn remove(directory: &Path, path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if is_absent(&error) || error.kind() == io::ErrorKind::IsADirectory => return Ok(()),
        removed => removed?,
    }
    // Directories that hold nothing any more go too, so that their names are free.
    let inside = |parent: &&Path| parent.starts_with(directory) && *parent != directory;
    for parent in path.ancestors().skip(1).take_while(inside) {
        if fs::remove_dir(parent).is_err() {
            break;
        }
    }
    Ok(())
}
