//! What happened to each id, and how far the run is.
//!
//! A scan has one row per segment (checkpoint and counts) and a row per id only for ids that are not done. A
//! checkpoint may pass an id once that row is written, so both are written together. Promises only: the
//! ledgers themselves are `backend/<service>/ledger.rs`.

mod counts;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use counts::Counts;
pub use state::State;

use crate::error::Result;

/// What sort of run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The whole source into the index the alias names.
    Full,
    /// The whole source into a new index, then the alias is swapped.
    Rebuild,
    /// A list of ids. Moves no checkpoint of a full run and never prunes.
    Ids,
    /// The first records only. Moves no checkpoint of a full run and never prunes.
    Limit,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Segments are being worked through.
    Running,
    /// Every segment is at its end; the closing steps are being done and marked.
    Finishing,
    /// Everything is done.
    Finished,
    /// Given up for a fresh one.
    Abandoned,
}

/// One run of one recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Names the run; sorts by time.
    pub id: String,
    /// The recipe it belongs to.
    pub recipe: String,
    /// What sort of run it is.
    pub scope: Scope,
    /// How far it is.
    pub phase: Phase,
    /// What makes it this run and no other, by name (`plugin`, `source`, …), each as a digest or a short text.
    pub identity: BTreeMap<String, String>,
    /// How many segments the source was cut into.
    pub segments: u32,
    /// The concrete index each alias stands for during this run.
    pub targets: BTreeMap<String, String>,
    /// The concrete index each alias named before a rebuild took it over.
    #[serde(default)]
    pub replaced: BTreeMap<String, String>,
    /// The steps that are done (`made`, `swapped persons`, …), so that none is done twice.
    pub marks: BTreeSet<String>,
    /// How many records there are, if the source knew at the start.
    pub total: Option<u64>,
    /// When it began.
    pub started: Timestamp,
    /// When it finished.
    pub ended: Option<Timestamp>,
}

/// How far one segment is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Everything up to and including this cursor is acknowledged.
    pub cursor: Option<String>,
    /// Whether the segment is at its end.
    pub ended: bool,
    /// What happened in this segment so far.
    pub counts: Counts,
}

/// An id that is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdRow {
    /// Finds the record again in the source; the row's key within its run.
    pub position: String,
    /// The id, or the position where the record has none.
    pub id: String,
    /// Which state it is in.
    pub state: State,
    /// Why, in full: may hold several lines, such as a plugin's backtrace.
    pub reason: String,
    /// Why, without what differs from id to id, so that equal failures group.
    pub group: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The item's version, if it was read.
    pub version: Option<u64>,
    /// When it was last tried.
    pub at: Timestamp,
}

/// What one batch changes: written whole or not at all.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Which segment; [`Run::segments`] itself stands for retries.
    pub segment: u32,
    /// The segment's new state, absolute.
    pub progress: Progress,
    /// Rows to write, each in place of any with its position.
    pub rows: Vec<IdRow>,
    /// Positions whose rows are to go, since they are done now.
    pub settled: Vec<String>,
}

/// Which rows to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these states; empty means every one.
    pub states: Vec<State>,
    /// Only this group.
    pub group: Option<String>,
}

/// Rows that failed for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The state they are in.
    pub state: State,
    /// Their common reason.
    pub group: String,
    /// How many there are.
    pub count: u64,
    /// Some of their ids.
    pub examples: Vec<String>,
}

/// Keeps runs, their segments, and the ids that are not done.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Writes a new run, or the whole record of one again.
    async fn save(&self, run: &Run) -> Result<()>;

    /// The runs of a recipe, newest first, at most `limit`.
    async fn runs(&self, recipe: &str, limit: usize) -> Result<Vec<Run>>;

    /// How far each segment of a run is, by number; the last one, beyond the segments, counts retries.
    async fn progress(&self, run: &Run) -> Result<Vec<Progress>>;

    /// Writes what a batch changed, in one transaction.
    async fn commit(&self, run: &str, commit: &Commit) -> Result<()>;

    /// Reads rows sorted by position, after a position, at most `limit`.
    async fn rows(&self, run: &str, filter: &Filter, after: Option<&str>, limit: usize) -> Result<Vec<IdRow>>;

    /// Groups the rows by state and reason, the largest group first, with at most `examples` ids each.
    async fn groups(&self, run: &str, examples: usize) -> Result<Vec<Group>>;
}
