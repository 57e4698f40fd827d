//! Taking the lines of a run, one by one.

use std::time::Duration;

use super::Pipeline;
use crate::{
    error::{Error, Kind, Result},
    ledger::Progress,
};

const LASTING: Duration = Duration::from_secs(60);

impl Pipeline {
    /// Takes a line, from whoever had it.
    pub(super) async fn take(&self, line: u32, found: &Progress) -> Result<Progress> {
        let (run, owner) = (&self.parts.run.id, &self.parts.owner);
        let taken = self.parts.ledger.claim(run, line, found.lease.as_ref(), owner, LASTING).await?;
        taken.ok_or_else(|| lost(line))
    }
}

pub(super) fn lost(line: u32) -> Error {
    Error::new(Kind::Stopped, format!("another process took over part {line} of this run"))
        .hint("let that one finish; `reindex status` shows how far it is")
}
