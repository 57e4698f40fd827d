//! One object as one file: describes it, and replaces it in one step.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rustix::{
    fs::{FileType, XattrFlags, fgetxattr, fsetxattr},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{
    directory::Directory,
    explain,
    key::{self, UNFINISHED},
};
use crate::{
    capability::storage::{Condition, ObjectInfo, Put},
    error::{Error, Result},
};

/// The extended attribute that holds [`Kept`].
const ATTRIBUTE: &str = "user.reindex";

/// More bytes than a file system keeps in one attribute.
const ATTRIBUTE_BYTES: usize = 16 << 10;

/// The data that is kept beside the content.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Kept {
    digest: String,
    /// Size and time of the file when this was written: if they differ, the file was changed by hand.
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
    let Ok(names) = key::names(key) else { return Ok(None) };
    let root = match Directory::root(directory) {
        Err(error) if is_absent(&error) => return Ok(None),
        root => root.map_err(|error| explain(error, directory))?,
    };
    let path = path(directory, &names);
    match reach(root, &names).and_then(|(above, name)| above.file(name.as_ref())) {
        Ok(Some((file, found))) => Ok(Some(Opened { info: described(key, &file, &found), file, path })),
        Ok(None) => Ok(None),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(below(error, &path)),
    }
}

/// The path of a file for display.
pub(super) fn path(directory: &Path, names: &[String]) -> PathBuf {
    names.iter().fold(directory.to_owned(), |path, name| path.join(name))
}

/// Opens the directory of a file, below the bucket's directory.
fn reach(root: Directory, names: &[String]) -> io::Result<(Directory, &str)> {
    let Some((name, above)) = names.split_last() else { return Err(io::ErrorKind::NotFound.into()) };
    Ok((above.iter().try_fold(root, |directory, name| directory.below(name))?, name))
}

/// Explains an error below a bucket's directory: a missing permission there concerns no other file.
fn below(error: io::Error, path: &Path) -> Error {
    let is_forbidden = error.kind() == io::ErrorKind::PermissionDenied;
    let said = explain(error, path);
    if is_forbidden { said.of_item() } else { said }
}

/// Describes the object of a key.
pub(super) fn head(directory: &Path, key: &str) -> Result<Option<ObjectInfo>> {
    Ok(open(directory, key)?.map(|opened| opened.info))
}

/// Whether nothing of that name exists; a link does not count.
pub(super) fn is_absent(error: &io::Error) -> bool {
    let is_link = Errno::from_io_error(error) == Some(Errno::LOOP);
    is_link || matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Describes an object that is read.
pub(super) fn described(key: &str, file: &fs::File, found: &fs::Metadata) -> ObjectInfo {
    let modified = Timestamp::from_nanosecond(modified(found)).ok();
    ObjectInfo { modified, ..describe(key, file, found) }
}

fn describe(key: &str, file: &fs::File, found: &fs::Metadata) -> ObjectInfo {
    let key = key.to_owned();
    match kept(file).filter(|kept| kept.size == found.len() && kept.modified == modified(found)) {
        Some(Kept { digest, size, content_type, metadata, .. }) => {
            ObjectInfo { key, size, etag: digest, content_type, metadata, modified: None }
        }
        None => {
            let etag = format!("{:x}-{:x}-{:x}", modified(found), found.len(), found.ino());
            let metadata = BTreeMap::new();
            ObjectInfo { key, size: found.len(), etag, content_type: None, metadata, modified: None }
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

/// Writes the data that is not content. A file system without such attributes keeps only the content.
fn keep(file: &fs::File, kept: &Kept) -> Result<()> {
    let text =
        serde_json::to_vec(kept).map_err(|error| Error::bug("metadata cannot be written down").because(error))?;
    match fsetxattr(file, ATTRIBUTE, &text, XattrFlags::empty()) {
        Ok(()) => Ok(()),
        Err(_) if kept.metadata.is_empty() => Ok(()),
        Err(Errno::NOSPC | Errno::TOOBIG | Errno::RANGE) => {
            Err(Error::usage("the file system has no room for so much metadata of one object"))
        }
        Err(error) => Err(Error::usage("the file system keeps no metadata of an object")
            .of_place()
            .because(io::Error::from(error))
            .hint("put the bucket's directory on a file system with extended attributes, such as ext4, xfs or btrfs")),
    }
}

/// An object that is being written, and has no name yet. Dropping it leaves nothing.
pub(super) struct Unfinished {
    directory: PathBuf,
    file: NamedTempFile,
    digest: blake3::Hasher,
}

impl Unfinished {
    /// Starts an object of a bucket.
    pub(super) fn begin(directory: PathBuf) -> Result<Self> {
        let unfinished = directory.join(UNFINISHED);
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        let made = prepare(&directory)
            .and_then(|_| tempfile::Builder::new().permissions(permissions).tempfile_in(&unfinished));
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

    /// Makes it durable and gives it its name, unless the condition does not hold: then it leaves nothing.
    pub(super) fn finish(self, key: &str, names: &[String], put: Put) -> Result<Option<ObjectInfo>> {
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
        name(self.file, &self.directory, names)
            .map_err(|error| not_stored(error, key, &path(&self.directory, names)))?;
        Ok(Some(info))
    }
}

/// Creates a bucket's directory, and the one for unfinished objects.
fn prepare(directory: &Path) -> io::Result<Directory> {
    fs::create_dir_all(directory)?;
    Directory::root(directory)?.make(UNFINISHED)
}

/// Waits for the lock under which an object of a name is replaced; dropping it, or the end of the process, releases it.
fn turn(directory: &Path) -> io::Result<fs::File> {
    let file = Directory::root(directory)?.below(UNFINISHED)?.lockable("lock")?;
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

fn name(file: NamedTempFile, directory: &Path, names: &[String]) -> io::Result<()> {
    let Some((name, above)) = names.split_last() else { return Err(io::ErrorKind::NotFound.into()) };
    let parent = above.iter().try_fold(Directory::root(directory)?, |parent, name| parent.make(name))?;
    let file = file.into_temp_path();
    parent.take(&file, name)?;
    // It has another name now, so there is nothing to remove.
    file.keep().map(drop).map_err(|failed| failed.error)
}

fn not_stored(error: io::Error, key: &str, path: &Path) -> Error {
    if Errno::from_io_error(&error) == Some(Errno::LOOP) {
        return Error::usage("a folder of the key is a link, and no link is followed")
            .with("file", path.display().to_string())
            .hint("put the folder itself there, or name the folder behind the link in the environment");
    }
    let clashes = [io::ErrorKind::IsADirectory, io::ErrorKind::NotADirectory, io::ErrorKind::AlreadyExists];
    if clashes.contains(&error.kind()) {
        Error::usage("the key is also a directory of other keys, and a file cannot be both")
            .with("key", key)
            .hint("use keys of which none is another one's beginning up to a `/`")
            .because(error)
    } else {
        below(error, path)
    }
}

/// Removes an object, if there is one.
pub(super) fn delete(directory: &Path, names: &[String]) -> Result<()> {
    let failed = |error| below(error, &path(directory, names));
    let _turn = match turn(directory) {
        // Nothing was ever written here.
        Err(error) if is_absent(&error) => None,
        turn => Some(turn.map_err(failed)?),
    };
    remove(directory, names).map_err(failed)
}

/// Removes an object while it has this etag. False if another object has its key; true if none has.
pub(super) fn delete_if(directory: &Path, names: &[String], key: &str, etag: &str) -> Result<bool> {
    if head(directory, key)?.is_none() {
        return Ok(true);
    }
    let failed = |error| below(error, &path(directory, names));
    // A file that a user put there by hand may exist before any lock file.
    prepare(directory).map_err(failed)?;
    let _turn = turn(directory).map_err(failed)?;
    match head(directory, key)? {
        Some(found) if found.etag != etag => Ok(false),
        Some(_) => remove(directory, names).map(|()| true).map_err(failed),
        None => Ok(true),
    }
}

fn remove(directory: &Path, names: &[String]) -> io::Result<()> {
    match removed(directory, names) {
        Err(error) if is_absent(&error) => return Ok(()),
        Ok(false) => return Ok(()),
        removed => removed?,
    };
    // Empty directories are removed, too, so that their names are free.
    for count in (1..names.len()).rev() {
        let (above, name) = reach(Directory::root(directory)?, &names[..count])?;
        if above.remove_directory(name).is_err() {
            break;
        }
    }
    Ok(())
}

/// Removes a file. False if it is not an object, and so is kept.
fn removed(directory: &Path, names: &[String]) -> io::Result<bool> {
    let (above, name) = reach(Directory::root(directory)?, names)?;
    let is_file = above.kind(name.as_ref())? == FileType::RegularFile;
    if is_file {
        above.remove_file(name)?;
    }
    Ok(is_file)
}
