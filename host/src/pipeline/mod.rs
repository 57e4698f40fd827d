//! Source → batch → plugin → sinks → ledger.
//!
//! Each segment is one line of work, whose worker holds its lease: a reader cuts batches, plugin calls run in parallel,
//! and batches are committed one after the other in the order they were read. A batch's effects are acknowledged before
//! the ledger's checkpoint passes it, so a run that is killed at any point and started again ends as if it had
//! never stopped.

mod backoff;
mod batch;
mod compare;
mod conclusion;
mod config;
mod divide;
mod lease;
mod lost;
mod mapping;
mod reason;
mod route;
mod segment;
mod settle;
mod sink;
mod source;
mod stop;
mod task;
mod totals;
mod verify;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

pub(crate) use backoff::{insist, jittered, pause};
pub use compare::{Change, Difference, Tally};
pub use config::{Config, Verify};
pub use lease::{Held, Leases};
pub use lost::Lost;
pub use route::{Binding, Destination};
pub use sink::Sinks;
pub use source::{Consuming, Follow, Handed, Messages};
pub use stop::Stop;
pub use verify::{Found, How, Repair, Sample, Verified};

use crate::{
    capability::storage::Scan,
    clock::Clock,
    error::{Error, Kind, Result},
    event::Events,
    ledger::{Counts, Filter, Ledger, Progress, Run, State, list::List},
    record::Shape,
    sandbox::Mapper,
};
use source::{Consumers, Followed, Ids, Loaded, Rows, Segments};
use totals::Totals;

/// Everything one run works with.
#[derive(Clone)]
pub struct Parts {
    /// The run, as the ledger has it.
    pub run: Run,
    /// This process among the workers of the run.
    pub leases: Arc<Leases>,
    /// The source.
    pub scan: Arc<dyn Scan>,
    /// The queue behind the source, if it is one.
    pub messages: Option<Arc<Messages>>,
    /// How it goes on for ever with what comes; none ends at the source's end.
    pub follow: Option<Follow>,
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
    total: Arc<Mutex<Totals>>,
    /// Ends every line, on request or after a failure.
    stop: Stop,
    /// Differs from worker to worker.
    chance: u64,
}

impl Pipeline {
    /// Takes up a run where its ledger says it is.
    pub async fn resume(parts: Parts) -> Result<Self> {
        let total = Totals::read(&*parts.ledger, &parts.run).await?;
        let workers = parts.config.worker_count();
        let stop = parts.stop.child();
        Ok(Self {
            parts: Arc::new(parts),
            workers: Arc::new(Semaphore::new(workers)),
            total: Arc::new(Mutex::new(total)),
            stop,
            chance: backoff::chance(),
        })
    }

    /// The run's counts so far; those of other workers as they were at the last look.
    pub fn counts(&self) -> Counts {
        self.total().counts()
    }

    /// Works through every segment that is not at its end. Answers whether all of them are now.
    pub async fn scan(&self) -> Result<bool> {
        let Parts { run, scan, messages, follow, ledger, .. } = &*self.parts;
        let (scan, ledger) = (scan.clone(), ledger.clone());
        if let Some(messages) = messages {
            return self.consume(messages).await;
        }
        if let Some(follow) = follow.clone() {
            let (run, total, stop) = (run.clone(), self.total.clone(), self.stop.clone());
            return self.divide(&Followed { scan, follow, ledger, run, total, stop }).await;
        }
        self.divide(&Segments { scan, total: run.segments }).await
    }

    /// Works through a queue. Answers whether it was drained; if not, the run was asked to stop.
    async fn consume(&self, messages: &Arc<Messages>) -> Result<bool> {
        let Parts { run, ledger, events, .. } = &*self.parts;
        let _leases = task::spawn(messages.clone().keep_leases());
        let consumers = Consumers::new(messages.clone(), ledger.clone(), run.id.clone(), events.clone());
        let worked = self.divide(&consumers).await;
        // What a fault left in hand need not wait for the end of its lease.
        messages.give_all_back().await;
        worked
    }

    /// Works through a list of ids, cut into as many ranges as the run has segments. Answers whether it is at its end.
    pub async fn ids(&self, ids: Arc<Vec<String>>) -> Result<bool> {
        self.divide(&Ids { scan: self.parts.scan.clone(), ids, lines: self.parts.run.segments }).await
    }

    /// Works through a list until nothing in it is ready or in progress. Answers whether it got there.
    pub async fn loaded(&self, list: Arc<dyn List>) -> Result<bool> {
        let Parts { run, scan, leases, .. } = &*self.parts;
        self.divide(&Loaded::new(list, scan.clone(), leases.clone(), run.id.clone())).await
    }

    /// Tries rows of the ledger once more. Answers whether all of them were tried.
    pub async fn retry(&self, filter: Filter) -> Result<bool> {
        let Parts { scan, ledger, run, leases, .. } = &*self.parts;
        let rows = Rows { scan: scan.clone(), ledger: ledger.clone(), run: run.id.clone(), filter };
        let (held, progress) = leases.turn(run.retries()).await?;
        self.read_totals().await?;
        // Retries keep counts, but no checkpoint: the rows themselves say what is left.
        let progress = Progress { cursor: None, ended: false, ..progress };
        self.clone().segment(Arc::new(held), Arc::new(rows), progress).await
    }

    /// Tries what waits until nothing does or its attempts are spent.
    pub async fn retry_waiting(&self) -> Result<bool> {
        self.read_totals().await?;
        for tries in 1..=self.parts.config.attempts {
            if self.counts().waiting == 0 {
                return Ok(true);
            }
            tokio::time::sleep(pause(tries)).await;
            if !self.retry(Filter { states: vec![State::Ready], ..Filter::default() }).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Lets every line of work end with what it has in flight.
    fn halt(&self) {
        self.stop.ask();
    }

    fn must_stop(&self) -> bool {
        self.stop.is_asked()
    }

    async fn read_totals(&self) -> Result<()> {
        let totals = Totals::read(&*self.parts.ledger, &self.parts.run).await?;
        *self.total() = totals;
        Ok(())
    }

    fn total(&self) -> MutexGuard<'_, Totals> {
        self.total.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run's counts: what its segments say, and the rows that are open now.
pub async fn counts(ledger: &dyn Ledger, run: &Run) -> Result<Counts> {
    Ok(Totals::read(ledger, run).await?.counts())
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
            .hint("`reindex status RECIPE` groups the reasons; raise `run.stop-after-failures` if this many may fail, then run again to go on"))
    }
}
