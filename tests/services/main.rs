//! Everything that takes a real server, in one binary; `tests/servers` starts them.
//!
//! `cargo test -p reindex --test services` runs it; a plain `cargo test` does not.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test says what failed by failing")]

mod smoke;
