//! Everything that takes a real server, in one binary; `tests/servers` starts them.
//!
//! `cargo test -p reindex --test services` runs it; a plain `cargo test` does not.
#![allow(clippy::unwrap_used, missing_docs, dead_code, reason = "a test says what failed by failing")]

#[path = "../sandbox/build.rs"]
mod build;
mod cluster;
#[path = "../contract/mod.rs"]
mod contract;
mod dynamodb;
mod faults;
#[cfg(feature = "vips")]
mod images;
mod index;
mod ledger;
mod lies;
mod list;
mod loaded;
mod minio;
#[path = "../place.rs"]
mod place;
#[path = "../plugins.rs"]
mod plugins;
mod queue;
mod requests;
mod s3;
mod serve;
#[path = "../serve/service.rs"]
mod service;
mod session;
mod smoke;
mod trouble;

#[path = "../run"]
mod run {
    pub mod consume;
    pub mod dealt;
    pub mod faulty;
    pub mod world;
}

mod sandbox {
    pub(crate) use super::build;
}
