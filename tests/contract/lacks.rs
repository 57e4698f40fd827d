//! What backends lack of what the suites ask: the one place that says so.
//!
//! A case that relies on such a promise asks [`keeps`]. Where a promise can be tried, the case also asserts that a
//! backend which is listed here really lacks it, so that no case is left out that could run.

use std::fmt::Write as _;

/// A promise that not every backend can keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// The settings that an index has before it is loaded can be read.
    LoadSettings,
    /// What was written before a moment can be told from what was written after it.
    Watermark,
    /// The clock of its leases can be set, so that every lease is exact.
    SettableClock,
    /// A message with the id of an earlier one is refused.
    RefusesRepeats,
    /// Messages of one priority come in the order they were sent.
    KeepsOrder,
    /// A message whose lease ran out can no longer be acknowledged.
    TellsLapse,
}

/// Backend, promise, and why it is not kept.
const LACKS: [(&str, Promise, &str); 8] = [
    ("sqlite index", Promise::LoadSettings, "it has none to change for a load"),
    ("sqlite index", Promise::Watermark, "it does not number its writes"),
    ("nats queue", Promise::SettableClock, "the server has its own"),
    ("nats queue", Promise::TellsLapse, "the server accepts a late acknowledgement"),
    ("sqs queue", Promise::SettableClock, "the server has its own"),
    ("sqs queue", Promise::RefusesRepeats, "the ids are ours; a standard queue has no deduplication"),
    ("sqs queue", Promise::KeepsOrder, "a standard queue has none"),
    ("sqs queue", Promise::TellsLapse, "the server accepts a late deletion"),
];

/// Whether a backend keeps a promise; `backend` is its name in the table.
pub fn keeps(backend: &str, promise: Promise) -> bool {
    !LACKS.iter().any(|(name, lacks, _)| (*name, *lacks) == (backend, promise))
}

#[test]
#[allow(clippy::print_stdout, reason = "the table is there to be read")]
fn every_lack_of_a_backend_is_in_this_table() {
    let mut table = String::new();
    for (backend, promise, why) in LACKS {
        writeln!(table, "{backend:<13} {:<15} {why}", format!("{promise:?}")).unwrap();
    }
    // Shown by `cargo test lack -- --nocapture`; a change of it is a change of what we promise.
    println!("{table}");
    insta::assert_snapshot!(table, @r"
    sqlite index  LoadSettings    it has none to change for a load
    sqlite index  Watermark       it does not number its writes
    nats queue    SettableClock   the server has its own
    nats queue    TellsLapse      the server accepts a late acknowledgement
    sqs queue     SettableClock   the server has its own
    sqs queue     RefusesRepeats  the ids are ours; a standard queue has no deduplication
    sqs queue     KeepsOrder      a standard queue has none
    sqs queue     TellsLapse      the server accepts a late deletion
    ");
}
