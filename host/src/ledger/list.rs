//! A list of ids to be worked through: each stands in a state, and moves by compare-and-set.
//!
//! Whoever moves an id says how it was found; of several that found the same, one moves it. An id in progress is in
//! its owner's hands. Clocks are not compared: who finds it unchanged after a while takes it over by the same move,
//! and the former owner's own move then comes too late.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::State;
use crate::error::Result;

/// An id as it stood when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The id.
    pub id: String,
    /// Which state it is in.
    pub state: State,
    /// Why; may be empty.
    pub reason: String,
    /// In whose hands it is, if in anybody's.
    pub owner: Option<String>,
    /// Grows with every move.
    pub token: u64,
}

/// An id on its way into a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The id as it was found.
    pub found: Listed,
    /// Where it goes.
    pub state: State,
    /// Why; may be empty.
    pub reason: String,
    /// In whose hands it is from then on, if in anybody's.
    pub owner: Option<String>,
}

/// What came of ids that were to be added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    /// New ones.
    pub added: u64,
    /// Those that were there, and are ready again.
    pub reset: u64,
    /// Those that were there, and stay as they were.
    pub kept: u64,
}

/// Some ids, in no order that means anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The ids; there may be none though more follow.
    pub ids: Vec<Listed>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

/// Keeps a list of ids.
#[async_trait]
pub trait List: Send + Sync {
    /// Adds ids as ready ones. One that is there already keeps its state, or is ready again with `reset`.
    async fn load(&self, ids: &[String], reset: bool) -> Result<Loaded>;

    /// Reads ids in a state, or all, from where the page before ended. Ids that move meanwhile may be missed or come
    /// twice.
    async fn page(&self, state: Option<State>, from: Option<&str>, limit: usize) -> Result<Page>;

    /// Moves ids, each unless it stands otherwise than it was found; answers for each whether it moved.
    async fn shift(&self, moves: &[Move]) -> Result<Vec<bool>>;

    /// How many ids are in each state.
    async fn counts(&self) -> Result<BTreeMap<State, u64>>;
}
