//! Whether the source still is what a run began with.

use super::{Job, identity::digest};
use crate::{
    capability::storage::{Sameness, SourceInfo},
    error::{Error, Result},
    ledger::Run,
};

impl Job {
    /// What of an identity tells the source and how it is read.
    pub(super) fn source_identity(&self, info: &SourceInfo) -> String {
        digest(&format!("{} {:?}", info.fingerprint, self.shape))
    }

    /// Refuses to rely on what a run read, or on where it read it, once the source changed.
    ///
    /// *Errors*: [`crate::error::Kind::Usage`] if it changed; those of looking.
    pub(super) async fn source_is_same(&self, run: &Run) -> Result<()> {
        let sameness = match &run.source {
            Some(then) => self.source.compare(then).await?,
            None => self.compare_by_identity(run).await?,
        };
        let Sameness::Changed(how) = sameness else { return Ok(()) };
        Err(Error::usage(format!("the source changed since run {} began: {how}", run.id)).hint(
            "what the run read is not relied on, and no index was swapped or pruned; put the source back as it was and \
             do this again, or read what is there now: reindex run RECIPE --fresh",
        ))
    }

    /// A run of an older version tells its source only together with how it is read.
    async fn compare_by_identity(&self, run: &Run) -> Result<Sameness> {
        let info = self.source.info().await?;
        Ok(match run.identity.get("source") {
            Some(then) if *then == self.source_identity(&info) => Sameness::Same,
            // Its rows are found by key, wherever they are.
            _ if info.key.is_some() || info.passing => Sameness::Unknown,
            _ => Sameness::Changed("an older version of reindex kept only that it is another".to_owned()),
        })
    }
}
