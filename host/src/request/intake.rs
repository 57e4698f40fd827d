//! Takes in events: each is written as a request, and acknowledged only then.
//!
//! An event means "look at this key", nothing more. It may come twice and late: the same request is written again, and
//! an older one is not written. An event that was not acknowledged because the process died is delivered again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::{
    Choice, Passed, Request, Requests,
    notice::{self, Arrival, Unreadable},
};
use crate::{
    capability::{queue::Queue, storage::Watch},
    error::{Error, Result},
    event::{Event, Events},
    pipeline::{Stop, pause},
};

/// How many messages are taken at once.
const MOST: usize = 100;

/// The lease of a message; renewed with each try to write its request.
const LEASE: Duration = Duration::from_secs(120);

/// How long to wait for events before the stop request is checked again.
const LOOK: Duration = Duration::from_secs(1);

/// Where notifications of new objects come from.
#[derive(Clone)]
pub enum Notifier {
    /// A queue of a bucket's events.
    Queue(Arc<dyn Queue>),
    /// The bucket itself.
    Watch(Arc<dyn Watch>),
}

/// Takes in events and writes them down as requests.
pub struct Intake {
    notifier: Notifier,
    requests: Arc<Requests>,
    choice: Choice,
    events: Events,
    report: Report,
}

/// Takes why events cannot be taken in at present, or none if they can.
pub type Report = Box<dyn Fn(Option<&Error>) + Send + Sync>;

/// What a batch of events results in.
#[derive(Default)]
struct Taken {
    requests: Vec<Request>,
    unreadable: Vec<Unreadable>,
    passed: BTreeMap<&'static str, u64>,
}

impl Intake {
    /// Takes in no events yet.
    pub fn new(notifier: Notifier, requests: Arc<Requests>, choice: Choice, events: Events) -> Self {
        Self { notifier, requests, choice, events, report: Box::new(|_| ()) }
    }

    /// Calls `report` after each call that shows whether events can be taken in.
    #[must_use]
    pub fn reporting(self, report: Report) -> Self {
        Self { report, ..self }
    }

    /// Takes in events until it is asked to stop, and wakes the tasks that wait for requests. It waits for a server
    /// that is unreachable, however long that takes; the first failure of a row is reported as an error.
    ///
    /// *Errors*: those that do not pass by themselves, such as a queue that does not exist. *Cancel*: safe; what was
    /// not acknowledged comes again.
    pub async fn run(&self, stop: &Stop, wake: &Notify) -> Result<()> {
        while !stop.is_asked() {
            match &self.notifier {
                Notifier::Queue(queue) => self.take_from_queue(&**queue, stop, wake).await?,
                Notifier::Watch(watch) => self.take_from_watch(&**watch, stop, wake).await?,
            }
        }
        Ok(())
    }

    async fn take_from_queue(&self, queue: &dyn Queue, stop: &Stop, wake: &Notify) -> Result<()> {
        let Some(deliveries) = self.insist(stop, || queue.receive(MOST, LEASE, LOOK)).await? else { return Ok(()) };
        if deliveries.is_empty() {
            return Ok(());
        }
        let mut taken = Taken::default();
        for delivery in &deliveries {
            self.take_message(&delivery.message.body, &mut taken);
        }
        let receipts: Vec<_> = deliveries.into_iter().map(|delivery| delivery.receipt).collect();
        let write = || async {
            // If they were given back, they would be delivered again and again while the server is away, until their
            // queue gives them up.
            queue.extend(&receipts, LEASE).await?;
            self.write(&taken).await
        };
        match self.insist(stop, write).await {
            Ok(Some(())) => {}
            unwritten => {
                // If that fails, too, they are delivered again when the lease ends.
                let _ = queue.extend(&receipts, Duration::ZERO).await;
                return unwritten.map(drop);
            }
        }
        self.tell(taken, wake);
        // A message whose lease expired comes again, which changes nothing.
        self.insist(stop, || queue.acknowledge(&receipts)).await.map(drop)
    }

    async fn take_from_watch(&self, watch: &dyn Watch, stop: &Stop, wake: &Notify) -> Result<()> {
        let Some(arrivals) = self.insist(stop, || watch.arrivals(LOOK)).await? else { return Ok(()) };
        let mut taken = Taken::default();
        for info in &arrivals {
            let arrival = Arrival { key: info.key.clone(), etag: Some(info.etag.clone()), ..Arrival::default() };
            self.take(&arrival, &info.key, &mut taken);
        }
        if self.insist(stop, || self.write(&taken)).await?.is_none() {
            return Ok(());
        }
        self.tell(taken, wake);
        self.insist(stop, || watch.acknowledge(&arrivals)).await.map(drop)
    }

    /// Retries a call until it succeeds or fails for good; none if the stop request comes first.
    async fn insist<T, F>(&self, stop: &Stop, mut call: impl FnMut() -> F) -> Result<Option<T>>
    where
        F: Future<Output = Result<T>>,
    {
        let mut tries = 0;
        loop {
            match call().await {
                Err(error) if error.may_retry() => {
                    if stop.is_asked() {
                        return Ok(None);
                    }
                    tries += 1;
                    (self.report)(Some(&error));
                    if tries == 1 {
                        self.events.error(&error);
                    }
                    let wait = pause(tries);
                    let reason = format!("{error}; events are taken in again in {wait:?}");
                    self.events.send(Event::Waiting { reason });
                    rest(wait, stop).await;
                }
                answer => {
                    (self.report)(answer.as_ref().err());
                    return answer.map(Some);
                }
            }
        }
    }

    fn take_message(&self, message: &str, taken: &mut Taken) {
        let notice = notice::read(message);
        for arrival in &notice.arrivals {
            match self.requests.objects().key_of(&arrival.bucket, &arrival.key) {
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

    /// Writes the requests of a batch of events.
    async fn write(&self, taken: &Taken) -> Result<()> {
        self.requests.write(taken.requests.clone()).await?;
        for unreadable in &taken.unreadable {
            self.requests.write_unreadable(unreadable).await?;
        }
        Ok(())
    }

    /// Reports what was written, and wakes the tasks that wait for it.
    fn tell(&self, Taken { requests, unreadable, passed }: Taken, wake: &Notify) {
        for unreadable in &unreadable {
            self.events
                .warn(format!("an event cannot be read, and became a request that fails: {}", unreadable.reason));
        }
        let taken = requests.len() as u64;
        if taken > 0 || !passed.is_empty() {
            self.events.send(Event::Arrived { taken, passed });
        }
        if taken > 0 || !unreadable.is_empty() {
            wake.notify_waiters();
        }
    }
}

/// Waits, but not longer than until the stop request.
async fn rest(wait: Duration, stop: &Stop) {
    let mut left = wait;
    while !left.is_zero() && !stop.is_asked() {
        let part = left.min(LOOK);
        tokio::time::sleep(part).await;
        left -= part;
    }
}
