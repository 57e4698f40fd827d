//! The directory of one process that decodes: what it reads lies in one half, what it makes in the other.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use super::message::{IMAGE, MADE};

/// A directory, removed with its process.
pub(super) struct Desk(PathBuf);

impl Desk {
    /// Makes one.
    pub(super) fn make(path: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(path.join("in"))?;
        fs::create_dir_all(path.join("out"))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Where a process may write.
    pub(super) fn out(&self) -> PathBuf {
        self.0.join("out")
    }

    /// Lays an image on it: the same file by another name.
    pub(super) fn lay(&self, image: &Path) -> io::Result<()> {
        self.clear()?;
        fs::hard_link(image, self.0.join(IMAGE))
    }

    /// Takes what was made away to a path, if something was, and tells its size. Nothing is left.
    pub(super) fn take(&self, to: &Path) -> io::Result<Option<u64>> {
        let made = self.0.join(MADE);
        // A link would lead elsewhere.
        let size = match fs::symlink_metadata(&made) {
            Ok(found) if found.is_file() => Some(found.len()),
            Ok(_) => None,
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if size.is_some() {
            fs::rename(made, to)?;
        }
        self.clear()?;
        Ok(size)
    }

    fn clear(&self) -> io::Result<()> {
        for half in ["in", "out"] {
            for entry in fs::read_dir(self.0.join(half))? {
                fs::remove_file(entry?.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
