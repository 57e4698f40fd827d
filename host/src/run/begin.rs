//! The beginning of a run: which one this process resumes or joins, and the indexes it fills.

use jiff::{SignedDuration, Timestamp};

use super::{
    Fresh, Job, Options, Work,
    identity::{self, digest},
    steps::Steps,
    stopped, targets,
};
use crate::{
    error::{Error, Result, Retry},
    event::Events,
    ledger::{Phase, Run, Scope},
    pipeline::Stop,
};

/// How many runs of a recipe are looked through for an unfinished one.
pub(super) const ENOUGH: usize = 100;

/// How far the clocks of two machines may be apart. A run that seems to have begun later than that was begun under a
/// clock that was wrong.
pub const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// What tells a run that follows its source from one that goes from end to end, among its identity: it keeps no
/// checkpoint that the other could go on from.
pub const PACE: &str = "pace";

/// The mark of a run whose indexes are there.
const MADE: &str = "made";

impl Job {
    /// The unfinished run to go on with, alone or beside other workers, or a new one; and whether it goes on. A finished
    /// one if the options say that it will do.
    pub(super) async fn begin(&self, options: &Options, events: &Events, stop: &Stop) -> Result<(Run, bool)> {
        let mut fresh = options.fresh;
        loop {
            let mut draft = self.draft(options).await?;
            let runs = self.ledger.runs(&self.name, ENOUGH).await?;
            let newest = runs.first().map(|run| run.id.clone());
            let will_do = |since| runs.iter().find(|run| is_since(run, since, draft.started)).cloned();
            let enough = options.since.and_then(will_do);
            if let Some(mut old) = runs.into_iter().filter(is_unfinished).find(|run| is_in_line(run, &draft)) {
                let same = self.is_the_same(&old, &draft);
                let gives_up = fresh == Fresh::Always || fresh == Fresh::IfDifferent && same.is_err();
                if !gives_up {
                    same?;
                    self.clear_up(Some(&old.id), events, stop).await?;
                    return Ok((old, true));
                }
                self.give_up(&mut old, events, stop).await?;
            }
            if let Some(enough) = enough {
                return Ok((enough, true));
            }
            self.clear_up(None, events, stop).await?;
            targets::choose(&self.targets()?, &mut draft).await?;
            if self.ledger.begin(&draft, newest.as_deref()).await? {
                return Ok((draft, false));
            }
            // Another worker was faster: its run is as fresh as one can be.
            fresh = Fresh::Never;
        }
    }

    /// Makes the indexes of a new run, or waits until another worker has; those of an older one have to be there still.
    pub(super) async fn open(&self, steps: &mut Steps, events: &Events) -> Result<()> {
        let is_made = |run: &Run| run.marks.contains(MADE);
        while !is_made(&steps.run) && steps.take(is_made).await? {
            let made = self.make_targets(steps, events).await;
            if made.is_ok() || !steps.are_lost() {
                return made;
            }
        }
        self.targets_are_still_there(&mut steps.run, events).await
    }

    async fn make_targets(&self, steps: &mut Steps, events: &Events) -> Result<()> {
        let targets = self.targets()?;
        for target in &targets {
            target.reconsider(&mut steps.run).await?;
        }
        for target in &targets {
            target.warn_of_lost_fields(&steps.run, events).await?;
            target.make(&mut steps.run, events).await?;
            target.look_before_load(&mut steps.run).await?;
        }
        // What was set before is written down before the first setting changes.
        steps.step(MADE, async { Ok(()) }).await
    }

    /// Refuses to go on with indexes that were exchanged in the meantime; a run that follows its aliases takes those.
    pub(super) async fn targets_are_still_there(&self, run: &mut Run, events: &Events) -> Result<()> {
        let follows = self.follows_aliases(run);
        for target in self.targets()? {
            if follows {
                target.follow(run, events).await?;
            } else {
                target.still_there(run).await?;
            }
        }
        Ok(())
    }

    /// Whether the items of a run are single changes, each settled in the index that the alias names by then. A run
    /// over a whole source must fill one index from end to end, but what is tried again after its end is such a change.
    pub(super) fn follows_aliases(&self, run: &Run) -> bool {
        run.follows || run.phase == Phase::Finished || self.messages.is_some()
    }

    /// Ends an unfinished run for good. An index that a rebuild filled and no alias names is removed with it.
    async fn give_up(&self, run: &mut Run, events: &Events, stop: &Stop) -> Result<()> {
        let leases = self.leases(run, events, stop)?;
        if leases.are_shared()
            && let Some(owner) = leases.living(&leases.lines()).await?
        {
            return Err(Error::usage(format!("worker {owner} is at work on run {}, so it cannot be given up", run.id))
                .retry(Retry::Later)
                .hint("stop its workers first, or leave out `--fresh` to help them"));
        }
        run.phase = Phase::Abandoned;
        if !self.ledger.save(run).await? {
            return Err(stopped("another process works on this run; let it finish"));
        }
        events.note(format!("gave up the unfinished run {}", run.id));
        self.clear_away(run, events).await
    }

    /// Refuses to go on with an unfinished run that is not this one.
    fn is_the_same(&self, old: &Run, draft: &Run) -> Result<()> {
        let changed = identity::changed(&old.identity, &draft.identity);
        if changed.is_empty() && old.scope == draft.scope {
            return Ok(());
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

    /// A run of this job that is not in the ledger yet.
    pub(super) async fn draft(&self, Options { work, follow, .. }: &Options) -> Result<Run> {
        if let (Some(messages), false) = (&self.messages, *work == Work::Full) {
            return Err(messages.refuse("it is read whole: neither rebuilt from, nor by ids, nor up to a limit"));
        }
        let info = self.source.info().await?;
        self.fits(&info)?;
        if info.passing && matches!(work, Work::Rebuild { .. } | Work::Loaded) {
            return Err(passing());
        }
        if follow.is_some() && !(info.passing && self.messages.is_none() && *work == Work::Full) {
            return Err(Error::usage("only a source of requests can be followed, and only as a whole"));
        }
        let (scope, started) = (work.scope(), self.clock.now());
        let segments = self.segments(work, &info);
        let mut identity = self.identity(&info, segments)?;
        if follow.is_some() {
            identity.insert(PACE.into(), "for ever".into());
        }
        let total = match work {
            Work::Ids(_) | Work::Loaded if info.key.is_none() => return Err(not_keyed()),
            Work::Loaded => Some(self.ready_ids().await?),
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
            place: None,
            source: Some(info.fingerprint),
            scope,
            phase: Phase::Running,
            identity,
            segments,
            targets: Default::default(),
            replaced: Default::default(),
            follows: info.passing || scope == Scope::Loaded,
            identities: Default::default(),
            marks: Default::default(),
            total,
            started,
            ended: None,
            made: Default::default(),
            load_settings: Default::default(),
            watermarks: Default::default(),
            counts: None,
            revision: 0,
        })
    }
}

/// Whether an unfinished run stands in the way of a new one. Full runs and rebuilds take turns; a list of ids, or of
/// first records, that differs is simply another list.
fn is_in_line(run: &Run, draft: &Run) -> bool {
    match draft.scope {
        Scope::Full | Scope::Rebuild => matches!(run.scope, Scope::Full | Scope::Rebuild),
        scope => run.scope == scope && run.identity == draft.identity,
    }
}

/// Whether a run makes a new one needless that would begin now.
fn is_since(run: &Run, since: Timestamp, now: Timestamp) -> bool {
    let began = since <= run.started && run.started <= now.saturating_add(SKEW).unwrap_or(now);
    run.scope == Scope::Full && run.phase == Phase::Finished && began
}

pub(super) fn is_unfinished(run: &Run) -> bool {
    matches!(run.phase, Phase::Running | Phase::Finishing)
}

fn passing() -> Error {
    Error::usage(
        "requests are what is to be done and not everything, so nothing is rebuilt from them, nor by a list of ids",
    )
    .hint("`reindex rerun RECIPE PREFIX` asks for everything under a prefix once more; then `reindex run RECIPE` works on it")
}

fn not_keyed() -> Error {
    Error::usage("the recipe's source cannot be asked for single ids, since it has no keys")
        .hint("load it into a table (`reindex load TABLE FILE`) and let the recipe scan that")
}
