//! How far a recipe is. Reads only.

use std::path::Path;

use serde::Serialize;

use crate::{
    error::Result,
    ledger::{Counts, Group, Ledger, Phase, Run, Scope},
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
    /// The process that works on it now.
    pub pid: Option<u32>,
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
    Ok(Some(Status { run, counts, groups, pid: Lock::holder(state_directory, recipe) }))
}
