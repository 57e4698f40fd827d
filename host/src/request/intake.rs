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
    error::{Error, Result},
    event::{Event, Events},
    pipeline::{Stop, pause},
};

/// How many messages are taken at once.
const MOST: usize = 100;

/// For how long they are taken, anew with each try to write them down.
const LEASE: Duration = Duration::from_secs(120);

/// How long to wait for events without looking whether to stop.
const LOOK: Duration = Duration::from_secs(1);

/// Who tells of new objects.
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

/// Takes up why events cannot be taken in at present, or that they can.
pub type Report = Box<dyn Fn(Option<&Error>) + Send + Sync>;

/// What some events come to.
#[derive(Default)]
struct Taken {
    requests: Vec<Request>,
    unreadable: Vec<Unreadable>,
    passed: BTreeMap<&'static str, u64>,
}

impl Intake {
    /// Takes in nothing yet.
    pub fn new(notifier: Notifier, requests: Arc<Requests>, choice: Choice, events: Events) -> Self {
        Self { notifier, requests, choice, events, report: Box::new(|_| ()) }
    }

    /// Reports to somebody whether events can be taken in, with each call that shows it.
    #[must_use]
    pub fn reporting(self, report: Report) -> Self {
        Self { report, ..self }
    }

    /// Takes in events until it is asked to stop, and wakes whoever waits for requests. It waits for a server that is
    /// away, however long that takes; the first failure of a row is said as an error.
    ///
    /// *Errors*: what will not pass by itself, such as a queue that does not exist. *Cancel*: safe; what was not
    /// acknowledged comes again.
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
            // Given back, they would come again and again while the server is away, until their queue gives them up.
            queue.extend(&receipts, LEASE).await?;
            self.write(&taken).await
        };
        match self.insist(stop, write).await {
            Ok(Some(())) => {}
            unwritten => {
                // Where that fails, too, the end of the lease does it.
                let _ = queue.extend(&receipts, Duration::ZERO).await;
                return unwritten.map(drop);
            }
        }
        self.tell(taken, wake);
        // One whose lease ran out comes again, which changes nothing.
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

    /// Calls until it succeeds or fails for good; none if somebody asks to stop before.
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

    /// Writes down what was taken.
    async fn write(&self, taken: &Taken) -> Result<()> {
        self.requests.write(taken.requests.clone()).await?;
        for unreadable in &taken.unreadable {
            self.requests.write_unreadable(unreadable).await?;
        }
        Ok(())
    }

    /// Says what was written down, and wakes whoever waits for it.
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

/// Waits, but no longer than until somebody asks to stop.
async fn rest(wait: Duration, stop: &Stop) {
    let mut left = wait;
    while !left.is_zero() && !stop.is_asked() {
        let part = left.min(LOOK);
        tokio::time::sleep(part).await;
        left -= part;
    }
}
