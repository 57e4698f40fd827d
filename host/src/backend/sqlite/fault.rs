//! Explains SQLite's error codes, and what the user can do about them.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::{Error, Kind, Retry};

/// An error inside a job: SQLite's own, or an explained one.
#[derive(Debug)]
pub(super) enum Fault {
    Sql(rusqlite::Error),
    Said(Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Said(error)
    }
}

impl Fault {
    /// Whether another connection holds what this one needs.
    pub(super) fn is_busy(&self) -> bool {
        let busy = [ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked];
        matches!(self, Self::Sql(error) if error.sqlite_error_code().is_some_and(|code| busy.contains(&code)))
    }

    /// Converts it to an error about a file.
    pub(super) fn error(self, path: &Path) -> Error {
        match self {
            Self::Sql(error) => explain(error, path),
            Self::Said(error) => error.with("database", path.display().to_string()),
        }
    }
}

/// Explains SQLite's error.
pub(super) fn explain(error: rusqlite::Error, path: &Path) -> Error {
    let code = error.sqlite_error_code();
    let said = match code {
        Some(ErrorCode::DiskFull) => Error::new(Kind::Unavailable, "the disk is full")
            .hint("make room and run the same command again; nothing was half written"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::new(Kind::Unavailable, "another process has been writing to the database for too long")
                .hint("wait for the other command to end and try again")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
            Error::new(Kind::Unavailable, "the database may not be written")
                .retry(Retry::Never)
                .hint("let this user write the file, its directory, and the `-wal` and `-shm` files beside it")
        }
        Some(ErrorCode::CannotOpen) => Error::new(Kind::Unavailable, "the database cannot be opened")
            .retry(Retry::Never)
            .hint("see that its directory exists and that this user may write there"),
        Some(ErrorCode::SystemIoFailure) => Error::new(Kind::Unavailable, "the disk does not read or write")
            .hint("look at the disk, then run the same command again; nothing was half written"),
        Some(ErrorCode::NotADatabase) => Error::usage("the file is not a SQLite database")
            .of_place()
            .hint("move the file away, or name another one in the environment"),
        Some(ErrorCode::DatabaseCorrupt) => Error::new(Kind::Unavailable, "the database is damaged")
            .retry(Retry::Never)
            .hint("restore the file from a copy, or move it away and load and run anew"),
        _ => Error::bug("SQLite refuses a statement"),
    };
    said.with("database", path.display().to_string()).because(error)
}
