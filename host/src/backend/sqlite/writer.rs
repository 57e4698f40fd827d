//! The one thread that writes: waiting jobs go into one transaction, and are answered after its commit.
//!
//! A group fails or succeeds together; when it fails, each job is run again in a transaction of its own, so that a bad
//! job affects only itself. (Savepoints would do too, but each makes FTS5 flush its words.)

use std::path::Path;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::fault::Fault;
use crate::error::Result;

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
            (Ok(()), None) => Err(crate::error::Error::bug("a piece of work ended without a value")),
            (Err(fault), _) => Err(fault.error(path)),
        };
        // The caller may have been dropped; the work is done all the same.
        let _ = self.waiting.send(answer);
    }
}

/// Works until every sender is gone.
pub(super) fn run(connection: &Connection, mut jobs: mpsc::Receiver<Box<dyn Piece>>, path: &Path) {
    while let Some(first) = jobs.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = jobs.try_recv()
        {
            group.push(next);
        }
        finish(connection, group, path);
    }
}

fn finish(connection: &Connection, mut group: Vec<Box<dyn Piece>>, path: &Path) {
    let ended = transact(connection, &mut group);
    if ended.is_err() && group.len() > 1 {
        for piece in group {
            finish(connection, vec![piece], path);
        }
        return;
    }
    let mut ended = Some(ended);
    for piece in group {
        piece.answer(ended.take().unwrap_or(Ok(())), path);
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
