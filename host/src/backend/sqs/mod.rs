//! Queues in SQS: one of the service's queues for each priority.
//!
//! Standard queues only. They lose nothing but may deliver twice and in any order; only a message's id is fixed, which
//! is an attribute of the message. The age of the oldest message is a metric of another service, so it is not reported
//! here.

mod config;
mod cut;
mod lane;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
pub use config::Config;
use futures::{StreamExt, TryStreamExt, future::join_all, stream};
use lane::{Lane, Settling};

use super::aws::Session;
use crate::{
    capability::queue::{self, Delivery, Depth, Message, rank},
    error::{Error, Kind, Result},
};

/// How many requests of one call are in flight at a time.
const AT_ONCE: usize = 8;
/// The longest time the service waits for messages.
const LONG_POLL: Duration = Duration::from_secs(20);
/// How long to wait for one of several queues before the next one; a whole second asks all of its servers.
const TURN: Duration = Duration::from_secs(1);

/// A queue: one of the service's for each priority, the most urgent one first.
#[derive(Debug)]
pub struct Queue {
    lanes: Vec<Arc<Lane>>,
}

impl Queue {
    /// Opens the configured queues; makes no request yet.
    pub fn open(name: &str, config: &Config, session: &Session) -> Result<Self> {
        let client = aws_sdk_sqs::Client::new(&session.at(config.region.as_deref(), config.endpoint.as_deref()));
        let names = config.names(name)?.into_iter().enumerate();
        let lanes = names.map(|(at, name)| Arc::new(Lane::new(client.clone(), name, at))).collect();
        Ok(Self { lanes })
    }

    /// Creates its queues.
    pub(in crate::backend) async fn make(&self) -> Result<()> {
        for lane in &self.lanes {
            lane.make().await?;
        }
        Ok(())
    }

    /// Removes its queues with everything in them; it is not an error if there are none.
    pub(in crate::backend) async fn remove(&self) -> Result<()> {
        for lane in &self.lanes {
            lane.remove().await?;
        }
        Ok(())
    }

    /// Receives the available messages, the urgent ones first; waits only for the first queue that is asked.
    async fn drain(&self, max: usize, lease: Duration, first: usize, wait: Duration) -> Result<Vec<Delivery>> {
        let mut taken = Vec::new();
        for (at, lane) in self.lanes.iter().enumerate() {
            // One request first: most queues are empty most of the time, and only one request has to wait.
            let (mut wait, mut at_once) = (if at == first { wait } else { Duration::ZERO }, 1);
            while taken.len() < max {
                let left = max - taken.len();
                let asked = (0..at_once.min(left.div_ceil(cut::ENTRIES)))
                    .map(|n| lane.receive(left.saturating_sub(n * cut::ENTRIES), lease, wait, self.lanes.len()));
                let (some, error) = all(join_all(asked).await);
                let nothing = some.is_empty();
                taken.extend(some);
                match error {
                    // The received messages are returned in spite of the error; the next call returns the error.
                    Some(_) if !taken.is_empty() => return Ok(taken),
                    Some(error) => return Err(error),
                    None if nothing => break,
                    None => (wait, at_once) = (Duration::ZERO, AT_ONCE),
                }
            }
        }
        Ok(taken)
    }

    /// Settles deliveries; returns which were still unsettled, in the order asked.
    async fn settle(&self, receipts: &[String], how: Settling) -> Result<Vec<bool>> {
        let mut by_lane: Vec<Vec<(usize, String)>> = vec![Vec::new(); self.lanes.len()];
        for (at, receipt) in receipts.iter().enumerate() {
            if let Some((lane, handle)) = receipt.split_once(' ')
                && let Some(mine) = lane.parse().ok().and_then(|lane: usize| by_lane.get_mut(lane))
            {
                mine.push((at, handle.to_owned()));
            }
        }
        let mut calls = Vec::new();
        for (lane, mine) in self.lanes.iter().zip(by_lane) {
            calls.extend(mine.chunks(cut::ENTRIES).map(|part| (lane.clone(), part.to_vec())));
        }
        let calls = stream::iter(calls).map(|(lane, part)| async move { lane.settle(part, how).await });
        let settled: Vec<_> = calls.buffer_unordered(AT_ONCE).try_collect().await?;
        let mut answers = vec![false; receipts.len()];
        settled.into_iter().flatten().for_each(|at| answers[at] = true);
        Ok(answers)
    }
}

/// The messages that were received, and the first error.
fn all(answers: Vec<Result<Vec<Delivery>>>) -> (Vec<Delivery>, Option<Error>) {
    let (mut some, mut error) = (Vec::new(), None);
    for answer in answers {
        match answer {
            Ok(taken) => some.extend(taken),
            Err(wrong) => error = error.or(Some(wrong)),
        }
    }
    (some, error)
}

#[async_trait]
impl queue::Queue for Queue {
    async fn send(&self, messages: &[Message]) -> Result<Vec<Result<()>>> {
        let mut by_lane: Vec<Vec<(usize, Message)>> = vec![Vec::new(); self.lanes.len()];
        for (at, message) in messages.iter().enumerate() {
            by_lane[rank(message.priority, self.lanes.len())].push((at, message.clone()));
        }
        let mut calls = Vec::new();
        for (lane, mine) in self.lanes.iter().zip(by_lane) {
            calls.extend(cut::batches(mine, |(_, message)| lane::size(message)).map(|batch| (lane.clone(), batch)));
        }
        let calls = stream::iter(calls).map(|(lane, batch)| async move { lane.send(batch).await });
        let refused: Vec<_> = calls.buffer_unordered(AT_ONCE).try_collect().await?;
        let mut answers: Vec<_> = messages.iter().map(|_| Ok(())).collect();
        refused.into_iter().flatten().for_each(|(at, error)| answers[at] = Err(error));
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
        self.settle(receipts, Settling::Delete).await
    }

    async fn extend(&self, receipts: &[String], lease: Duration) -> Result<Vec<bool>> {
        self.settle(receipts, Settling::Lease(lease)).await
    }

    /// Peeking is a delivery here and is counted, so a queue with dead letters is not read.
    async fn peek(&self, max: usize) -> Result<Vec<Message>> {
        for lane in &self.lanes {
            if lane.redrive().await?.is_some() {
                return Err(Error::new(Kind::Usage, "SQS counts every look at a message, and gives it up after some")
                    .with("queue", lane.name.clone())
                    .hint("`reindex queue depth NAME` tells how many there are; look at the dead letters instead"));
            }
        }
        let mut seen = Vec::new();
        for lane in &self.lanes {
            let some = lane.receive(max.saturating_sub(seen.len()), Duration::ZERO, Duration::ZERO, self.lanes.len());
            seen.extend(some.await?.into_iter().map(|delivery| delivery.message));
        }
        Ok(seen)
    }

    async fn depth(&self) -> Result<Depth> {
        let mut depth = Depth::default();
        for lane in &self.lanes {
            let (waiting, in_hand, dead) = lane.depth().await?;
            depth.waiting += waiting;
            depth.in_hand += in_hand;
            depth.dead = depth.dead.max(dead);
        }
        Ok(depth)
    }
}
