//! The ids that runs of a recipe left open, each with its reason, page by page. Reads only.

use std::{collections::VecDeque, sync::Arc};

use super::{Project, look};
use crate::{
    error::Result,
    ledger::{Filter, IdRow, Ledger, Run},
};

/// How many rows are read at a time.
const PAGE: usize = 500;

/// The rows of some runs, one run after the other.
pub struct Failures {
    ledger: Arc<dyn Ledger>,
    runs: VecDeque<Run>,
    filter: Filter,
    after: Option<String>,
}

impl Project {
    /// The ids that are not done in a run, or in every run that left some, the newest first.
    ///
    /// *Errors*: [`Kind::NotFound`](crate::error::Kind::NotFound) if the recipe has no such run.
    pub async fn failures(&self, run: Option<&str>, filter: Filter) -> Result<Failures> {
        let (ledger, recipe): (Arc<dyn Ledger>, _) = (Arc::new(self.own_ledger()?), &self.recipe.name);
        let runs = match run {
            Some(id) => [look::named(&*ledger, recipe, id).await?].into(),
            None => look::with_open_ids(&*ledger, recipe).await?.into_iter().map(|(run, _)| run).collect(),
        };
        Ok(Failures { ledger, runs, filter, after: None })
    }
}

impl Failures {
    /// The next rows and the run they are of; none after the last one. A page may be empty.
    pub async fn next(&mut self) -> Result<Option<(&Run, Vec<IdRow>)>> {
        while let Some(run) = self.runs.front() {
            let rows = self.ledger.rows(&run.id, &self.filter, self.after.as_deref(), PAGE).await?;
            if let Some(last) = rows.last() {
                self.after = Some(last.position.clone());
                return Ok(self.runs.front().map(|run| (run, rows)));
            }
            self.after = None;
            self.runs.pop_front();
        }
        Ok(None)
    }
}
