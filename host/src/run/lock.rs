//! One run of a recipe at a time on one machine: an operating system lock, released by death.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    backend::state,
    error::{Error, Kind, Result, Retry},
};

/// A reader of the lock holds it for a moment; a process that starts a run waits that long.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// The right to run a recipe, held until it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub fn take(directory: &Path, recipe: &str) -> Result<Self> {
        let path = path(directory, recipe);
        let failed = |error| unusable(&path, error);
        state::make(directory).map_err(failed)?;
        let mut file = open(&path).map_err(failed)?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => {
                    file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
                    write!(file, "{}", std::process::id()).map_err(failed)?;
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        let pid = pid(&mut file).map_or_else(String::new, |pid| format!(" as process {pid}"));
        Err(Error::usage(format!("recipe `{recipe}` is already running{pid}"))
            .retry(Retry::Later)
            .hint("`reindex status RECIPE` shows how far it is; wait for it, or stop it first"))
    }

    /// The process that runs the recipe now, if one does.
    pub fn holder(directory: &Path, recipe: &str) -> Option<u32> {
        let mut file = OpenOptions::new().read(true).open(path(directory, recipe)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => pid(&mut file),
            _ => None,
        }
    }
}

fn path(directory: &Path, recipe: &str) -> PathBuf {
    directory.join(format!("{recipe}.lock"))
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::Unavailable, "the lock file cannot be written")
        .with("file", path.display().to_string())
        .because(error)
        .hint("check the directory's permissions and free space")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_refused_with_the_pid_until_the_first_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Lock::holder(directory.path(), "persons"), None);
        let lock = Lock::take(directory.path(), "persons").unwrap();
        assert_eq!(Lock::holder(directory.path(), "persons"), Some(std::process::id()));
        let error = Lock::take(directory.path(), "persons").unwrap_err();
        assert!(error.message().contains(&std::process::id().to_string()), "{error}");
        assert!(Lock::take(directory.path(), "tenures").is_ok(), "other recipes go on");
        drop(lock);
        assert!(Lock::take(directory.path(), "persons").is_ok());
    }
}
