//! How far a recipe is. Reads only.

use std::{collections::BTreeMap, path::Path};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    error::{Error, Kind, Result},
    ledger::{Counts, Group, Ledger, Phase, Progress, Run, Scope},
    pipeline,
};

use super::{EXAMPLES, lock::Lock};

/// How many runs of a recipe are looked through, the newest of them.
const ENOUGH: usize = 1000;

/// How a run of a recipe stands.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// The run.
    pub run: Run,
    /// Its counts.
    pub counts: Counts,
    /// What failed, the largest group first.
    pub groups: Vec<Group>,
    /// The process of this machine that works on it now.
    pub pid: Option<u32>,
    /// The workers that hold a part of it on a shared ledger. A dead worker holds it until another takes over.
    pub workers: Vec<Worker>,
    /// How the source changed since the run began, if it did so that nothing of it can be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_changed: Option<String>,
    /// Other runs of the recipe that ids failed in and are open, the newest first.
    pub others: Vec<Open>,
}

/// A run that left ids open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Open {
    /// The run's id.
    pub run: String,
    /// What sort of run it is.
    pub scope: Scope,
    /// How far it is.
    pub phase: Phase,
    /// When it began.
    pub started: Timestamp,
    /// How many ids failed.
    pub failed: u64,
    /// How many ids wait to be tried again.
    pub waiting: u64,
    /// How many ids the source does not have; they are no failures.
    pub not_found: u64,
}

impl Open {
    /// Whether something is to be mended, or to be tried again.
    pub fn needs_care(&self) -> bool {
        self.failed + self.waiting > 0
    }
}

impl Status {
    /// Whether a worker holds a part of it, as of one look.
    pub fn is_worked_on(&self) -> bool {
        self.pid.is_some() || !self.workers.is_empty()
    }
}

/// A worker of a run, as its leases show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Worker {
    /// Its name.
    pub owner: String,
    /// The segments it works on.
    pub segments: Vec<u32>,
    /// Whether it tries again what failed.
    pub retries: bool,
    /// Whether it does the opening or closing steps.
    pub steps: bool,
    /// How often the leases it holds now showed that it lives; moves while it does.
    pub beats: u64,
}

/// The run that needs looking after: the newest over the whole source while anything of it is open, else the newest
/// since then that left ids open, else the newest. A few ids that were run since must not hide what a whole run left
/// undone; a whole run without failures has done what earlier runs left.
pub(super) async fn needing(ledger: &dyn Ledger, recipe: &str) -> Result<Option<Run>> {
    let runs = standing(ledger, recipe).await?;
    if let Some(whole) = runs.iter().find(|run| is_whole(run))
        && (whole.phase != Phase::Finished || needs_care(ledger, whole).await?)
    {
        return Ok(Some(whole.clone()));
    }
    for run in &runs {
        if needs_care(ledger, run).await? {
            return Ok(Some(run.clone()));
        }
    }
    Ok(runs.into_iter().next())
}

/// The runs that left ids open, the newest first.
pub(super) async fn with_open_ids(ledger: &dyn Ledger, recipe: &str) -> Result<Vec<(Run, Open)>> {
    let mut all = Vec::new();
    for run in standing(ledger, recipe).await? {
        if let Some(open) = open(ledger, &run).await? {
            all.push((run, open));
        }
    }
    Ok(all)
}

/// The run of this id, which has to be the recipe's.
pub(super) async fn named(ledger: &dyn Ledger, recipe: &str, id: &str) -> Result<Run> {
    let run = ledger.find(id).await?.filter(|run| run.recipe == recipe);
    run.ok_or_else(|| {
        Error::new(Kind::NotFound, format!("recipe `{recipe}` has no run {id}"))
            .hint("`reindex status RECIPE` names the runs that left ids open")
    })
}

/// The runs that were not given up, the newest first, down to the newest one that finished the whole source: it read
/// again all that earlier runs left open. A queue and requests hand out nothing again, so there all runs count.
async fn standing(ledger: &dyn Ledger, recipe: &str) -> Result<Vec<Run>> {
    let mut runs = ledger.runs(recipe, ENOUGH).await?;
    runs.retain(|run| run.phase != Phase::Abandoned);
    let finished = runs.iter().position(|run| is_whole(run) && run.phase == Phase::Finished && !run.follows);
    runs.truncate(finished.map_or(runs.len(), |last| last + 1));
    Ok(runs)
}

/// What a run left open, if anything. A run through a list of ids leaves nothing: the list keeps its own.
async fn open(ledger: &dyn Ledger, run: &Run) -> Result<Option<Open>> {
    let is_closed = |counts: &Counts| counts.failed + counts.waiting + counts.not_found == 0;
    if run.scope == Scope::Loaded || run.phase == Phase::Finished && run.counts.as_ref().is_some_and(is_closed) {
        return Ok(None);
    }
    let counts = pipeline::counts(ledger, run).await?;
    let Run { id, scope, phase, started, .. } = run.clone();
    let Counts { failed, waiting, not_found, .. } = counts;
    Ok((!is_closed(&counts)).then_some(Open { run: id, scope, phase, started, failed, waiting, not_found }))
}

async fn needs_care(ledger: &dyn Ledger, run: &Run) -> Result<bool> {
    Ok(open(ledger, run).await?.is_some_and(|open| open.needs_care()))
}

pub(super) fn is_whole(run: &Run) -> bool {
    matches!(run.scope, Scope::Full | Scope::Rebuild)
}

/// The newest run over the whole source.
pub(super) async fn newest_whole(ledger: &dyn Ledger, recipe: &str) -> Result<Option<Run>> {
    Ok(standing(ledger, recipe).await?.into_iter().find(is_whole))
}

/// Looks at a run of a recipe, or at the one that needs it, if it was ever run.
///
/// *Errors*: [`Kind::NotFound`] if the recipe has no run of this id.
pub async fn status(
    ledger: &dyn Ledger,
    recipe: &str,
    run: Option<&str>,
    state_directory: &Path,
) -> Result<Option<Status>> {
    let run = match run {
        Some(id) => named(ledger, recipe, id).await?,
        None => match needing(ledger, recipe).await? {
            Some(run) => run,
            None => return Ok(None),
        },
    };
    let counts = pipeline::counts(ledger, &run).await?;
    let groups = ledger.groups(&run.id, EXAMPLES).await?;
    // A lease on a local ledger may be a dead process's; there the lock says who lives.
    let pid = Lock::holder(state_directory, recipe).filter(|_| !ledger.is_shared());
    let workers = if ledger.is_shared() { workers(&run, ledger.progress(&run).await?) } else { Vec::new() };
    let others = with_open_ids(ledger, recipe).await?.into_iter().map(|(_, open)| open);
    let others = others.filter(|open| open.needs_care() && open.run != run.id).collect();
    Ok(Some(Status { run, counts, groups, pid, workers, source_changed: None, others }))
}

/// The workers that hold a line, by name.
fn workers(run: &Run, lines: Vec<Progress>) -> Vec<Worker> {
    let mut workers = BTreeMap::new();
    for (line, lease) in (0..).zip(lines).filter_map(|(line, progress)| Some((line, progress.lease?))) {
        let owner = lease.owner.clone();
        let new = || Worker { owner, segments: Vec::new(), retries: false, steps: false, beats: 0 };
        let worker = workers.entry(lease.owner).or_insert_with(new);
        worker.beats += lease.beat;
        worker.retries |= line == run.retries();
        worker.steps |= line == run.steps();
        worker.segments.extend((line < run.segments).then_some(line));
    }
    workers.into_values().collect()
}
