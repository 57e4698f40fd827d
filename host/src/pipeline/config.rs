//! How a run is paced.

use std::time::Duration;

use bytesize::ByteSize;
use jiff::fmt::serde::unsigned_duration::friendly::compact;
use serde::{Deserialize, Serialize};

/// `[run]` of a recipe. Its defaults are in `host/default.toml`. No key here changes a run's identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Plugin calls at a time; 0 means one per core.
    pub workers: u32,
    /// Segments this process works on at a time; 0 means all of them on a local ledger, and a share on a shared one.
    pub segments_at_once: u32,
    /// How long a worker may be silent before others take over its lines.
    #[serde(with = "compact::required")]
    #[schemars(with = "String", regex(pattern = crate::document::TIME))]
    pub lease: Duration,
    /// Records in one batch, at most.
    #[schemars(range(max = 1_000_000))]
    pub batch_records: u32,
    /// Bytes in one batch, at most; a larger record is a batch of its own.
    #[schemars(with = "String", regex(pattern = crate::document::SIZE))]
    pub batch_bytes: ByteSize,
    /// How long the first record of a batch waits for more, at most.
    #[serde(with = "compact::required")]
    #[schemars(with = "String", regex(pattern = crate::document::TIME))]
    pub batch_age: Duration,
    /// How often a write or an item is tried before it counts as failed.
    #[schemars(range(max = 1000))]
    pub attempts: u32,
    /// The share of failed records (0 to 1) at which a run stops …
    pub stop_after_failure_share: f64,
    /// … once at least this many have failed.
    pub stop_after_failures: u64,
    /// What is compared with the index at the end of a run.
    pub verify: Verify,
}

/// What is compared with the index at the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// Nothing; a rebuild, too, checks only the counts.
    None,
    /// Some of the documents that were written; after a rebuild, all.
    Sample,
    /// Every document of the source.
    All,
}
