//! The library's front door: open a recipe as a [`Job`], run it, retry what failed, look at how far it is.

mod check;
mod first;
mod iam;
mod identity;
mod job;
mod lock;
mod look;
mod open;
mod probe;
mod prune;
mod servers;
mod targets;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub use check::Finding;
pub use iam::Permissions;
pub use job::Job;
pub use look::{Status, status};
pub use open::{Project, backends, load_plugin};
pub use prune::Pruned;
pub use servers::Servers;

use crate::{
    capability::storage::Scan,
    error::{Error, Kind, Result},
    event::{Event, Events},
    ledger::{Counts, Filter, Group, Phase, Run, Scope},
    pipeline::{Difference, Pipeline, Stop, Tally},
};
use first::First;
use identity::digest;
use lock::Lock;

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
        /// So many records may be missing from the new index.
        waive: u64,
    },
    /// These ids.
    Ids(Vec<String>),
    /// The first so many records.
    Limit(u64),
}

impl Work {
    fn scope(&self) -> Scope {
        match self {
            Self::Full => Scope::Full,
            Self::Rebuild { .. } => Scope::Rebuild,
            Self::Ids(_) => Scope::Ids,
            Self::Limit(_) => Scope::Limit,
        }
    }
}

/// How a run is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What it works through.
    pub work: Work,
    /// Whether an unfinished run is given up instead of resumed.
    pub fresh: bool,
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
    /// Runs the job: goes on with an unfinished run of equal identity, or begins one.
    ///
    /// *Errors*: [`Kind::Usage`] if an unfinished run differs, [`Kind::Stopped`] and [`Kind::Unavailable`] if it
    /// cannot go on now; what was done stays done, and the next run goes on from there.
    pub async fn run(&self, options: Options, events: &Events, stop: &Stop) -> Result<Summary> {
        let begun = Instant::now();
        let _lock = self.lock()?;
        self.servers.look(&self.resources).await?;
        let (mut run, resumed) = self.begin(&options, events).await?;
        let scan: Arc<dyn Scan> = match options.work {
            Work::Limit(limit) => Arc::new(First::new(self.source.clone(), limit)),
            _ => self.source.clone(),
        };
        let pipeline = self.pipeline(&run, scan, events, stop).await?;
        events.send(Event::Started {
            recipe: self.name.clone(),
            run: run.id.clone(),
            resumed,
            total: run.total,
            before: pipeline.counts(),
        });
        let worked = self.work_through(&mut run, &pipeline, &options, events).await;
        let counts = pipeline.counts();
        events.send(Event::Ended { run: run.id.clone(), finished: run.phase == Phase::Finished, counts });
        worked?;
        let groups = self.ledger.groups(&run.id, EXAMPLES).await?;
        Ok(Summary { run, resumed, counts, groups, elapsed: begun.elapsed() })
    }

    /// Tries once more, with today's plugin, what failed in the newest run over the whole source; if nothing did, in
    /// the newest run of any kind.
    pub async fn retry(&self, filter: Filter, events: &Events, stop: &Stop) -> Result<Summary> {
        let begun = Instant::now();
        let _lock = self.lock()?;
        self.servers.look(&self.resources).await?;
        let run = look::needing(&*self.ledger, &self.name).await?.ok_or_else(|| {
            Error::usage(format!("recipe `{}` was never run, so there is nothing to retry", self.name))
        })?;
        if run.identity.get("plugin").map(String::as_str) != Some(self.plugin.digest()) {
            events.note("the plugin is another than the run began with; its failures are retried with today's");
        }
        self.targets_are_still_there(&run).await?;
        let pipeline = self.pipeline(&run, self.source.clone(), events, stop).await?;
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
        events.send(Event::Ended { run: run.id.clone(), finished: run.phase == Phase::Finished, counts });
        if !tried? {
            return Err(stopped("`reindex retry` goes on with the rest"));
        }
        let groups = self.ledger.groups(&run.id, EXAMPLES).await?;
        Ok(Summary { run, resumed: true, counts, groups, elapsed: begun.elapsed() })
    }

    /// Tells what a run would change, and changes nothing: no index, no ledger row, no message.
    pub async fn diff(&self, work: Work, events: &Events, stop: &Stop, each: impl FnMut(Difference)) -> Result<Tally> {
        if let Some(messages) = &self.messages {
            return Err(messages.refuse("what a run would do cannot be told without taking its messages"));
        }
        let mut run = self.draft(&work).await?;
        for target in self.targets()? {
            if let Some(current) = target.index.current().await? {
                run.targets.insert(target.alias, current.name);
            }
        }
        let (scan, ids): (Arc<dyn Scan>, _) = match work {
            Work::Limit(limit) => (Arc::new(First::new(self.source.clone(), limit)), None),
            Work::Ids(ids) => (self.source.clone(), Some(Arc::new(ids))),
            Work::Full | Work::Rebuild { .. } => (self.source.clone(), None),
        };
        self.pipeline(&run, scan, events, stop).await?.compare(ids, each).await
    }

    async fn work_through(&self, run: &mut Run, pipeline: &Pipeline, options: &Options, events: &Events) -> Result<()> {
        let ended = match &options.work {
            Work::Ids(ids) => pipeline.ids(Arc::new(ids.clone())).await?,
            _ => pipeline.scan().await?,
        };
        if !(ended && pipeline.retry_waiting().await?) {
            return Err(stopped("run it again to go on from there"));
        }
        self.targets_are_still_there(run).await?;
        self.enter(run, Phase::Finishing).await?;
        if let Work::Rebuild { drop_old, waive } = options.work {
            self.swap(run, &pipeline.counts(), drop_old, waive, events).await?;
        }
        self.prune_at_end(run, &pipeline.counts(), events).await?;
        run.ended = Some(self.clock.now());
        self.enter(run, Phase::Finished).await
    }

    /// Verifies every rebuilt index before the first alias moves. Doing any of it again changes nothing.
    async fn swap(&self, run: &mut Run, counts: &Counts, drop_old: bool, waive: u64, events: &Events) -> Result<()> {
        let targets = self.targets()?;
        for target in &targets {
            target.verify(run, counts, waive, events).await?;
        }
        for target in &targets {
            if let Some(current) = target.index.current().await?
                && !run.targets.values().any(|name| *name == current.name)
            {
                run.replaced.insert(target.alias.clone(), current.name);
            }
        }
        self.save(run).await?;
        for target in &targets {
            target.swap(run, events).await?;
        }
        for target in &targets {
            match run.replaced.get(&target.alias) {
                Some(old) if drop_old => {
                    target.index.remove(old).await?;
                    events.note(format!("removed index {old}"));
                }
                Some(old) => events.note(format!("{old} is kept; with `--drop-old` it would be gone")),
                None => {}
            }
        }
        Ok(())
    }

    /// The run to go on with, or a new one whose indexes are made.
    async fn begin(&self, options: &Options, events: &Events) -> Result<(Run, bool)> {
        let draft = self.draft(&options.work).await?;
        let unfinished = self.newest(|run| same_line(run.scope, draft.scope)).await?.filter(is_unfinished);
        if let Some(mut old) = unfinished {
            if options.fresh {
                self.give_up(&mut old, events).await?;
            } else if self.goes_on(&old, &draft)? {
                self.make_targets(&mut old, events).await?;
                return Ok((old, true));
            }
        }
        let mut run = draft;
        run.targets = targets::choose(&self.targets()?, run.scope, run.started).await?;
        let newest = self.newest(|_| true).await?.map(|run| run.id);
        if !self.ledger.begin(&run, newest.as_deref()).await? {
            return Err(stopped("another process began a run of this recipe just now; run it again"));
        }
        self.make_targets(&mut run, events).await?;
        Ok((run, false))
    }

    /// Ends an unfinished run for good. What a rebuild filled and nobody searches goes with it.
    async fn give_up(&self, run: &mut Run, events: &Events) -> Result<()> {
        self.enter(run, Phase::Abandoned).await?;
        events.note(format!("gave up the unfinished run {}", run.id));
        for target in self.targets()? {
            target.discard(run, events).await?;
        }
        Ok(())
    }

    /// Whether an unfinished run can be resumed as this one. A list of ids that differs is simply another list.
    fn goes_on(&self, old: &Run, draft: &Run) -> Result<bool> {
        let changed = identity::changed(&old.identity, &draft.identity);
        if changed.is_empty() && old.scope == draft.scope {
            return Ok(true);
        }
        if matches!(draft.scope, Scope::Ids | Scope::Limit) {
            return Ok(false);
        }
        let what = if changed.is_empty() { "scope".to_owned() } else { changed.join(", its ") };
        let mut error = Error::usage(format!("run {} is unfinished, and its {what} changed since it began", old.id))
            .with("began", old.started.to_string());
        if changed.contains(&"plugin") {
            error = error.with("plugin", self.plugin.name());
        }
        if old.scope != draft.scope {
            error = error.with("scope", format!("{:?}, asked for {:?}", old.scope, draft.scope).to_lowercase());
        }
        Err(error
            .hint("put it back as it was and run again to go on, or give that run up and start over with `--fresh`"))
    }

    /// Makes the indexes of a new run; those of a resumed one have to be there still.
    async fn make_targets(&self, run: &mut Run, events: &Events) -> Result<()> {
        if run.marks.contains("made") {
            return self.targets_are_still_there(run).await;
        }
        let _turn = match self.state_directory.as_deref() {
            Some(directory) => Some(Lock::turn(directory).await?),
            None => None,
        };
        for target in self.targets()? {
            target.reconsider(run).await?;
            target.make(run, events).await?;
            if let Some(watermark) = target.index.watermark(target.concrete(run)?).await? {
                run.watermarks.insert(target.alias.clone(), watermark);
            }
        }
        run.marks.insert("made".into());
        self.save(run).await
    }

    async fn targets_are_still_there(&self, run: &Run) -> Result<()> {
        for target in self.targets()? {
            target.still_there(run).await?;
        }
        Ok(())
    }

    /// A run of this job that nobody has written down yet.
    async fn draft(&self, work: &Work) -> Result<Run> {
        if let (Some(messages), false) = (&self.messages, *work == Work::Full) {
            return Err(messages.refuse("it is read whole: neither rebuilt from, nor by ids, nor up to a limit"));
        }
        let info = self.source.info().await?;
        self.fits(&info)?;
        let (scope, started) = (work.scope(), self.clock.now());
        let segments = self.segments(scope, &info);
        let mut identity = self.identity(&info, segments)?;
        let total = match work {
            Work::Ids(_) if info.key.is_none() => return Err(not_keyed()),
            Work::Ids(ids) => {
                identity.insert("ids".into(), digest(&ids.join("\n")));
                Some(ids.len() as u64)
            }
            Work::Limit(limit) => {
                identity.insert("limit".into(), limit.to_string());
                Some(info.count.map_or(*limit, |count| count.min(*limit)))
            }
            Work::Full | Work::Rebuild { .. } => info.count,
        };
        Ok(Run {
            id: identity::run(started)?,
            recipe: self.name.clone(),
            scope,
            phase: Phase::Running,
            identity,
            segments,
            targets: Default::default(),
            replaced: Default::default(),
            marks: Default::default(),
            total,
            started,
            ended: None,
            watermarks: Default::default(),
            counts: None,
            revision: 0,
        })
    }

    async fn newest(&self, fits: impl Fn(&Run) -> bool) -> Result<Option<Run>> {
        const ENOUGH: usize = 100;
        Ok(self.ledger.runs(&self.name, ENOUGH).await?.into_iter().find(|run| fits(run)))
    }

    async fn enter(&self, run: &mut Run, phase: Phase) -> Result<()> {
        run.phase = phase;
        self.save(run).await
    }

    async fn save(&self, run: &mut Run) -> Result<()> {
        if self.ledger.save(run).await? {
            return Ok(());
        }
        Err(stopped("another process works on this run; let it finish"))
    }

    fn lock(&self) -> Result<Option<Lock>> {
        self.state_directory.as_deref().map(|directory| Lock::take(directory, &self.name)).transpose()
    }
}

/// Full runs and rebuilds take turns; lists of ids and first records are each a line of their own.
fn same_line(a: Scope, b: Scope) -> bool {
    let whole = |scope| matches!(scope, Scope::Full | Scope::Rebuild);
    a == b || (whole(a) && whole(b))
}

fn is_unfinished(run: &Run) -> bool {
    matches!(run.phase, Phase::Running | Phase::Finishing)
}

fn not_keyed() -> Error {
    Error::usage("the recipe's source cannot be asked for single ids, since it has no keys")
        .hint("load it into a table (`reindex load TABLE FILE`) and let the recipe scan that")
}

fn stopped(hint: &str) -> Error {
    Error::new(Kind::Stopped, "stopped before the end; nothing is lost").hint(hint)
}
