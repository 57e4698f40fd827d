//! The contract suites on real servers, and what only those can suffer.
#![allow(clippy::unwrap_used, missing_docs, dead_code, reason = "a test says what failed by failing")]

#[path = "../sandbox/build.rs"]
mod build;
#[path = "../contract/mod.rs"]
mod contract;
mod dynamodb;
#[path = "../place.rs"]
mod place;
#[path = "../plugins.rs"]
mod plugins;

mod sandbox {
    pub(crate) use super::build;
}
