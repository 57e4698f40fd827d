//! Cuts a stream of entries into batches by count, bytes and age. Pure: the caller passes the time.

use std::time::Duration;

use tokio::time::Instant;

use super::source::Entry;

/// Entries that go through the plugin and to the sinks together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// In the order of their segment; empty in the last batch of a segment that ended on a full one.
    pub entries: Vec<Entry>,
    /// Whether the segment is at its end after this batch.
    pub last: bool,
}

/// Gathers entries until a limit is reached.
#[derive(Debug)]
pub(super) struct Cutter {
    records: usize,
    bytes: usize,
    age: Duration,
    entries: Vec<Entry>,
    held: usize,
    since: Option<Instant>,
}

impl Cutter {
    pub fn new(records: usize, bytes: usize, age: Duration) -> Self {
        Self { records: records.max(1), bytes, age, entries: Vec::new(), held: 0, since: None }
    }

    /// Adds an entry; returns the batch that is full with it, or that it no longer fits into.
    pub fn push(&mut self, entry: Entry, now: Instant) -> Option<Batch> {
        let size = entry.size();
        let full = if !self.entries.is_empty() && self.held + size > self.bytes { self.cut() } else { None };
        self.since.get_or_insert(now);
        self.held += size;
        self.entries.push(entry);
        if full.is_none() && (self.entries.len() >= self.records || self.held >= self.bytes) {
            return self.cut();
        }
        full
    }

    /// When the open batch has to be sent.
    pub fn deadline(&self) -> Option<Instant> {
        self.since.map(|since| since + self.age)
    }

    /// Ends the open batch; none if it is empty.
    pub fn cut(&mut self) -> Option<Batch> {
        self.since = None;
        self.held = 0;
        let entries = std::mem::take(&mut self.entries);
        (!entries.is_empty()).then_some(Batch { entries, last: false })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pipeline::source::Origin;

    fn entry(number: usize, size: usize) -> Entry {
        let origin = Origin { cursor: number.to_string(), ..Origin::default() };
        Entry { origin, body: Some(vec![b'x'; size]), ..Entry::default() }
    }

    proptest! {
        #[test]
        fn batches_keep_every_entry_in_order_and_within_the_limits(
            sizes in prop::collection::vec(0usize..50, 0..200), records in 1usize..20, bytes in 1usize..100,
        ) {
            let mut cutter = Cutter::new(records, bytes, Duration::from_secs(1));
            let mut batches = Vec::new();
            for (number, size) in sizes.iter().enumerate() {
                batches.extend(cutter.push(entry(number, *size), Instant::now()));
            }
            // A batch that was cut before the last entry leaves that entry in the next batch, even if it is large.
            batches.extend(cutter.cut());
            for batch in &batches {
                let held: usize = batch.entries.iter().map(Entry::size).sum();
                prop_assert!(!batch.entries.is_empty() && batch.entries.len() <= records);
                prop_assert!(held <= bytes || batch.entries.len() == 1);
            }
            let order: Vec<_> = batches.iter().flat_map(|batch| &batch.entries).map(|entry| entry.origin.cursor.clone()).collect();
            prop_assert_eq!(order, (0..sizes.len()).map(|n| n.to_string()).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn a_batch_is_due_when_its_first_entry_is_old_enough() {
        let mut cutter = Cutter::new(10, 1000, Duration::from_secs(3));
        assert_eq!(cutter.deadline(), None);
        let start = Instant::now();
        cutter.push(entry(0, 1), start);
        cutter.push(entry(1, 1), start + Duration::from_secs(2));
        assert_eq!(cutter.deadline(), Some(start + Duration::from_secs(3)));
        assert_eq!(cutter.cut().map(|batch| batch.entries.len()), Some(2));
        assert_eq!(cutter.deadline(), None);
    }
}
