//! Everything that takes a real server, in one binary; `tests/servers` starts them.
//!
//! `cargo test -p reindex --test services` runs it; a plain `cargo test` does not.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test says what failed by failing")]

#[path = "../contract/bucket.rs"]
mod bucket;
#[path = "../sandbox/build.rs"]
mod build;
#[path = "../contract/export.rs"]
mod export;
#[path = "../place.rs"]
#[allow(dead_code, reason = "what the other binary's tests do in a place is more than is done here")]
mod place;
mod s3;
mod smoke;

mod sandbox {
    pub(crate) use crate::build;
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
