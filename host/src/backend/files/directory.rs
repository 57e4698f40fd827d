//! An open directory: its entries are reached by its handle, and never through a link.
//!
//! A file is opened only if it is a regular one, so that no named pipe, socket or device blocks the reader.

use std::{
    ffi::OsString,
    fs::{File, Metadata},
    io,
    os::{fd::OwnedFd, unix::ffi::OsStringExt as _},
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, mkdirat, open, openat, renameat, statat, unlinkat},
    io::Errno,
};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A file: a link is not followed, and a file that is not regular does not block.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// A directory.
#[derive(Debug)]
pub(super) struct Directory(OwnedFd);

/// An entry of a directory.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: OsString,
    pub(super) kind: FileType,
}

impl Directory {
    /// Opens the directory of a bucket, which itself may be reached through links.
    pub(super) fn root(path: &Path) -> io::Result<Self> {
        Ok(Self(open(path, DIRECTORY, Mode::empty())?))
    }

    /// Opens a directory in this one.
    pub(super) fn below(&self, name: &str) -> io::Result<Self> {
        self.enter(name.as_ref())
    }

    /// Opens a directory in this one; its name need not be UTF-8.
    pub(super) fn enter(&self, name: &Path) -> io::Result<Self> {
        match openat(&self.0, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()) {
            // Both are errors for a link.
            Err(Errno::NOTDIR | Errno::LOOP) if self.kind(name)? == FileType::Symlink => Err(Errno::LOOP.into()),
            opened => Ok(Self(opened?)),
        }
    }

    /// Opens a directory in this one, and creates it if it does not exist.
    pub(super) fn make(&self, name: &str) -> io::Result<Self> {
        match mkdirat(&self.0, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => self.below(name),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a regular file; none for any other kind of file.
    pub(super) fn file(&self, name: &Path) -> io::Result<Option<(File, Metadata)>> {
        let file = match openat(&self.0, name, FILE, Mode::empty()) {
            // The errors for a link, a socket, and a device without a driver.
            Err(Errno::LOOP | Errno::NXIO | Errno::NODEV) => return Ok(None),
            opened => File::from(opened?),
        };
        let found = file.metadata()?;
        Ok(found.is_file().then_some((file, found)))
    }

    /// Opens a file to be locked, and creates it if it does not exist.
    pub(super) fn lockable(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR.union(OFlags::CREATE).union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK);
        Ok(openat(&self.0, name, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o666))?.into())
    }

    /// The kind of the entry of a name; a link is not followed.
    pub(super) fn kind(&self, name: &Path) -> io::Result<FileType> {
        let found = statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(FileType::from_raw_mode(found.st_mode))
    }

    /// All its entries, in no order.
    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = OsString::from_vec(entry.file_name().to_bytes().to_vec());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => match self.kind(name.as_ref()) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    kind => kind?,
                },
                kind => kind,
            };
            entries.push(Entry { name, kind });
        }
        Ok(entries)
    }

    /// Moves a file here, and replaces one of the same name; it is durable when the call returns.
    pub(super) fn take(&self, from: &Path, name: &str) -> io::Result<()> {
        renameat(CWD, from, &self.0, name)?;
        Ok(rustix::fs::fsync(&self.0)?)
    }

    /// Removes a file.
    pub(super) fn remove_file(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes a directory that is empty.
    pub(super) fn remove_directory(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }
}
