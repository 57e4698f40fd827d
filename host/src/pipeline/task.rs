//! A task that is aborted when its owner is dropped.

use tokio::task::JoinHandle;

use crate::error::{Error, Result};

/// A spawned task; dropping it aborts the task.
pub(super) struct Task<T>(JoinHandle<T>);

/// Spawns work that runs beside its owner, and no longer than it.
pub(super) fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Task<T> {
    Task(tokio::spawn(work))
}

/// Spawns work that computes for milliseconds at a time, on a thread where it delays no other task: a commit must run
/// at once when a sink answers. Dropping the task does not abort it.
pub(super) fn spawn_computing<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Task<T> {
    let runtime = tokio::runtime::Handle::current();
    Task(tokio::task::spawn_blocking(move || runtime.block_on(work)))
}

impl<T> Task<Result<T>> {
    /// Waits for the task; a panic in it becomes an error.
    pub async fn join(mut self) -> Result<T> {
        match (&mut self.0).await {
            Ok(answer) => answer,
            Err(error) => Err(Error::bug("a part of the run broke down").because(error)),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
