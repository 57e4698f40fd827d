//! Queues: messages that are delivered at least once, under a lease.

use std::time::Duration;

use async_trait::async_trait;

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

/// A message in somebody's hands until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Names this delivery; a later delivery of the same message has another.
    pub receipt: String,
    /// How often it was delivered, this time included.
    pub attempt: u32,
}

/// Messages by priority, then in the order they were sent.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends messages; they survive the death of this process when it returns. A repeated id changes nothing.
    async fn send(&self, messages: &[Message]) -> Result<()>;

    /// Takes at most `max` messages for the time of a lease; answers at once, with nothing if none waits.
    async fn receive(&self, max: usize, lease: Duration) -> Result<Vec<Delivery>>;

    /// Ends deliveries for good. A receipt whose lease ran out changes nothing and answers false.
    async fn acknowledge(&self, receipts: &[String]) -> Result<Vec<bool>>;

    /// Begins the lease of deliveries anew, from now; a zero lease gives them back at once.
    async fn extend(&self, receipts: &[String], lease: Duration) -> Result<Vec<bool>>;

    /// Looks at the next messages without taking them.
    async fn peek(&self, max: usize) -> Result<Vec<Message>>;

    /// How many messages wait or are in somebody's hands.
    async fn depth(&self) -> Result<u64>;
}
