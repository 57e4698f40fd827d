//! The directory of one worker process: its input is in one half, its output in the other.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use super::message::{IMAGE, MADE};

/// A directory, removed with its process.
pub(super) struct Desk(PathBuf);

impl Desk {
    /// Creates a directory.
    pub(super) fn make(path: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(path.join("in"))?;
        fs::create_dir_all(path.join("out"))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The directory that a process may write to.
    pub(super) fn out(&self) -> PathBuf {
        self.0.join("out")
    }

    /// Puts an image into it: the same file under another name.
    pub(super) fn lay(&self, image: &Path) -> io::Result<()> {
        self.clear()?;
        fs::hard_link(image, self.0.join(IMAGE))
    }

    /// Moves the output to a path, if there is one, and returns its size. Nothing is left.
    pub(super) fn take(&self, to: &Path) -> io::Result<Option<u64>> {
        let made = self.0.join(MADE);
        // A link would lead to another path.
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
                let entry = entry?;
                let remove = if entry.file_type()?.is_dir() { fs::remove_dir_all } else { fs::remove_file };
                remove(entry.path())?;
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
