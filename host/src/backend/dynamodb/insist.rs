//! Retries the part of a request that the server answered and did not do. The SDK retries refused requests. The error
//! contains the number of tries, so that the caller counts them.

use std::time::Duration;

use crate::error::{Error, Kind};

/// How often it is tried in a row without progress.
const TRIES: u32 = 8;

/// The first wait; each is twice as long as the one before.
const FIRST: Duration = Duration::from_millis(50);

/// The waits of a request that is retried without progress.
pub(super) struct Insist {
    left: u32,
    wait: Duration,
}

/// Begins with a short wait.
pub(super) fn insist() -> Insist {
    Insist { left: TRIES, wait: FIRST }
}

impl Insist {
    /// Waits, longer each time; none when the tries are used up.
    pub async fn wait(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        tokio::time::sleep(self.wait).await;
        self.wait *= 2;
        Some(())
    }
}

/// The error of a server that answers and does nothing for lack of capacity.
pub(super) fn busy(what: &str) -> Error {
    Error::new(Kind::Unavailable, format!("the table has no capacity left for {what}"))
        .tried(TRIES)
        .hint("it was tried again several times; lower the rate of the run, or raise the capacity")
}
