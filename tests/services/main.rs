//! What the real servers' backends promise, in a binary of its own: it starts what it needs by the crate `servers`.
#![allow(clippy::unwrap_used, missing_docs, dead_code, reason = "a test says what failed by failing")]

#[path = "../contract/mod.rs"]
mod contract;
mod ledger;
mod list;
mod session;
