//! What happened to each id, and the progress of the run.
//!
//! A scan has one row per segment (checkpoint and counts) and a row per id only for ids that are not done. A checkpoint
//! may pass an id once that row is written, so both are written together. This module has only the traits: the ledgers
//! themselves are `backend/<service>/ledger.rs`.

mod counts;
pub mod list;
mod state;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use counts::Counts;
pub use state::State;

use crate::error::Result;

/// The kind of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The whole source into the index the alias names.
    Full,
    /// The whole source into a new index, then the alias is swapped.
    Rebuild,
    /// A list of ids. Moves no checkpoint of a full run and never prunes.
    Ids,
    /// The recipe's list of ids, which itself records what is done. Moves no checkpoint of a full run and never prunes.
    Loaded,
    /// The first records only. Moves no checkpoint of a full run and never prunes.
    Limit,
}

/// The phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Segments are being worked through.
    Running,
    /// Every segment is at its end; the closing steps are done and marked one by one.
    Finishing,
    /// Everything is done.
    Finished,
    /// Given up in favour of a new run.
    Abandoned,
}

/// One run of one recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Names the run; sorts by time.
    pub id: String,
    /// The recipe it belongs to.
    pub recipe: String,
    /// The kind of run.
    pub scope: Scope,
    /// The phase it is in.
    pub phase: Phase,
    /// Where the recipe is, relative to a place that all its workers share; none in a record of an older version.
    #[serde(default)]
    pub place: Option<String>,
    /// The fingerprint of the source when the run began; none in a record of an older version.
    #[serde(default)]
    pub source: Option<String>,
    /// What identifies this run, by name (`plugin`, `source`, …), each as a digest or a short text.
    pub identity: BTreeMap<String, String>,
    /// How many segments the source was cut into.
    pub segments: u32,
    /// The concrete index behind each alias during this run.
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
    /// The aliases whose concrete index this run creates.
    #[serde(default)]
    pub made: BTreeSet<String>,
    /// The settings that an index created by this run gets after the load, by alias.
    #[serde(default)]
    pub load_settings: BTreeMap<String, String>,
    /// Whether its items are single changes, each written to the index that its alias names at that time.
    #[serde(default)]
    pub follows: bool,
    /// The identity of the concrete index behind each alias, which distinguishes it from a later one of the same name.
    #[serde(default)]
    pub identities: BTreeMap<String, String>,
    /// The highest write of each index that it continues to fill from before it began, if the engine numbers writes.
    #[serde(default)]
    pub watermarks: BTreeMap<String, u64>,
    /// The counts of a finished run, so that every worker reports the same.
    #[serde(default)]
    pub counts: Option<Counts>,
    /// How often the record was written; shows whether another process wrote it in between.
    #[serde(default)]
    pub revision: u64,
}

impl Run {
    /// The line of work that counts retries, beyond the segments.
    pub fn retries(&self) -> u32 {
        self.segments
    }

    /// The line of work whose lease allows the opening and closing steps.
    pub fn steps(&self) -> u32 {
        self.segments + 1
    }
}

/// The right to work on one line of a run, until it is released or taken over.
///
/// Clocks of several machines are never compared: a worker that wants a lease whose owner may be dead reads it twice,
/// `lasting` apart by its own clock, and takes it over if `beat` did not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The holder.
    pub owner: String,
    /// Grows whenever the line gets a new holder; a writer with an older one is refused.
    pub token: u64,
    /// Grows whenever the owner shows that it is alive: by a commit, or by [`Ledger::hold`].
    pub beat: u64,
    /// How long the owner may be silent before others may take over, in milliseconds.
    pub lasting: u64,
}

/// The progress of one segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Everything up to and including this cursor is acknowledged.
    pub cursor: Option<String>,
    /// Whether the segment is at its end.
    pub ended: bool,
    /// What happened in this segment so far.
    pub counts: Counts,
    /// Its lease; none while no worker holds it. Changed by [`Ledger::claim`], `hold` and `release`, never by a commit.
    pub lease: Option<Lease>,
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
    /// Why, in full: may have several lines, such as a plugin's backtrace.
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

/// How long a reason may be, in bytes; a longer one is [cut](bounded). The rows of a whole batch have to fit into one
/// transaction of any ledger.
pub const MAX_REASON: usize = 32 * 1024;

/// Cuts a reason at [`MAX_REASON`], and says how long it was.
pub fn bounded(reason: String) -> String {
    if reason.len() <= MAX_REASON {
        return reason;
    }
    let told = format!("\n… {} bytes in all", reason.len());
    let kept = reason.floor_char_boundary(MAX_REASON - told.len());
    format!("{}{told}", &reason[..kept])
}

/// How many rows one [`Commit`] may write and settle in total: some ledgers limit the size of a transaction.
pub const MAX_ROWS: usize = 90;

/// What one batch changes, or a part of a large one: written whole or not at all.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Which line of work: a segment, or [`Run::retries`].
    pub segment: u32,
    /// The line's new state, absolute; its lease is ignored.
    pub progress: Progress,
    /// Rows to write; each replaces a row of the same position.
    pub rows: Vec<IdRow>,
    /// Positions whose rows are removed, since their items are done.
    pub settled: Vec<String>,
}

/// Which rows to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these states; empty means every one.
    pub states: Vec<State>,
    /// Only rows whose group or full reason contains this text.
    pub reason: Option<String>,
    /// Only rows of this id.
    pub id: Option<String>,
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
///
/// A line of work is a segment, or one of [`Run::retries`] and [`Run::steps`].
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Whether other machines can reach it, so that several workers may share a run.
    fn is_shared(&self) -> bool;

    /// Writes a new run, if `after` is still the newest of its recipe (of any scope). False if another run was begun.
    async fn begin(&self, run: &Run, after: Option<&str>) -> Result<bool>;

    /// Writes the record of a run again, and raises its revision. False, and nothing changed, if another process wrote
    /// it since it was read.
    async fn save(&self, run: &mut Run) -> Result<bool>;

    /// The run of this id.
    async fn find(&self, run: &str) -> Result<Option<Run>>;

    /// The runs of a recipe in the order they were begun, the last one first, at most `limit`. The order uses no clock.
    async fn runs(&self, recipe: &str, limit: usize) -> Result<Vec<Run>>;

    /// The progress of each line of a run, by number: its segments, its retries, its steps.
    async fn progress(&self, run: &Run) -> Result<Vec<Progress>>;

    /// Takes a line whose lease is still as it was `found`: free, or with this token and beat. Returns the line under
    /// the new lease, or none if another worker was faster or the owner showed that it is alive.
    async fn claim(
        &self,
        run: &str,
        line: u32,
        found: Option<&Lease>,
        owner: &str,
        lasting: Duration,
    ) -> Result<Option<Progress>>;

    /// Shows that the owner is alive. False if the lease was taken over.
    async fn hold(&self, run: &str, line: u32, token: u64) -> Result<bool>;

    /// Releases a line. False if the lease was taken over before.
    async fn release(&self, run: &str, line: u32, token: u64) -> Result<bool>;

    /// Writes what a batch changed, whole or not at all, and shows that the owner is alive. False, and nothing changed,
    /// if the lease was taken over.
    async fn commit(&self, run: &str, token: u64, commit: &Commit) -> Result<bool>;

    /// Reads rows sorted by position, after a position, at most `limit`. Fewer rows do not mean the end; only an empty
    /// answer does.
    async fn rows(&self, run: &str, filter: &Filter, after: Option<&str>, limit: usize) -> Result<Vec<IdRow>>;

    /// Groups the rows by state and reason, the largest group first, with at most `examples` ids each.
    async fn groups(&self, run: &str, examples: usize) -> Result<Vec<Group>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_once_between_characters_and_says_how_long_it_was() {
        let kept = bounded(format!("a{}", "€".repeat(MAX_REASON)));
        assert!(kept.len() <= MAX_REASON && kept.starts_with("a€€") && kept.ends_with("€\n… 98305 bytes in all"));
        assert_eq!(bounded(kept.clone()), kept);
        assert_eq!(bounded("short".to_owned()), "short");
    }
}
