//! The leases of one process on the lines of one run: taking what is free, showing that it lives, giving back.
//!
//! On a local ledger every lease found is a dead process's, since the operating system's lock proves it; nothing
//! there is waited for and nothing beats.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    backoff,
    stop::Stop,
    task::{self, Task},
    watch::LeaseWatch,
};
use crate::{
    error::{Error, Kind, Result},
    event::Events,
    ledger::{Lease, Ledger, Progress, Run},
};

/// How often the ledger is looked at for what other workers do, unless leases are short.
const LOOK: Duration = Duration::from_secs(3);
/// How soon a wait notices a request to stop.
const NOTICE: Duration = Duration::from_millis(100);

/// One process among the workers of a run.
pub struct Leases {
    /// Where the leases stand.
    ledger: Arc<dyn Ledger>,
    run: Run,
    owner: String,
    lasting: Duration,
    events: Events,
    stop: Stop,
    watch: Mutex<LeaseWatch>,
}

impl Leases {
    /// Names a worker of a run. Holds nothing yet; what it takes lasts so long without a sign of life.
    pub fn new(
        ledger: Arc<dyn Ledger>,
        run: &Run,
        owner: String,
        lasting: Duration,
        events: &Events,
        stop: &Stop,
    ) -> Arc<Self> {
        let (run, events, stop, watch) = (run.clone(), events.clone(), stop.clone(), Mutex::default());
        Arc::new(Self { ledger, run, owner, lasting, events, stop, watch })
    }

    /// Whether there may be other workers.
    pub fn are_shared(&self) -> bool {
        self.ledger.is_shared()
    }

    /// Takes a line if it is free, or its owner is dead. None if another worker may be at work on it.
    pub async fn attempt(&self, line: u32) -> Result<Option<(Held, Progress)>> {
        let found = self.look().await?.swap_remove(line as usize);
        if self.is_free(line, &found) { self.take(line, &found).await } else { Ok(None) }
    }

    /// Takes a line as soon as no live worker holds it.
    pub async fn turn(&self, line: u32) -> Result<(Held, Progress)> {
        let mut looks = 0;
        loop {
            if let Some(taken) = self.attempt(line).await? {
                return Ok(taken);
            }
            self.rest(looks).await?;
            looks += 1;
        }
    }

    /// Gives a line back, so that others need not wait until it stands still.
    pub async fn give_back(&self, held: &Held) {
        if !held.is_lost() {
            // A ledger that cannot be reached costs others a wait, no more.
            let _ = self.ledger.release(&self.run.id, held.line, held.token).await;
        }
    }

    /// Waits until every lease on these lines is known to be dead, or one of them to be alive; answers who holds it.
    pub async fn living(&self, lines: &[u32]) -> Result<Option<String>> {
        for looks in 0.. {
            let found = self.look().await?;
            if let Some(owner) = self.watched().living(lines) {
                return Ok(Some(owner.to_owned()));
            }
            if lines.iter().all(|line| self.is_free(*line, &found[*line as usize])) {
                break;
            }
            self.rest(looks).await?;
        }
        Ok(None)
    }

    /// Whether no other worker holds a line, dead or alive, as of one look.
    pub async fn are_alone(&self) -> Result<bool> {
        if !self.are_shared() {
            return Ok(true);
        }
        let lines = self.look().await?;
        let owners = lines.iter().filter_map(|progress| progress.lease.as_ref()).map(|lease| &lease.owner);
        Ok(owners.into_iter().all(|owner| *owner == self.owner))
    }

    /// Every line of the run.
    pub fn lines(&self) -> Vec<u32> {
        (0..=self.run.steps()).collect()
    }

    /// Waits before the ledger is looked at again, longer from time to time.
    ///
    /// *Errors*: [`Kind::Stopped`] on a request to stop.
    pub async fn rest(&self, looks: u32) -> Result<()> {
        let end = Instant::now() + backoff::jittered(self.pace(looks));
        while Instant::now() < end {
            if self.stop.is_asked() {
                return Err(
                    Error::new(Kind::Stopped, "stopped while other workers go on").hint("run it again to help them")
                );
            }
            tokio::time::sleep_until(end.min(Instant::now() + NOTICE)).await;
        }
        Ok(())
    }

    /// How long to wait after so many looks in vain.
    fn pace(&self, looks: u32) -> Duration {
        let longest = self.lasting / 3;
        LOOK.min(self.lasting / 6).saturating_mul(2u32.saturating_pow(looks / 4)).min(longest)
    }

    /// How long a worker may be silent.
    pub(super) fn lasting(&self) -> Duration {
        self.lasting
    }

    /// Whether this process took a lease.
    pub(super) fn are_own(&self, lease: &Lease) -> bool {
        lease.owner == self.owner
    }

    /// Whether the holder of this line was silent for too long at the last looks.
    pub(super) fn stands_still(&self, line: u32) -> bool {
        self.watched().stands_still(line)
    }

    /// How far each line is, which also shows who lives.
    pub(super) async fn look(&self) -> Result<Vec<Progress>> {
        let asked = Instant::now();
        let lines = self.ledger.progress(&self.run).await?;
        self.watched().see(&lines, asked, Instant::now());
        Ok(lines)
    }

    /// Whether a line that was found like this, and that this process does not work on, may be taken.
    pub(super) fn is_free(&self, line: u32, found: &Progress) -> bool {
        let Some(lease) = &found.lease else { return true };
        // A lease of its own which it does not know of is one whose reply was lost.
        !self.are_shared() || lease.owner == self.owner || self.watched().stands_still(line)
    }

    /// Takes a line that was found free; none if another worker was faster.
    pub(super) async fn take(&self, line: u32, found: &Progress) -> Result<Option<(Held, Progress)>> {
        let (run, before) = (&self.run.id, found.lease.as_ref());
        let Some(progress) = self.ledger.claim(run, line, before, &self.owner, self.lasting).await? else {
            return Ok(None);
        };
        if let Some(before) = before.filter(|before| self.are_shared() && before.owner != self.owner) {
            self.events.note(format!("took over part {line} from worker {}, which stood still", before.owner));
        }
        let token = progress.lease.as_ref().map_or(0, |lease| lease.token);
        Ok(Some((self.hold(line, token), progress)))
    }

    /// How many workers there are, this one included.
    pub(super) fn workers(&self) -> u32 {
        let watch = self.watched();
        let owners = watch.owners();
        let others = owners.iter().filter(|owner| **owner != self.owner).count();
        u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn hold(&self, line: u32, token: u64) -> Held {
        let lost = Arc::new(AtomicBool::new(false));
        let heart = self.are_shared().then(|| {
            let (ledger, run, pause) = (self.ledger.clone(), self.run.id.clone(), self.lasting / 3);
            let lost = lost.clone();
            task::spawn(async move {
                while !lost.load(Ordering::Relaxed) {
                    tokio::time::sleep(pause).await;
                    // A ledger that cannot be reached now may be with the next beat.
                    let gone = matches!(ledger.hold(&run, line, token).await, Ok(false));
                    lost.fetch_or(gone, Ordering::Relaxed);
                }
            })
        });
        Held { line, token, lost, _heart: heart }
    }

    fn watched(&self) -> MutexGuard<'_, LeaseWatch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to work on a line. Shows that its owner lives until it is dropped.
pub struct Held {
    /// Which line.
    pub(super) line: u32,
    /// Tells this lease from earlier and later ones.
    pub(super) token: u64,
    lost: Arc<AtomicBool>,
    _heart: Option<Task<()>>,
}

impl Held {
    /// Whether another worker took the line over.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Marks the line as taken over by another worker.
    pub fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }
}

pub(super) fn lost(line: u32) -> Error {
    Error::new(Kind::Stopped, format!("another process took over part {line} of this run"))
        .hint("let that one finish; `reindex status RECIPE` shows how far it is")
}
