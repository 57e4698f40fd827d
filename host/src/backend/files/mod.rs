//! Local files: objects in a directory, and JSON lines as a source.

mod bucket;
mod config;
mod directory;
mod hear;
mod jsonl;
mod key;
mod object;
mod walk;
mod watch;

pub use bucket::Bucket;
pub(super) use bucket::pieces;
pub use config::Config;
pub use jsonl::JsonLines;
pub use watch::Watch;

use std::{io, path::Path};

use crate::error::{Error, Kind, Result};

/// Explains a file's error, unless it contains an explained one.
pub(crate) fn explain(error: io::Error, path: &Path) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(error) => return error.with("file", path.display().to_string()),
        Err(error) => error,
    };
    let said = match error.kind() {
        io::ErrorKind::NotFound => Error::new(Kind::NotFound, "there is no such file"),
        io::ErrorKind::PermissionDenied => Error::new(Kind::Unavailable, "the file may not be touched")
            .retry(crate::error::Retry::Never)
            .hint("let this user read the file, or write its directory"),
        io::ErrorKind::ReadOnlyFilesystem => Error::new(Kind::Unavailable, "the file system can only be read")
            .retry(crate::error::Retry::Never)
            .hint("mount it for writing, then run the same command again"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::new(Kind::Unavailable, "the disk is full")
            .hint("make room and run the same command again; nothing was half written"),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            Error::usage("the compressed file is cut off or damaged")
                .hint("fetch the file again, or `gunzip` what is left of it")
        }
        _ => Error::new(Kind::Unavailable, "the file cannot be read or written"),
    };
    said.with("file", path.display().to_string()).because(error)
}

/// Runs blocking work on a thread where it delays no other task.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| Error::bug("work on a file died").because(error))?
}
