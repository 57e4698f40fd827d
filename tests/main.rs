//! Every test that is not a unit test, in one binary.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test says what failed by failing")]

mod contract;
