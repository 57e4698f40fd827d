//! How far a recipe's newest run is. Reads only.

use std::path::Path;

use serde::Serialize;

use crate::{
    error::Result,
    ledger::{Counts, Group, Ledger, Phase, Run},
    pipeline,
};

use super::{EXAMPLES, lock::Lock};

/// The newest run of a recipe.
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

/// Looks at the newest run of a recipe, if it was ever run.
pub async fn status(ledger: &dyn Ledger, recipe: &str, state_directory: &Path) -> Result<Option<Status>> {
    let runs = ledger.runs(recipe, 100).await?;
    let Some(run) = runs.into_iter().find(|run| run.phase != Phase::Abandoned) else { return Ok(None) };
    let counts = pipeline::counts(ledger, &run).await?;
    let groups = ledger.groups(&run.id, EXAMPLES).await?;
    Ok(Some(Status { run, counts, groups, pid: Lock::holder(state_directory, recipe) }))
}
