//! What one call of a plugin may use.

use std::time::Duration;

use bytesize::ByteSize;
use jiff::fmt::serde::unsigned_duration::friendly::compact;
use serde::{Deserialize, Serialize};

/// `[limits]` of a recipe. Every limit is on; the defaults are in `host/default.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// CPU time of one call, independent of the size of its batch.
    #[serde(with = "compact::required")]
    #[schemars(with = "String", regex(pattern = crate::document::TIME))]
    pub cpu: Duration,
    /// CPU time in addition, for each record of the batch.
    #[serde(with = "compact::required")]
    #[schemars(with = "String", regex(pattern = crate::document::TIME))]
    pub cpu_per_record: Duration,
    /// Wall time of one call, reads through capabilities included.
    #[serde(with = "compact::required")]
    #[schemars(with = "String", regex(pattern = crate::document::TIME))]
    pub wall: Duration,
    /// Memory of one plugin instance.
    #[schemars(with = "String", regex(pattern = crate::document::SIZE))]
    pub memory: ByteSize,
    /// Memory the host holds for one call: remembered reads, handles.
    #[schemars(with = "String", regex(pattern = crate::document::SIZE))]
    pub host_memory: ByteSize,
    /// Everything one call returns.
    #[schemars(with = "String", regex(pattern = crate::document::SIZE))]
    pub output: ByteSize,
    /// One item passed to a plugin.
    #[schemars(with = "String", regex(pattern = crate::document::SIZE))]
    pub item: ByteSize,
    /// After this many poison records in a row the plugin counts as broken.
    pub poison_in_a_row: u32,
}

impl Limits {
    /// Returns the CPU time of a call with this many records.
    pub fn cpu_for(&self, records: usize) -> Duration {
        let share = self.cpu_per_record.saturating_mul(u32::try_from(records).unwrap_or(u32::MAX));
        self.cpu.saturating_add(share)
    }
}
