//! Source → batch → plugin → sinks → ledger.
//!
//! Each segment is one line of work: a reader cuts batches, plugin calls run side by side, and batches are
//! committed one after the other in the order they were read. A batch's effects are acknowledged before the
//! ledger's checkpoint passes it, so a run that is killed at any point and started again ends as if it had
//! never stopped.

mod backoff;
mod batch;
mod compare;
mod conclusion;
mod config;
mod consumer;
mod feed;
mod lease;
mod mapping;
mod messages;
mod reason;
mod segment;
mod settle;
mod sink;
mod stop;
mod task;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Semaphore;

pub use compare::{Change, Difference, Tally};
pub use config::Config;
pub use messages::{Consuming, Messages};
pub use sink::Sinks;
pub use stop::Stop;

use crate::{
    capability::storage::{Scan, Segment},
    clock::Clock,
    error::{Error, Kind, Result},
    event::Events,
    ledger::{Counts, Filter, Ledger, Progress, Run, State},
    record::Shape,
    sandbox::Mapper,
};
use feed::Feed;

/// Everything one run works with.
#[derive(Clone)]
pub struct Parts {
    /// The run, as the ledger has it.
    pub run: Run,
    /// Names this process among the workers of the run.
    pub owner: String,
    /// The source.
    pub scan: Arc<dyn Scan>,
    /// The queue behind the source, if it is one.
    pub messages: Option<Arc<Messages>>,
    /// How records become items.
    pub shape: Shape,
    /// The plugin.
    pub mapper: Mapper,
    /// Where effects go.
    pub sinks: Sinks,
    /// Where it is written down.
    pub ledger: Arc<dyn Ledger>,
    /// The pace.
    pub config: Config,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who listens.
    pub events: Events,
    /// Who may ask it to stop.
    pub stop: Stop,
}

/// A run in progress.
#[derive(Clone)]
pub struct Pipeline {
    parts: Arc<Parts>,
    workers: Arc<Semaphore>,
    total: Arc<Mutex<Counts>>,
    halted: Arc<AtomicBool>,
}

impl Pipeline {
    /// Takes up a run where its ledger says it is.
    pub async fn resume(parts: Parts) -> Result<Self> {
        let total = counts(&*parts.ledger, &parts.run).await?;
        let workers = parts.config.worker_count();
        Ok(Self {
            parts: Arc::new(parts),
            workers: Arc::new(Semaphore::new(workers)),
            total: Arc::new(Mutex::new(total)),
            halted: Arc::default(),
        })
    }

    /// The run's counts so far.
    pub fn counts(&self) -> Counts {
        *self.total.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Works through every segment that is not at its end. Answers whether all of them are now.
    pub async fn scan(&self) -> Result<bool> {
        if let Some(messages) = &self.parts.messages {
            return self.consume(messages).await;
        }
        let total = self.parts.run.segments;
        let scan = &self.parts.scan;
        let feeds = (0..total).map(|number| Feed::Segment { scan: scan.clone(), segment: Segment { number, total } });
        self.work(feeds.collect()).await
    }

    /// Works through a list of ids. Answers whether it is at its end.
    pub async fn ids(&self, ids: Arc<Vec<String>>) -> Result<bool> {
        self.work(vec![Feed::Ids { scan: self.parts.scan.clone(), ids }]).await
    }

    /// Tries rows of the ledger once more. Answers whether all of them were tried.
    pub async fn retry(&self, filter: Filter) -> Result<bool> {
        let Parts { scan, ledger, run, .. } = &*self.parts;
        let feed = Feed::Rows { scan: scan.clone(), ledger: ledger.clone(), run: run.id.clone(), filter };
        // Retries keep counts, but no checkpoint: the rows themselves say what is left.
        let found = ledger.progress(run).await?.swap_remove(run.retries() as usize);
        let progress = Progress { cursor: None, ended: false, ..self.take(run.retries(), &found).await? };
        let worked = self.clone().segment(run.retries(), feed, progress).await?;
        Ok(worked)
    }

    /// Tries what waits until nothing does or its attempts are spent.
    pub async fn retry_waiting(&self) -> Result<bool> {
        for tries in 1..=self.parts.config.attempts {
            if self.counts().waiting == 0 {
                return Ok(true);
            }
            tokio::time::sleep(backoff::pause(tries)).await;
            if !self.retry(Filter { states: vec![State::Ready], group: None }).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn work(&self, feeds: Vec<Feed>) -> Result<bool> {
        let progress = self.parts.ledger.progress(&self.parts.run).await?;
        let mut lines = Vec::new();
        for (number, (feed, progress)) in (0..).zip(feeds.into_iter().zip(progress)) {
            if !progress.ended {
                let progress = self.take(number, &progress).await?;
                lines.push(task::spawn(self.clone().segment(number, feed, progress)));
            }
        }
        let mut ended = true;
        let mut failure = None;
        for line in lines {
            match line.join().await {
                Ok(at_end) => ended &= at_end,
                // The first error is the cause; those of the other lines are its echo.
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(ended), Err)
    }

    /// Lets every line of work end with what it has in flight.
    fn halt(&self) {
        self.halted.store(true, Ordering::Relaxed);
    }

    fn must_stop(&self) -> bool {
        self.halted.load(Ordering::Relaxed) || self.parts.stop.is_asked()
    }

    /// Adds what a batch changed, and stops a run that has become hopeless.
    fn add(&self, change: impl FnOnce(&mut Counts)) -> Result<Counts> {
        let mut total = self.total.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut total);
        let counts = *total;
        drop(total);
        self.parts.config.check_hope(&counts)?;
        Ok(counts)
    }
}

/// A run's counts: what its segments say, and the rows that are open now.
pub async fn counts(ledger: &dyn Ledger, run: &Run) -> Result<Counts> {
    let mut total = Counts::default();
    for progress in ledger.progress(run).await? {
        total += progress.counts;
    }
    (total.not_found, total.failed, total.waiting) = (0, 0, 0);
    for group in ledger.groups(&run.id, 0).await? {
        *settle::open_count(group.state, &mut total) += group.count;
    }
    Ok(total)
}

impl Config {
    /// How many plugin calls go on at a time.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            workers => workers as usize,
        }
    }

    /// Whether going on makes sense.
    fn check_hope(&self, counts: &Counts) -> Result<()> {
        let share = counts.failed as f64 / counts.read.max(1) as f64;
        if counts.failed < self.stop_after_failures || share < self.stop_after_failure_share {
            return Ok(());
        }
        let message = format!("stopped: {} of {} records failed", counts.failed, counts.read);
        Err(Error::new(Kind::Stopped, message)
            .hint("`reindex status` groups the reasons; raise `run.stop-after-failures` if this many may fail, then run again to go on"))
    }
}
