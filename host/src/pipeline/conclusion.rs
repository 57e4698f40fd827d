//! The result of one batch: the ledger's commits, and the change of the run's open rows. Pure.

use jiff::Timestamp;

use crate::ledger::{Commit, Counts, IdRow, Progress, State, bounded};

use super::{
    mapping::Mapped,
    settle::{self, End},
    source::{Ended, Receipt},
};

/// The result of a batch whose effects were carried out, in parts of the size that a ledger can write at once.
#[derive(Debug)]
pub(super) struct Conclusion {
    /// Whether the line is at its end.
    last: bool,
    /// How many rows a part may change.
    most: usize,
    /// Never empty: a batch without entries may still be the last one.
    parts: Vec<Part>,
}

/// Consecutive entries of a batch.
#[derive(Debug, Default)]
struct Part {
    /// What was read, done, skipped and written; the rows below are counted apart.
    counts: Counts,
    cursor: Option<String>,
    rows: Vec<IdRow>,
    /// The states of the open rows that existed before.
    closed: Vec<State>,
    settled: Vec<String>,
    /// How its entries ended, for their source.
    ends: Vec<Ended>,
}

/// A commit, and the change of the run's open rows beyond the commit's own rows.
#[derive(Debug)]
pub(super) struct Change {
    /// What the ledger writes.
    pub commit: Commit,
    /// The states of rows that it replaces or removes.
    pub closed: Vec<State>,
    /// How its entries ended, for their source, once the ledger has written the commit.
    pub ends: Vec<Ended>,
}

impl Conclusion {
    /// Starts empty; `most` is how many rows one commit may change.
    pub fn new(last: bool, most: usize) -> Self {
        Self { last, most, parts: vec![Part::default()] }
    }

    /// Whether the line is at its end with this batch.
    pub fn is_last(&self) -> bool {
        self.last
    }

    /// Adds how an entry ended, and what was written for it. If an item asks for another attempt on its last one, it
    /// failed.
    pub fn add(&mut self, entry: Mapped, end: End, written: Counts, now: Timestamp, attempts: u32) {
        let part = match self.parts.pop() {
            Some(full) if full.rows.len() + full.settled.len() >= self.most => {
                self.parts.push(full);
                Part::default()
            }
            part => part.unwrap_or_default(),
        };
        self.parts.push(part.with(entry, end, written, now, attempts));
    }

    /// Returns the commits, in order, each with the segment's progress after it.
    pub fn commits(self, segment: u32, progress: &mut Progress) -> Vec<Change> {
        let last = self.parts.len() - 1;
        let mut changes = Vec::with_capacity(self.parts.len());
        for (number, part) in self.parts.into_iter().enumerate() {
            progress.counts += part.counts;
            progress.cursor = part.cursor.or_else(|| progress.cursor.take());
            progress.ended = self.last && number == last;
            let Part { rows, settled, closed, ends, .. } = part;
            let commit = Commit { segment, progress: progress.clone(), rows, settled };
            changes.push(Change { commit, closed, ends });
        }
        changes
    }
}

impl Part {
    fn with(mut self, mut entry: Mapped, end: End, written: Counts, now: Timestamp, attempts: u32) -> Self {
        self.counts += written;
        self.cursor = Some(entry.origin.cursor.clone());
        let receipt = entry.origin.receipt.take();
        if let Some(receipt @ Receipt::Listed(..)) = receipt {
            return self.with_listed(receipt, entry, end, now, attempts);
        }
        match entry.origin.before {
            Some(before) => self.closed.push(before.state),
            None => self.counts.read += 1,
        }
        match end {
            End::Done => {
                self.counts.done += 1;
                self.ends.extend(receipt.map(Ended::done));
            }
            End::Skipped(reason) => {
                self.counts.skipped += 1;
                self.ends.extend(receipt.map(|receipt| Ended::skipped(receipt, reason)));
            }
            End::Open(failure) => {
                let row = settle::row(entry, failure, now, attempts);
                self.ends.extend(receipt.map(|receipt| Ended::open(receipt, &row)));
                self.rows.push(row);
                return self;
            }
        }
        if entry.origin.before.is_some() {
            self.settled.push(entry.origin.position);
        }
        self
    }

    /// Adds an entry of a list: the list keeps its state, so it leaves no row. An id that is tried again is counted
    /// when it ends.
    fn with_listed(mut self, receipt: Receipt, entry: Mapped, end: End, now: Timestamp, attempts: u32) -> Self {
        let ended = match end {
            End::Done => Ended::done(receipt),
            End::Skipped(reason) => Ended::skipped(receipt, bounded(reason)),
            End::Open(failure) => Ended::open(receipt, &settle::row(entry, failure, now, attempts)),
        };
        if ended.state != State::Ready {
            self.counts.read += 1;
            *settle::count(ended.state, &mut self.counts) += 1;
        }
        self.ends.push(ended);
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        pipeline::{
            source::{Before, Origin},
            totals::Totals,
        },
        record::Outcome,
        sandbox::Failure,
    };

    fn entry(position: usize, before: Option<Before>) -> Mapped {
        let text = position.to_string();
        let origin = Origin { cursor: text.clone(), position: text.clone(), before, receipt: None };
        Mapped { origin, id: text, version: None, answer: Ok(Outcome::Effects(vec![])) }
    }

    fn end(which: u8) -> End {
        let open = |state| End::Open(Failure { state, reason: "why".into(), group: "why".into() });
        match which {
            0 => End::Done,
            1 => End::Skipped("why".into()),
            2 => open(State::NotFound),
            3 => open(State::KnownError),
            4 => open(State::TooBig),
            _ => open(State::Ready),
        }
    }

    fn concluded(most: usize, entries: Vec<(Mapped, u8)>) -> Vec<Change> {
        let mut conclusion = Conclusion::new(true, most);
        for (entry, which) in entries {
            let written = Counts { documents: 1, ..Counts::default() };
            conclusion.add(entry, end(which), written, Timestamp::UNIX_EPOCH, 5);
        }
        conclusion.commits(0, &mut Progress::default())
    }

    /// The run's counts after these commits, each of which includes the counts of all before it.
    fn totals(lines: &[&[Change]]) -> Counts {
        let run = vec![Counts::default(); lines.len()];
        let mut totals = Totals::of(run);
        for (line, changes) in (0..).zip(lines) {
            for Change { commit, closed, .. } in *changes {
                let opened = commit.rows.iter().map(|row| row.state);
                totals.take_commit(line, commit.progress.counts, closed, opened);
            }
        }
        totals.counts()
    }

    fn first(which: &[u8]) -> Vec<(Mapped, u8)> {
        which.iter().enumerate().map(|(position, which)| (entry(position, None), *which)).collect()
    }

    fn again(rows: &[IdRow], which: &[u8]) -> Vec<(Mapped, u8)> {
        let before = |row: &IdRow| Some(Before { state: row.state, attempts: row.attempts });
        rows.iter().zip(which).map(|(row, which)| (entry(row.position.parse().unwrap(), before(row)), *which)).collect()
    }

    proptest! {
        #[test]
        fn counts_add_up_after_a_scan_and_after_any_retry(
            scanned in prop::collection::vec(0u8..6, 1..40), retried in prop::collection::vec(0u8..6, 40),
        ) {
            let scan = concluded(usize::MAX, first(&scanned));
            prop_assert_eq!(scan.len(), 1);
            let counts = totals(&[&scan]);
            prop_assert!(counts.add_up());
            prop_assert_eq!(counts.read, scanned.len() as u64);

            let rows = &scan[0].commit.rows;
            let retry = concluded(usize::MAX, again(rows, &retried));
            let counts = totals(&[&scan, &retry]);
            prop_assert!(counts.add_up());
            prop_assert_eq!(counts.read, scanned.len() as u64);
            prop_assert_eq!(retry[0].commit.settled.len() + retry[0].commit.rows.len(), rows.len());
        }

        #[test]
        fn a_batch_written_in_parts_comes_to_the_same_as_one_written_at_once(
            scanned in prop::collection::vec(0u8..6, 0..60), retried in prop::collection::vec(0u8..6, 60), most in 1usize..9,
        ) {
            let (whole, parts) = (concluded(usize::MAX, first(&scanned)), concluded(most, first(&scanned)));
            let (again, again_in_parts) = {
                let entries = || again(&whole[0].commit.rows, &retried);
                (concluded(usize::MAX, entries()), concluded(most, entries()))
            };
            prop_assert_eq!(totals(&[&parts, &again_in_parts]), totals(&[&whole, &again]));
            for (parts, whole) in [(&parts, &whole[0]), (&again_in_parts, &again[0])] {
                prop_assert_eq!(&parts.last().unwrap().commit.progress, &whole.commit.progress);
                let rows: Vec<_> = parts.iter().flat_map(|part| part.commit.rows.clone()).collect();
                let settled: Vec<_> = parts.iter().flat_map(|part| part.commit.settled.clone()).collect();
                prop_assert_eq!((&rows, &settled), (&whole.commit.rows, &whole.commit.settled));
                let (last, before) = parts.split_last().unwrap();
                prop_assert!(last.commit.progress.ended && before.iter().all(|part| !part.commit.progress.ended));
                prop_assert!(parts.iter().all(|part| part.commit.rows.len() + part.commit.settled.len() <= most));
            }
        }
    }

    #[test]
    fn an_item_that_asks_for_more_fails_at_its_last_attempt() {
        let before = Some(Before { state: State::Ready, attempts: 4 });
        let changes = concluded(usize::MAX, vec![(entry(0, before), 5)]);
        assert_eq!(changes[0].commit.rows[0].state, State::UnknownError);
    }
}
