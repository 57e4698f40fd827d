//! Queues in NATS JetStream: one subject of a stream for each priority, read by a durable pull consumer each.
//!
//! The stream remembers message ids only for its duplicate window: a repeat sent later is delivered again. A lease is
//! the consumer's `ack_wait`, so all consumers use the same one. The service does not report whether a lease expired: a
//! late acknowledgement is as good as one in time.

mod config;
mod fault;
mod lane;
mod session;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use async_trait::async_trait;
pub use config::Config;
use futures::{StreamExt, TryStreamExt, stream};
use lane::Lane;
use session::Session;

use crate::{
    capability::queue::{self, Delivery, Depth, Message, rank},
    error::Result,
};

/// How many requests of one call are in flight at a time.
const AT_ONCE: usize = 256;
/// The longest time one pull waits.
const LONG_POLL: Duration = Duration::from_secs(20);
/// How long to wait for one of several subjects before the next one.
const TURN: Duration = Duration::from_millis(500);

/// A queue: one subject for each priority, the most urgent one first.
#[derive(Debug)]
pub struct Queue {
    session: Session,
    lanes: Vec<Lane>,
}

impl Queue {
    /// Opens the configured subjects; makes no request yet. Paths are relative to `beside`.
    pub fn open(name: &str, config: &Config, beside: &Path) -> Result<Self> {
        let lanes = config.lanes(name)?.into_iter().enumerate();
        let lanes = lanes.map(|(at, (subject, durable))| Lane::new(subject, durable, at)).collect();
        Ok(Self { session: Session::new(name, config, beside), lanes })
    }

    /// Removes its stream with everything in it; it is not an error if there is none.
    pub(in crate::backend) async fn remove(&self) -> Result<()> {
        self.session.remove().await
    }

    /// Receives the available messages, the urgent ones first; waits only for the first subject that is asked.
    async fn drain(&self, max: usize, lease: Duration, first: usize, wait: Duration) -> Result<Vec<Delivery>> {
        let mut taken = Vec::new();
        for (at, lane) in self.lanes.iter().enumerate() {
            let mut wait = if at == first { wait } else { Duration::ZERO };
            while taken.len() < max {
                match lane.receive(&self.session, max - taken.len(), lease, wait, self.lanes.len()).await {
                    Ok(some) if some.is_empty() => break,
                    Ok(some) => taken.extend(some),
                    Err(error) if taken.is_empty() => return Err(error),
                    // The received messages are returned in spite of the error; the next call returns the error.
                    Err(_) => return Ok(taken),
                }
                wait = Duration::ZERO;
            }
        }
        Ok(taken)
    }

    /// Answers deliveries, and waits until the server has recorded it.
    async fn settle(&self, receipts: &[String], answer: &'static str) -> Result<Vec<bool>> {
        let context = self.session.context().await?;
        let asked = receipts.iter().cloned().map(|receipt| {
            let client = context.client();
            async move { lane::settle(client, receipt, answer).await }
        });
        stream::iter(asked).buffered(AT_ONCE).try_collect().await
    }
}

#[async_trait]
impl queue::Queue for Queue {
    async fn send(&self, messages: &[Message]) -> Result<Vec<Result<()>>> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        self.session.stream().await?;
        let mut answers = Vec::with_capacity(messages.len());
        for part in messages.chunks(AT_ONCE) {
            let mut sent = Vec::with_capacity(part.len());
            for message in part {
                sent.push(self.lanes[rank(message.priority, self.lanes.len())].send(&self.session, message).await?);
            }
            for sent in sent {
                answers.push(lane::sent(&self.session, sent).await?);
            }
        }
        Ok(answers)
    }

    async fn receive(&self, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>> {
        let begun = Instant::now();
        let longest = if self.lanes.len() == 1 { LONG_POLL } else { TURN };
        for turn in 0.. {
            let left = wait.saturating_sub(begun.elapsed());
            let taken = self.drain(max, lease, turn % self.lanes.len(), left.min(longest)).await?;
            if !taken.is_empty() || max == 0 || begun.elapsed() >= wait {
                return Ok(taken);
            }
        }
        Ok(Vec::new())
    }

    async fn acknowledge(&self, receipts: &[String]) -> Result<Vec<bool>> {
        self.settle(receipts, "+ACK").await
    }

    /// The new lease is as long as the first one was.
    async fn extend(&self, receipts: &[String], lease: Duration) -> Result<Vec<bool>> {
        self.settle(receipts, if lease.is_zero() { "-NAK" } else { "+WPI" }).await
    }

    /// Messages that were given back or lost are not included, since the server does not list what it is about to
    /// deliver again.
    async fn peek(&self, max: usize) -> Result<Vec<Message>> {
        if !self.session.is_made().await? {
            return Ok(Vec::new());
        }
        let mut seen = Vec::new();
        for lane in &self.lanes {
            seen.extend(lane.peek(&self.session, max.saturating_sub(seen.len()), self.lanes.len()).await?);
        }
        Ok(seen.into_iter().map(|(message, _)| message).collect())
    }

    async fn depth(&self) -> Result<Depth> {
        let mut depth = Depth::default();
        if !self.session.is_made().await? {
            return Ok(depth);
        }
        for lane in &self.lanes {
            let (waiting, in_hand) = lane.depth(&self.session).await?;
            depth.waiting += waiting;
            depth.in_hand += in_hand;
            if waiting > 0 {
                let next = lane.peek(&self.session, 1, self.lanes.len()).await?.pop();
                depth.oldest = [depth.oldest, next.and_then(|(_, sent)| sent)].into_iter().flatten().min();
            }
        }
        Ok(depth)
    }
}
