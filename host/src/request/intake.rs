//! Taking in events: each becomes a request that is written down, and only then it is acknowledged.
//!
//! An event means "look at this key", nothing more. It may come twice and late: the same request is written again, or
//! an older one is not. What dies in between is told again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::{
    Choice, Passed, Request, Requests,
    notice::{self, Arrival, Unreadable},
};
use crate::{
    capability::{queue::Queue, storage::Watch},
    error::Result,
    event::{Event, Events},
    pipeline::{Stop, pause},
};

/// How many messages are taken at once.
const MOST: usize = 100;

/// For how long they are taken; writing them down takes a fraction of it.
const LEASE: Duration = Duration::from_secs(120);

/// How long to wait for events without looking whether to stop.
const LOOK: Duration = Duration::from_secs(1);

/// Who tells of new objects.
#[derive(Clone)]
pub enum Teller {
    /// A queue of a bucket's events.
    Queue(Arc<dyn Queue>),
    /// The bucket itself.
    Watch(Arc<dyn Watch>),
}

/// Takes in events and writes them down as requests.
pub struct Intake {
    teller: Teller,
    requests: Arc<Requests>,
    choice: Choice,
    events: Events,
}

/// What some events come to.
#[derive(Default)]
struct Taken {
    requests: Vec<Request>,
    unreadable: Vec<Unreadable>,
    passed: BTreeMap<&'static str, u64>,
}

impl Intake {
    /// Takes in nothing yet.
    pub fn new(teller: Teller, requests: Arc<Requests>, choice: Choice, events: Events) -> Self {
        Self { teller, requests, choice, events }
    }

    /// Takes in events until it is asked to stop, and wakes whoever waits for requests. It waits for a server that is
    /// away, however long that takes.
    ///
    /// *Errors*: what will not pass by itself, such as a queue that does not exist. *Cancel*: safe; what was not
    /// acknowledged comes again.
    pub async fn run(&self, stop: &Stop, wake: &Notify) -> Result<()> {
        let mut tries = 0;
        while !stop.is_asked() {
            match self.turn(wake).await {
                Ok(()) => tries = 0,
                Err(error) if error.may_retry() => {
                    tries += 1;
                    let wait = pause(tries);
                    let reason = format!("{error}; events are taken in again in {wait:?}");
                    self.events.send(Event::Waiting { reason });
                    rest(wait, stop).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes in what came, if anything did.
    async fn turn(&self, wake: &Notify) -> Result<()> {
        match &self.teller {
            Teller::Queue(queue) => {
                let deliveries = queue.receive(MOST, LEASE, LOOK).await?;
                let mut taken = Taken::default();
                for delivery in &deliveries {
                    self.take_message(&delivery.message.body, &mut taken);
                }
                self.write(taken, wake).await?;
                let receipts: Vec<_> = deliveries.into_iter().map(|delivery| delivery.receipt).collect();
                // One whose lease ran out comes again, which changes nothing.
                queue.acknowledge(&receipts).await.map(drop)
            }
            Teller::Watch(watch) => {
                let arrivals = watch.arrivals(LOOK).await?;
                let mut taken = Taken::default();
                for info in &arrivals {
                    let arrival =
                        Arrival { key: info.key.clone(), etag: Some(info.etag.clone()), ..Arrival::default() };
                    self.take(&arrival, &info.key, &mut taken);
                }
                self.write(taken, wake).await?;
                watch.acknowledge(&arrivals).await
            }
        }
    }

    fn take_message(&self, message: &str, taken: &mut Taken) {
        let notice = notice::read(message);
        for arrival in &notice.arrivals {
            match self.requests.objects().key_of(arrival) {
                Some(key) => self.take(arrival, &key, taken),
                None => *taken.passed.entry(Passed::Elsewhere.text()).or_default() += 1,
            }
        }
        taken.unreadable.extend(notice.unreadable);
    }

    fn take(&self, arrival: &Arrival, key: &str, taken: &mut Taken) {
        match self.choice.passes(key) {
            Some(passed) => *taken.passed.entry(passed.text()).or_default() += 1,
            None => taken.requests.push(Request::of(arrival, &self.requests.objects().name, key)),
        }
    }

    /// Writes down what was taken, says so and wakes whoever waits for it.
    async fn write(&self, taken: Taken, wake: &Notify) -> Result<()> {
        let arrived = taken.requests.len() as u64;
        self.requests.write(taken.requests).await?;
        for unreadable in &taken.unreadable {
            self.requests.write_unreadable(unreadable).await?;
            self.events
                .warn(format!("an event cannot be read, and became a request that fails: {}", unreadable.reason));
        }
        if arrived > 0 || !taken.passed.is_empty() {
            self.events.send(Event::Arrived { taken: arrived, passed: taken.passed });
        }
        if arrived > 0 || !taken.unreadable.is_empty() {
            wake.notify_waiters();
        }
        Ok(())
    }
}

/// Waits, but no longer than until somebody asks to stop.
async fn rest(wait: Duration, stop: &Stop) {
    let mut left = wait;
    while !left.is_zero() && !stop.is_asked() {
        let part = left.min(LOOK);
        tokio::time::sleep(part).await;
        left -= part;
    }
}
