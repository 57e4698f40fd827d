//! Queues: messages that are delivered at least once, under a lease.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

use crate::error::Result;

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Fixed by the sender; a queue that can refuses a repeat of it.
    pub id: String,
    /// The text.
    pub body: String,
    /// Higher is delivered earlier.
    pub priority: u8,
}

/// A message in flight: leased until it is acknowledged or its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Names the message within its queue: the same at every delivery, and another for a repeat of its id.
    pub name: String,
    /// Names this delivery; a later delivery of the same message has another.
    pub receipt: String,
    /// How often it was delivered, this time included.
    pub attempt: u32,
    /// Whether the queue puts it among the dead letters unless it is acknowledged this time.
    pub last: bool,
}

/// How much is in a queue. Figures of a service that counts roughly are as rough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Depth {
    /// Messages that are not in flight.
    pub waiting: u64,
    /// Messages in flight.
    pub in_hand: u64,
    /// Messages that were given up, if the queue keeps such.
    pub dead: Option<u64>,
    /// When the oldest message that waits was sent, if one does and the service tells.
    pub oldest: Option<Timestamp>,
}

/// Messages by priority, then in the order they were sent where the service keeps an order.
///
/// Deliveries come at least once. A lease is as exact as the service, whose unit may be the second, and lasts
/// [`LONGEST_LEASE`] at most.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends messages; they survive the death of this process when it returns. A repeated id changes nothing for as
    /// long as the service remembers it.
    ///
    /// *Errors*: one answer per message, in order, so that one the service refuses costs only itself.
    async fn send(&self, messages: &[Message]) -> Result<Vec<Result<()>>>;

    /// Takes at most `max` messages for the time of a lease. Answers as soon as there are some, and with nothing once
    /// it has waited so long.
    async fn receive(&self, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>>;

    /// Ends deliveries for good. False where the lease is known to have run out: then nothing was changed. A service
    /// that forgets late may end a delivery that another consumer has by then.
    async fn acknowledge(&self, receipts: &[String]) -> Result<Vec<bool>>;

    /// Begins the lease of deliveries anew, from now; a zero lease gives them back at once. False where the lease is
    /// known to have run out.
    async fn extend(&self, receipts: &[String], lease: Duration) -> Result<Vec<bool>>;

    /// Looks at the next messages without taking them.
    async fn peek(&self, max: usize) -> Result<Vec<Message>>;

    /// Whether a message of this id, or without one any message, was ever sent; none if the service does not tell.
    async fn has_seen(&self, _id: Option<&str>) -> Result<Option<bool>> {
        Ok(None)
    }

    /// How much is in it.
    async fn depth(&self) -> Result<Depth>;
}

/// What every service can do.
pub const LONGEST_LEASE: Duration = Duration::from_secs(12 * 60 * 60);

/// Which of several queues, the most urgent one first, takes messages of a priority: 0 goes to the last, 1 to the one
/// before it, and so on; a higher priority goes to the first.
pub fn rank(priority: u8, queues: usize) -> usize {
    queues.saturating_sub(1).saturating_sub(usize::from(priority))
}

/// The lowest priority whose messages the queue of a rank takes.
pub fn priority(rank: usize, queues: usize) -> u8 {
    u8::try_from(queues.saturating_sub(1).saturating_sub(rank)).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_messages_go_to_the_last_queue_and_urgent_ones_to_the_first() {
        assert_eq!([0, 1, 2, 3, 255].map(|priority| rank(priority, 3)), [2, 1, 0, 0, 0]);
        assert_eq!([0, 7].map(|priority| rank(priority, 1)), [0, 0]);
        for queues in 1..9 {
            assert!((0..queues).all(|at| rank(priority(at, queues), queues) == at));
        }
    }
}
