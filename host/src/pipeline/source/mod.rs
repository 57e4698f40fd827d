//! Where records come from. Each source is a file here; a run reads its lines through one trait, whichever source it
//! is.

mod entry;
mod follow;
mod ids;
mod list;
mod messages;
mod queue;
mod rows;
mod scan;

use std::sync::Arc;

use async_trait::async_trait;

pub(super) use entry::{Before, Ended, Entry, Origin, Receipt};
pub use follow::Follow;
pub(super) use follow::Followed;
pub(super) use ids::{Chosen, Ids};
pub use list::Handed;
pub(super) use list::Loaded;
pub use messages::{Consuming, Messages};
pub(super) use queue::Consumers;
pub(super) use rows::Rows;
pub(super) use scan::{Scanned, Segments};

use super::lease::Held;
use crate::error::Result;

/// A source of records: as many lines of work as the run has segments.
pub(super) trait Source: Send + Sync {
    /// Opens a line under the lease that is held on it.
    fn open(&self, line: u32, held: &Arc<Held>) -> Arc<dyn Line>;
}

/// A line of work: entries that can be resumed after any of them.
#[async_trait]
pub(super) trait Line: Send + Sync {
    /// Reads at most `limit` entries after a cursor. Returns also where to resume; none at the end of the line.
    async fn read(&self, after: Option<&str>, limit: usize) -> Result<(Vec<Entry>, Option<String>)>;

    /// Ends entries in their source, once the ledger has their result.
    async fn settle(&self, _ends: &[Ended]) -> Result<()> {
        Ok(())
    }

    /// Gives back what was read and not settled. If that fails, it is free again when its lease ends.
    async fn close(&self) {}
}
