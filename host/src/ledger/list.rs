//! A list of ids to work through: each has a state, and moves by compare-and-set.
//!
//! A move states how the id was found; of several callers that found the same, one moves it. An id in progress has an
//! owner. Clocks are not compared: a worker that finds the id unchanged after a while takes it over by the same move,
//! and the former owner's own move then fails.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::State;
use crate::error::Result;

/// An id as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The id.
    pub id: String,
    /// Which state it is in.
    pub state: State,
    /// Why; may be empty.
    pub reason: String,
    /// Its owner, if it has one.
    pub owner: Option<String>,
    /// Grows with every move.
    pub token: u64,
}

/// A move of an id to a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The id as it was found.
    pub found: Listed,
    /// Its new state.
    pub state: State,
    /// Why; may be empty.
    pub reason: String,
    /// Its owner after the move, if it has one.
    pub owner: Option<String>,
}

/// The result of adding ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Ids that were new.
    pub added: u64,
    /// Ids that existed, and are ready again.
    pub reset: u64,
    /// Ids that existed, and keep their state.
    pub kept: u64,
}

/// Some ids, in no particular order.
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
    /// Adds ids in the state ready. An existing id keeps its state, or becomes ready with `reset`.
    async fn load(&self, ids: &[String], reset: bool) -> Result<Loaded>;

    /// Reads ids in a state, or all, from where the page before ended. An id that moves meanwhile may be missed or
    /// returned twice.
    async fn page(&self, state: Option<State>, from: Option<&str>, limit: usize) -> Result<Page>;

    /// Moves ids, each unless it changed since it was found; returns for each whether it moved.
    async fn shift(&self, moves: &[Move]) -> Result<Vec<bool>>;

    /// How many ids are in each state.
    async fn counts(&self) -> Result<BTreeMap<State, u64>>;
}
