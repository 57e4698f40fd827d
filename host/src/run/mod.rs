//! The library's entry point: open a recipe as a [`Job`], run it, retry what failed, look at how far it is.

mod begin;
mod check;
mod closing;
mod failures;
mod first;
mod iam;
mod identity;
mod job;
mod lacking;
mod load;
mod loaded;
mod lock;
mod look;
mod open;
mod own;
mod probe;
mod prune;
mod requests;
mod servers;
mod source;
mod steps;
mod targets;
mod verify;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

pub use begin::{PACE, SKEW};
pub use check::Finding;
pub use failures::Failures;
pub use iam::Permissions;
pub use job::Job;
pub use look::{Open, Status, Worker, status};
pub use open::{Project, backends, load_plugin};
pub use prune::Pruned;
pub use servers::Servers;

use crate::{
    capability::{
        Capability,
        grant::{Access, Grant},
        storage::Scan,
    },
    error::{Error, Kind, Result},
    event::{Event, Events},
    ledger::{Counts, Filter, Group, Phase, Run, Scope},
    pipeline::{Difference, Follow, Leases, Pipeline, Stop, Tally},
    record::Version,
};
use first::First;
use lock::Lock;
use steps::Steps;

/// How many ids stand for a group of failures.
const EXAMPLES: usize = 3;

/// What a run is to work through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Work {
    /// The whole source, into the index the alias names.
    #[default]
    Full,
    /// The whole source into a new index, which then takes the alias.
    Rebuild {
        /// Whether the old index is removed after the swap.
        drop_old: bool,
        /// So many records may be missing from the new index; as many documents as the old one holds, if it is empty.
        waive: u64,
    },
    /// These ids.
    Ids(Vec<String>),
    /// The ready ids of the recipe's list, until none is left.
    Loaded,
    /// The first so many records.
    Limit(u64),
}

impl Work {
    /// What the ledger calls it.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Full => Scope::Full,
            Self::Rebuild { .. } => Scope::Rebuild,
            Self::Ids(_) => Scope::Ids,
            Self::Loaded => Scope::Loaded,
            Self::Limit(_) => Scope::Limit,
        }
    }
}

/// How a run is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What it works through.
    pub work: Work,
    /// When an unfinished run is given up instead of resumed.
    pub fresh: Fresh,
    /// Whether it goes on for ever with what comes, where the source is one whose records go away when they are done.
    pub follow: Option<Follow>,
    /// If one over the whole source that began since then is finished, it will do, and none is begun.
    pub since: Option<Timestamp>,
}

/// When an unfinished run is given up for a new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fresh {
    /// Never: one that differs has to be given up by hand.
    #[default]
    Never,
    /// Where it differs, so that it cannot be gone on with.
    IfDifferent,
    /// Always.
    Always,
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The run, as the ledger has it now.
    pub run: Run,
    /// Whether it went on with an unfinished one.
    pub resumed: bool,
    /// Its counts, those of earlier processes included.
    pub counts: Counts,
    /// What failed, the largest group first.
    pub groups: Vec<Group>,
    /// How long this process worked on it.
    pub elapsed: Duration,
}

impl Summary {
    /// Whether it is over; otherwise it can be resumed.
    pub fn is_finished(&self) -> bool {
        self.run.phase == Phase::Finished
    }
}

impl Job {
    /// Runs the job: resumes an unfinished run of equal identity, or begins one. On a shared ledger, it works
    /// beside other workers, and ends when the run does.
    ///
    /// *Errors*: [`Kind::Usage`] if an unfinished run differs, [`Kind::Stopped`] and [`Kind::Unavailable`] if it
    /// cannot go on now; what was done stays done, and the next run goes on from there.
    pub async fn run(&self, options: Options, events: &Events, stop: &Stop) -> Result<Summary> {
        let begun = Instant::now();
        let _lock = self.lock()?;
        self.look(events).await?;
        let (run, resumed) = self.begin(&options, events, stop).await?;
        let (run, counts) = match (run.phase, run.counts) {
            (Phase::Finished, Some(counts)) => (run, counts),
            _ => self.work_on(run, resumed, &options, (events, stop)).await?,
        };
        let groups = self.ledger.groups(&run.id, EXAMPLES).await?;
        Ok(Summary { run, resumed, counts, groups, elapsed: begun.elapsed() })
    }

    async fn work_on(
        &self,
        run: Run,
        resumed: bool,
        options: &Options,
        (events, stop): (&Events, &Stop),
    ) -> Result<(Run, Counts)> {
        let leases = self.leases(&run, events, stop)?;
        let mut steps = Steps::new(run, self.ledger.clone(), leases.clone(), events);
        let counts = self.run_through(&mut steps, leases.clone(), resumed, options, (events, stop)).await;
        steps.give_back().await;
        self.leave(&steps.run, &leases, events).await;
        Ok((steps.run, counts?))
    }

    async fn run_through(
        &self,
        steps: &mut Steps,
        leases: Arc<Leases>,
        resumed: bool,
        Options { work, follow, .. }: &Options,
        (events, stop): (&Events, &Stop),
    ) -> Result<Counts> {
        if self.must_be_alone() {
            steps.take_alone().await?;
        }
        self.open(steps, events).await?;
        self.set_up_for_load(&steps.run).await?;
        if !self.must_be_alone() {
            steps.give_back().await;
        }
        let scan: Arc<dyn Scan> = match work {
            Work::Limit(limit) => Arc::new(First::new(self.source.clone(), *limit)),
            _ => self.source.clone(),
        };
        let pipeline = self.pipeline(&steps.run, scan, leases, follow.clone(), (events, stop)).await?;
        let (before, total) = (pipeline.counts(), steps.run.total);
        let (recipe, run) = (self.name.clone(), steps.run.id.clone());
        events.send(Event::Started { recipe, run: run.clone(), resumed, total, before });
        let worked = self.work_through(steps, &pipeline, work, events).await;
        let finished = worked.is_ok();
        // The worker that finished it recorded its counts, so that all workers report the same.
        let counts = steps.run.counts.filter(|_| finished).unwrap_or_else(|| pipeline.counts());
        events.send(Event::Ended { run, finished, counts });
        worked.map(|()| counts)
    }

    async fn work_through(&self, steps: &mut Steps, pipeline: &Pipeline, work: &Work, events: &Events) -> Result<()> {
        let ended = match work {
            Work::Ids(ids) => pipeline.ids(Arc::new(ids.clone())).await?,
            Work::Loaded => pipeline.loaded(self.list()?).await?,
            _ => pipeline.scan().await?,
        };
        if !ended {
            return Err(stopped("run it again to go on from there"));
        }
        self.close(steps, pipeline, work, events).await
    }

    /// Whether two workers could undo each other's writes: documents without versions.
    fn must_be_alone(&self) -> bool {
        let documents = |grant: &Grant| grant.capability == Capability::Index && grant.access == Access::Write;
        self.ledger.is_shared() && self.shape.version == Version::None && self.grants.iter().any(documents)
    }

    /// Tries once more, with today's plugin, what failed in a run; without one in the newest over the whole source, if
    /// nothing did there in the newest that left ids open.
    pub async fn retry(&self, run: Option<&str>, filter: Filter, events: &Events, stop: &Stop) -> Result<Summary> {
        let begun = Instant::now();
        let _lock = self.lock()?;
        self.look(events).await?;
        let mut run = self.run_to_retry(run).await?;
        self.look_for(&run, &filter, events).await?;
        if run.scope == Scope::Loaded {
            return Err(loaded::not_retried());
        }
        if run.identity.get("plugin").map(String::as_str) != Some(self.plugin.digest()) {
            events.note("the plugin is another than the run began with; its failures are retried with today's");
        }
        self.clear_up(None, events, stop).await?;
        // Its record keeps what it filled; what is tried again goes where its aliases lead now.
        let mut routed = run.clone();
        self.targets_are_still_there(&mut routed, events).await?;
        self.source_is_same(&run).await?;
        let leases = self.leases(&run, events, stop)?;
        if leases.are_shared()
            && let Some(owner) = leases.living(&[run.retries()]).await?
        {
            return Err(Error::usage(format!("worker {owner} tries again what failed in run {}", run.id))
                .hint("wait until it is done; `reindex status RECIPE` shows how far it is"));
        }
        let pipeline = self.pipeline(&routed, self.source.clone(), leases, None, (events, stop)).await?;
        let before = pipeline.counts();
        events.send(Event::Started {
            recipe: self.name.clone(),
            run: run.id.clone(),
            resumed: true,
            total: None,
            before,
        });
        let tried = pipeline.retry(filter).await;
        let counts = pipeline.counts();
        self.recount(&mut run, counts).await?;
        events.send(Event::Ended { run: run.id.clone(), finished: run.phase == Phase::Finished, counts });
        if !tried? {
            return Err(stopped("`reindex retry RECIPE` goes on with the rest"));
        }
        let groups = self.ledger.groups(&run.id, EXAMPLES).await?;
        Ok(Summary { run, resumed: true, counts, groups, elapsed: begun.elapsed() })
    }

    /// Says so if nothing that a run left open is like that.
    ///
    /// *Errors*: it did not leave the id open that was named.
    async fn look_for(&self, run: &Run, filter: &Filter, events: &Events) -> Result<()> {
        if *filter == Filter::default() || !self.ledger.rows(&run.id, filter, None, 1).await?.is_empty() {
            return Ok(());
        }
        if let Some(id) = &filter.id {
            let message = format!("run {} left no such id open that is like that", run.id);
            return Err(Error::new(Kind::NotFound, message)
                .with("id", id.clone())
                .hint("`reindex failures RECIPE` lists what is open in every run"));
        }
        events.note(format!("no open id of run {} is like that, so none is tried again", run.id));
        Ok(())
    }

    async fn run_to_retry(&self, run: Option<&str>) -> Result<Run> {
        match run {
            Some(id) => look::named(&*self.ledger, &self.name, id).await,
            None => look::needing(&*self.ledger, &self.name).await?.ok_or_else(|| {
                Error::usage(format!("recipe `{}` was never run, so there is nothing to retry", self.name))
                    .hint("`reindex run RECIPE` runs it")
            }),
        }
    }

    /// Tells what a run would change, and changes nothing: no index, no ledger row, no message.
    pub async fn diff(&self, work: Work, events: &Events, stop: &Stop, each: impl FnMut(Difference)) -> Result<Tally> {
        if let Some(messages) = &self.messages {
            return Err(messages.refuse("what a run would do cannot be told without taking its messages"));
        }
        if work == Work::Loaded {
            return Err(Error::usage("what a run would do with a list of ids cannot be told without claiming them"));
        }
        let mut run = self.draft(&Options { work: work.clone(), ..Options::default() }).await?;
        for target in self.targets()? {
            if let Some(current) = target.index.current().await? {
                run.targets.insert(target.alias, current.name);
            }
        }
        let (scan, ids): (Arc<dyn Scan>, _) = match work {
            Work::Limit(limit) => (Arc::new(First::new(self.source.clone(), limit)), None),
            Work::Ids(ids) => (self.source.clone(), Some(Arc::new(ids))),
            Work::Full | Work::Rebuild { .. } | Work::Loaded => (self.source.clone(), None),
        };
        let leases = self.leases(&run, events, stop)?;
        self.pipeline(&run, scan, leases, None, (events, stop)).await?.compare(ids, each).await
    }

    /// Lets the record of a finished run say what it comes to after a retry.
    async fn recount(&self, run: &mut Run, counts: Counts) -> Result<()> {
        while run.phase == Phase::Finished {
            run.counts = Some(counts);
            if self.ledger.save(run).await? {
                break;
            }
            *run = self.ledger.find(&run.id).await?.unwrap_or_else(|| run.clone());
        }
        Ok(())
    }

    fn lock(&self) -> Result<Option<Lock>> {
        self.lock_directory().map(|directory| Lock::take(directory, &self.name)).transpose()
    }

    /// Where the locks of this machine lie. Workers of a shared ledger keep apart by leases, which a process that hangs
    /// loses; a lock it would keep.
    fn lock_directory(&self) -> Option<&Path> {
        self.state_directory.as_deref().filter(|_| !self.ledger.is_shared())
    }
}

fn stopped(hint: &str) -> Error {
    Error::new(Kind::Stopped, "stopped before the end; nothing is lost").hint(hint)
}
