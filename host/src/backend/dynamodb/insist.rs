//! Trying again what the server answers and leaves undone. What it refuses is tried again by the SDK. The error says
//! how often, so that the caller counts these tries.

use std::time::Duration;

use crate::error::{Error, Kind};

/// How often it is tried in a row while nothing moves.
const TRIES: u32 = 8;

/// The first wait; each is twice as long as the one before.
const FIRST: Duration = Duration::from_millis(50);

/// The waits of something that is tried again while nothing moves.
pub(super) struct Insist {
    left: u32,
    wait: Duration,
}

/// Begins with a short wait.
pub(super) fn insist() -> Insist {
    Insist { left: TRIES, wait: FIRST }
}

impl Insist {
    /// Waits, longer each time; none when it is time to give up.
    pub async fn wait(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        tokio::time::sleep(self.wait).await;
        self.wait *= 2;
        Some(())
    }
}

/// The server answers, and does nothing for want of capacity.
pub(super) fn busy(what: &str) -> Error {
    Error::new(Kind::Unavailable, format!("the table has no capacity left for {what}"))
        .tried(TRIES)
        .hint("it was tried again several times; lower the rate of the run, or raise the capacity")
}
