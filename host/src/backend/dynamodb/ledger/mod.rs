//! The ledger in one DynamoDB table, for runs that many workers share.
//!
//! The table has the keys `pk` and `sk`, both strings, and is best on demand. It holds these kinds of items:
//!
//! | `pk` | `sk` | what it is |
//! |---|---|---|
//! | `recipe#<name>` | `head` | the newest run, compared and set by the worker that begins the next |
//! | `recipe#<name>` | `run#<number>` | the id of each run, in the order they were begun |
//! | `run#<id>` | `record` | the run as JSON, with its revision |
//! | `run#<id>` | `line#<number>` | a line of work: cursor, end, counts, lease |
//! | `rows#<id>#<shard>` | `=<position>` | an id that is not done |
//!
//! Every read is consistent and every write has a condition. A batch's line and rows are one transaction, so that a
//! worker that lost the lease writes nothing at all. A lost reply does no harm: the SDK sends the same transaction
//! again under the same token, and other writes have a mark by which their writer recognizes them.
//!
//! A list of ids has a table of its own; see `list.rs`. Tables of records are elsewhere.

mod commit;
mod item;
mod key;
mod lines;
mod list;
mod rows;
mod runs;
mod store;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    backend::{Mode, aws::Session},
    error::Result,
    ledger::{self, Commit, Filter, Group, IdRow, Lease, Progress, Run},
};
pub use list::{Ids, List};
use store::{Shape, Store};

/// `[ledger.dynamodb]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The table.
    #[serde(default = "table")]
    pub table: String,
    /// The AWS region; without it, the one the standard chain finds.
    pub region: Option<String>,
    /// The address of a server other than AWS.
    pub endpoint: Option<String>,
    /// Whether the first command that writes creates the table, on demand, if it does not exist.
    #[serde(default)]
    pub create: bool,
    /// Where lists of ids are kept.
    #[serde(default)]
    pub ids: Ids,
}

fn table() -> String {
    "reindex".to_owned()
}

/// The ledger in a table.
#[derive(Debug)]
pub struct Ledger {
    store: Store,
}

impl Ledger {
    /// Opens a ledger. Makes no request before the first call.
    pub fn open(config: &Config, session: &Session, mode: Mode) -> Self {
        Self { store: Store::open(config, Shape { key: &["pk", "sk"], index: None }, session, mode) }
    }
}

#[async_trait]
impl ledger::Ledger for Ledger {
    fn is_shared(&self) -> bool {
        true
    }

    async fn begin(&self, run: &Run, after: Option<&str>) -> Result<bool> {
        runs::begin(&self.store, run, after).await
    }

    async fn save(&self, run: &mut Run) -> Result<bool> {
        runs::save(&self.store, run).await
    }

    async fn find(&self, run: &str) -> Result<Option<Run>> {
        runs::find(&self.store, run).await
    }

    async fn runs(&self, recipe: &str, limit: usize) -> Result<Vec<Run>> {
        runs::newest(&self.store, recipe, limit).await
    }

    async fn progress(&self, run: &Run) -> Result<Vec<Progress>> {
        lines::progress(&self.store, run).await
    }

    async fn claim(
        &self,
        run: &str,
        line: u32,
        found: Option<&Lease>,
        owner: &str,
        lasting: Duration,
    ) -> Result<Option<Progress>> {
        lines::claim(&self.store, key::line(run, line), found, owner, lasting).await
    }

    async fn hold(&self, run: &str, line: u32, token: u64) -> Result<bool> {
        lines::hold(&self.store, key::line(run, line), token).await
    }

    async fn release(&self, run: &str, line: u32, token: u64) -> Result<bool> {
        lines::release(&self.store, key::line(run, line), token).await
    }

    async fn commit(&self, run: &str, token: u64, commit: &Commit) -> Result<bool> {
        commit::commit(&self.store, run, token, commit).await
    }

    async fn rows(&self, run: &str, filter: &Filter, after: Option<&str>, limit: usize) -> Result<Vec<IdRow>> {
        rows::rows(&self.store, run, filter, after, limit).await
    }

    async fn groups(&self, run: &str, examples: usize) -> Result<Vec<Group>> {
        rows::groups(&self.store, run, examples).await
    }
}
