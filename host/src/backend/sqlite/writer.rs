//! The one thread that writes: waiting jobs go into one transaction, and are answered after its commit.
//!
//! A group fails or succeeds together; when it fails, each job is run again in a transaction of its own, so that a bad
//! job affects only itself. (Savepoints would do too, but each makes FTS5 flush its words.)

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::fault::Fault;
use crate::error::{Error, Kind, Result, Retry};

/// How many jobs one transaction takes at most.
const GROUP: usize = 64;

/// A job on the database, done within a transaction.
pub(super) trait Piece: Send {
    /// Does the work; may be called again after a rollback.
    fn work(&mut self, connection: &Connection) -> Result<(), Fault>;

    /// Sends the result to the caller, once it is certain.
    fn answer(self: Box<Self>, ended: Result<(), Fault>, path: &Path);
}

/// A closure with a caller that waits for its value.
pub(super) struct Job<T, F> {
    pub(super) closure: F,
    pub(super) value: Option<T>,
    pub(super) waiting: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnMut(&Connection) -> Result<T, Fault> + Send> Piece for Job<T, F> {
    fn work(&mut self, connection: &Connection) -> Result<(), Fault> {
        self.value = Some((self.closure)(connection)?);
        Ok(())
    }

    fn answer(self: Box<Self>, ended: Result<(), Fault>, path: &Path) {
        let answer = match (ended, self.value) {
            (Ok(()), Some(value)) => Ok(value),
            (Ok(()), None) => Err(Error::bug("a piece of work ended without a value")),
            (Err(fault), _) => Err(fault.error(path)),
        };
        // The caller may have been dropped; the work is done all the same.
        let _ = self.waiting.send(answer);
    }
}

/// The file that a connection opened.
pub(super) struct Opened {
    path: PathBuf,
    file: Option<(u64, u64)>,
}

impl Opened {
    /// Remembers which file stands under a name that was just opened.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), file: file(path) }
    }

    /// What is committed into a file that has no name any more is lost with this process.
    fn is_still_there(&self) -> Result<(), Fault> {
        if file(&self.path) == self.file {
            return Ok(());
        }
        Err(Error::new(Kind::Unavailable, "the database file was removed or replaced while it was in use")
            .retry(Retry::Never)
            .hint("put the file back and run the same command again; what was written since is not in it")
            .into())
    }
}

/// The device and the inode of a file, which tell it from another one of its name.
fn file(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Works until every sender is gone.
pub(super) fn run(connection: &Connection, mut jobs: mpsc::Receiver<Box<dyn Piece>>, opened: &Opened) {
    while let Some(first) = jobs.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = jobs.try_recv()
        {
            group.push(next);
        }
        finish(connection, group, opened);
    }
}

fn finish(connection: &Connection, mut group: Vec<Box<dyn Piece>>, opened: &Opened) {
    let ended = transact(connection, &mut group).and_then(|()| opened.is_still_there());
    if ended.is_err() && group.len() > 1 {
        for piece in group {
            finish(connection, vec![piece], opened);
        }
        return;
    }
    let mut ended = Some(ended);
    for piece in group {
        piece.answer(ended.take().unwrap_or(Ok(())), &opened.path);
    }
}

fn transact(connection: &Connection, group: &mut [Box<dyn Piece>]) -> Result<(), Fault> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let worked = group.iter_mut().try_for_each(|piece| piece.work(connection));
    let ended = worked.and_then(|()| Ok(connection.execute_batch("COMMIT")?));
    // SQLite itself rolls back after some faults, such as a full disk.
    if ended.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    ended
}
