//! A queue as a source: every line receives messages until none come, or the run is asked to stop.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;

use super::{
    Before, Ended, Entry, Line, Origin, Receipt, Source,
    messages::{Body, Messages, beginning, position},
};
use crate::{
    capability::queue::Delivery,
    error::Result,
    event::Events,
    ledger::{Filter, Ledger, State},
    pipeline::{lease::Held, reason::group},
    sandbox::Failure,
};

/// The longest wait before a line checks the stop request.
const POLL: Duration = Duration::from_secs(2);

/// How long a queue may take to answer that it is empty; a longer answer counts as unreachable.
const ANSWER: Duration = Duration::from_secs(1);

/// How many messages are received at once, since each may be as large as its queue allows.
const MOST: usize = 100;

/// The lines of a run that receive messages of one queue.
#[derive(Clone)]
pub(in crate::pipeline) struct Consumers {
    messages: Arc<Messages>,
    ledger: Arc<dyn Ledger>,
    run: String,
    events: Events,
    /// When the last message came, to any line of this process: there may be many more lines than it works on.
    last: Arc<Mutex<Instant>>,
}

impl Source for Consumers {
    fn open(&self, _: u32, _: &Arc<Held>) -> Arc<dyn Line> {
        Arc::new(self.clone())
    }
}

/// The cursor is ignored, since the queue itself knows what was acknowledged.
#[async_trait]
impl Line for Consumers {
    async fn read(&self, _: Option<&str>, limit: usize) -> Result<(Vec<Entry>, Option<String>)> {
        let idle = self.messages.consuming.idle;
        let wait = if idle.is_zero() { POLL } else { POLL.min(idle.saturating_sub(self.quiet())) };
        let asked = Instant::now();
        let taken = self.messages.receive(limit.min(MOST), wait).await?;
        if taken.is_empty() {
            // The time in which the queue was unreachable does not count as idle.
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) += asked.elapsed().saturating_sub(wait + ANSWER);
            return Ok((Vec::new(), (!self.is_over().await?).then(String::new)));
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let receipts: Vec<_> = taken.iter().map(|delivery| delivery.receipt.clone()).collect();
        match self.entries(taken).await {
            Ok(entries) => Ok((entries, Some(String::new()))),
            Err(error) => {
                self.messages.give_back(&receipts).await;
                Err(error)
            }
        }
    }

    async fn settle(&self, ends: &[Ended]) -> Result<()> {
        let receipts: Vec<_> = ends.iter().map(|end| end.receipt.name().to_owned()).collect();
        self.messages.acknowledge(&receipts).await
    }
}

impl Consumers {
    /// Receives messages for a run.
    pub fn new(messages: Arc<Messages>, ledger: Arc<dyn Ledger>, run: String, events: Events) -> Self {
        Self { messages, ledger, run, events, last: Arc::new(Mutex::new(Instant::now())) }
    }

    fn quiet(&self) -> Duration {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Whether no more messages are expected. A message whose worker died is delivered again after its lease.
    async fn is_over(&self) -> Result<bool> {
        let (idle, lease) = (self.messages.consuming.idle, self.messages.consuming.lease);
        if idle.is_zero() || self.quiet() < idle {
            return Ok(false);
        }
        let depth = self.messages.depth().await?;
        Ok(depth.waiting == 0 && (depth.in_hand == 0 || self.quiet() > idle.saturating_add(lease)))
    }

    async fn entries(&self, taken: Vec<Delivery>) -> Result<Vec<Entry>> {
        let messages: Vec<_> = taken.iter().map(|delivery| delivery.message.body.as_str()).collect();
        let bodies = self.messages.bodies(&messages).await?;
        let mut entries = Vec::with_capacity(taken.len());
        for (delivery, (id, body)) in taken.into_iter().zip(bodies) {
            if delivery.last {
                let (id, attempt) = (&delivery.message.id, delivery.attempt);
                self.events
                    .warn(format!("message {id} was delivered {attempt} times; the queue gives it up after this"));
            }
            let (position, before) = match self.earlier(&delivery).await? {
                Some((position, before)) => (position, Some(before)),
                None => (position(&delivery), None),
            };
            let refused = self.refused(&delivery, &body);
            let body = if let Body::Record(body) = body { Some(body) } else { None };
            let receipt = Some(Receipt::Message(delivery.receipt));
            let origin = Origin { cursor: String::new(), position, before, receipt };
            entries.push(Entry { origin, id, body, refused, ..Entry::default() });
        }
        Ok(entries)
    }

    /// The row of an earlier delivery whose acknowledgement was lost: it is replaced, so that the message is not
    /// counted twice.
    async fn earlier(&self, delivery: &Delivery) -> Result<Option<(String, Before)>> {
        if delivery.attempt <= 1 {
            return Ok(None);
        }
        let beginning = beginning(&delivery.name);
        let rows = self.ledger.rows(&self.run, &Filter::default(), Some(&beginning), 1).await?;
        let row = rows.into_iter().find(|row| row.position.starts_with(&beginning));
        Ok(row.map(|row| {
            let before = Before::from(&row);
            (row.position, before)
        }))
    }

    /// Why a message is refused before it is mapped.
    fn refused(&self, delivery: &Delivery, body: &Body) -> Option<Failure> {
        let (state, reason) = if delivery.attempt > self.messages.consuming.max_deliveries {
            let reason = format!("the message was delivered {} times, and nobody ever finished it", delivery.attempt);
            (State::UnknownError, reason)
        } else if matches!(body, Body::Nameless) {
            (State::KnownError, "the message names no id: neither a text nor a JSON object with `id`".to_owned())
        } else {
            return None;
        };
        Some(Failure { state, group: group(&reason, &[]), reason })
    }
}
