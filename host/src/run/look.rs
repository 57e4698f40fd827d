//! How far a recipe is. Reads only.

use std::{collections::BTreeMap, path::Path};

use serde::Serialize;

use crate::{
    error::Result,
    ledger::{Counts, Group, Ledger, Phase, Progress, Run, Scope},
    pipeline,
};

use super::{EXAMPLES, lock::Lock};

const ENOUGH: usize = 100;

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
    /// Who holds a part of it on a shared ledger. Somebody who died holds it until another takes over.
    pub workers: Vec<Worker>,
}

impl Status {
    /// Whether somebody works on it, as far as one look can tell.
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

/// The run that needs looking after: the newest over the whole source while anything of it is open, else the newest.
/// A few ids that were run since must not hide what a whole run left undone.
pub(super) async fn needing(ledger: &dyn Ledger, recipe: &str) -> Result<Option<Run>> {
    let mut runs = ledger.runs(recipe, ENOUGH).await?;
    runs.retain(|run| run.phase != Phase::Abandoned);
    if let Some(whole) = runs.iter().find(|run| matches!(run.scope, Scope::Full | Scope::Rebuild)) {
        let counts = pipeline::counts(ledger, whole).await?;
        if whole.phase != Phase::Finished || counts.failed + counts.waiting > 0 {
            return Ok(Some(whole.clone()));
        }
    }
    Ok(runs.into_iter().next())
}

/// The newest run over the whole source.
pub(super) async fn newest_whole(ledger: &dyn Ledger, recipe: &str) -> Result<Option<Run>> {
    let runs = ledger.runs(recipe, ENOUGH).await?;
    Ok(runs.into_iter().find(|run| run.phase != Phase::Abandoned && matches!(run.scope, Scope::Full | Scope::Rebuild)))
}

/// Looks at the run of a recipe that needs it, if it was ever run.
pub async fn status(ledger: &dyn Ledger, recipe: &str, state_directory: &Path) -> Result<Option<Status>> {
    let Some(run) = needing(ledger, recipe).await? else { return Ok(None) };
    let counts = pipeline::counts(ledger, &run).await?;
    let groups = ledger.groups(&run.id, EXAMPLES).await?;
    // A lease on a local ledger may be a dead process's; there the lock says who lives.
    let pid = Lock::holder(state_directory, recipe).filter(|_| !ledger.is_shared());
    let workers = if ledger.is_shared() { workers(&run, ledger.progress(&run).await?) } else { Vec::new() };
    Ok(Some(Status { run, counts, groups, pid, workers }))
}

/// Everybody who holds a line, by name.
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
