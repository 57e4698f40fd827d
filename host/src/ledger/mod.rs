//! What happened to each id, and how far the run is.
//!
//! A scan has one row per segment (checkpoint and counts) and a row per id only for ids that are not done. A
//! checkpoint may pass an id once that row is written, so both are written together. Promises only: the
//! ledgers themselves are `backend/<service>/ledger.rs`.

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
    /// The recipe's list of ids, which says itself what is done. Moves no checkpoint of a full run and never prunes.
    Loaded,
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
    /// Where the recipe is, told from a place that all its workers share; none if it is not told, as by older versions.
    #[serde(default)]
    pub place: Option<String>,
    /// The fingerprint of the source when the run began; none if it is not told, as by older versions.
    #[serde(default)]
    pub source: Option<String>,
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
    /// The aliases whose concrete index this run makes itself.
    #[serde(default)]
    pub made: BTreeSet<String>,
    /// The settings of an index it makes as they are to be after the load, by alias.
    #[serde(default)]
    pub load_settings: BTreeMap<String, String>,
    /// Whether its items are single changes, each settled in the index that its alias names by then.
    #[serde(default)]
    pub follows: bool,
    /// The identity of the concrete index behind each alias, which tells it from a later one of the same name.
    #[serde(default)]
    pub identities: BTreeMap<String, String>,
    /// The highest write each index it goes on filling had seen before it began, where the engine counts them.
    #[serde(default)]
    pub watermarks: BTreeMap<String, u64>,
    /// The numbers of a finished run, so that every worker says the same.
    #[serde(default)]
    pub counts: Option<Counts>,
    /// How often the record was written; tells whether somebody else wrote it in between.
    #[serde(default)]
    pub revision: u64,
}

impl Run {
    /// The line of work that counts retries, beyond the segments.
    pub fn retries(&self) -> u32 {
        self.segments
    }

    /// The line of work whose lease allows to do the opening and closing steps.
    pub fn steps(&self) -> u32 {
        self.segments + 1
    }
}

/// The right to work on one line of a run, until it is given back or taken over.
///
/// Clocks of several machines are never compared: whoever wants the lease of somebody who may be dead looks at it
/// twice, `lasting` apart by the own clock, and takes it over if `beat` stood still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who holds it.
    pub owner: String,
    /// Grows whenever the line changes hands; a writer with an older one is refused.
    pub token: u64,
    /// Grows whenever the owner shows that it lives: by a commit, or by [`Ledger::hold`].
    pub beat: u64,
    /// How long the owner may be silent before others may take over, in milliseconds.
    pub lasting: u64,
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
    /// Who works on it; none while nobody does. Moved by [`Ledger::claim`] and its like, never by a commit.
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

/// How many rows one [`Commit`] may write and settle, taken together: some ledgers write only so much at once.
pub const MAX_ROWS: usize = 90;

/// What one batch changes, or a part of a large one: written whole or not at all.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Which line of work: a segment, or [`Run::retries`].
    pub segment: u32,
    /// The line's new state, absolute; its lease is not looked at.
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
    /// Only rows whose group or full reason holds this text.
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
    /// Whether other machines reach it, too, so that several workers may share a run.
    fn is_shared(&self) -> bool;

    /// Writes a new run, if `after` is still the newest of its recipe (of any scope). False if another was begun.
    async fn begin(&self, run: &Run, after: Option<&str>) -> Result<bool>;

    /// Writes the record of a run again, and raises its revision. False, and nothing changed, if somebody else wrote
    /// it since it was read.
    async fn save(&self, run: &mut Run) -> Result<bool>;

    /// The run of this id.
    async fn find(&self, run: &str) -> Result<Option<Run>>;

    /// The runs of a recipe in the order they were begun, the last one first, at most `limit`. No clock has a say in it.
    async fn runs(&self, recipe: &str, limit: usize) -> Result<Vec<Run>>;

    /// How far each line of a run is, by number: its segments, its retries, its steps.
    async fn progress(&self, run: &Run) -> Result<Vec<Progress>>;

    /// Takes a line whose lease is still as it was `found`: free, or with this token and beat. Answers the line as it
    /// is then, under the new lease, or none if somebody else was faster or the owner showed that it lives.
    async fn claim(
        &self,
        run: &str,
        line: u32,
        found: Option<&Lease>,
        owner: &str,
        lasting: Duration,
    ) -> Result<Option<Progress>>;

    /// Shows that the owner lives. False if the lease was taken over.
    async fn hold(&self, run: &str, line: u32, token: u64) -> Result<bool>;

    /// Gives a line back. False if the lease was taken over before.
    async fn release(&self, run: &str, line: u32, token: u64) -> Result<bool>;

    /// Writes what a batch changed, whole or not at all, and shows that the owner lives. False, and nothing changed,
    /// if the lease was taken over.
    async fn commit(&self, run: &str, token: u64, commit: &Commit) -> Result<bool>;

    /// Reads rows sorted by position, after a position, at most `limit`. Fewer say nothing; none means that no more
    /// follow.
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
