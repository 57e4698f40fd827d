//! What one batch comes to: the ledger's commit, and the change of the run's counts. Pure.

use jiff::Timestamp;

use crate::ledger::{Commit, Counts, IdRow, Progress, State};

use super::{
    mapping::Mapped,
    settle::{self, End},
};

/// What became of a batch whose effects were carried out.
#[derive(Debug, Default)]
pub(super) struct Conclusion {
    /// What was read, done, skipped and written; the rows below are counted apart.
    counts: Counts,
    /// Whether the feed is at its end.
    last: bool,
    cursor: Option<String>,
    rows: Vec<IdRow>,
    /// The open rows that were there before, by state.
    closed: Vec<State>,
    settled: Vec<String>,
    /// What ends the batch's messages in their queue.
    pub receipts: Vec<String>,
}

impl Conclusion {
    /// Begins with what the sinks counted.
    pub fn new(counts: Counts, last: bool) -> Self {
        Self { counts, last, ..Self::default() }
    }

    /// Takes up how an entry ended. The last attempt of an item that asks for more is its failure.
    pub fn add(&mut self, mut entry: Mapped, end: End, now: Timestamp, attempts: u32) {
        self.cursor = Some(entry.cursor.clone());
        self.receipts.extend(entry.receipt.take());
        match entry.before {
            Some(before) => self.closed.push(before.state),
            None => self.counts.read += 1,
        }
        match end {
            End::Done => self.counts.done += 1,
            End::Skipped => self.counts.skipped += 1,
            End::Open(failure) => return self.rows.push(settle::row(entry, failure, now, attempts)),
        }
        if entry.before.is_some() {
            self.settled.push(entry.position);
        }
    }

    /// The commit, with the segment's new progress.
    pub fn commit(&self, segment: u32, progress: &mut Progress) -> Commit {
        progress.counts += self.counts;
        progress.cursor = self.cursor.clone().or_else(|| progress.cursor.take());
        progress.ended = self.last;
        Commit { segment, progress: progress.clone(), rows: self.rows.clone(), settled: self.settled.clone() }
    }

    /// Adds this batch to the run's counts.
    pub fn change(&self, total: &mut Counts) {
        *total += self.counts;
        for state in &self.closed {
            *settle::open_count(*state, total) -= 1;
        }
        for row in &self.rows {
            *settle::open_count(row.state, total) += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{pipeline::feed::Before, record::Outcome, sandbox::Failure};

    fn entry(position: usize, before: Option<Before>) -> Mapped {
        let text = position.to_string();
        Mapped {
            cursor: text.clone(),
            position: text.clone(),
            id: text,
            version: None,
            before,
            receipt: None,
            answer: Ok(Outcome::Effects(vec![])),
        }
    }

    fn end(which: u8) -> End {
        let open = |state| End::Open(Failure { state, reason: "why".into(), group: "why".into() });
        match which {
            0 => End::Done,
            1 => End::Skipped,
            2 => open(State::NotFound),
            3 => open(State::KnownError),
            4 => open(State::TooBig),
            _ => open(State::Ready),
        }
    }

    proptest! {
        #[test]
        fn counts_add_up_after_a_scan_and_after_any_retry(first in prop::collection::vec(0u8..6, 1..40), second in prop::collection::vec(0u8..6, 40)) {
            let mut total = Counts::default();
            let mut scan = Conclusion::default();
            for (position, which) in first.iter().enumerate() {
                scan.add(entry(position, None), end(*which), Timestamp::UNIX_EPOCH, 5);
            }
            scan.change(&mut total);
            prop_assert!(total.add_up());
            prop_assert_eq!(total.read, first.len() as u64);

            let mut retry = Conclusion::default();
            for (row, which) in scan.rows.iter().zip(&second) {
                let before = Before { state: row.state, attempts: row.attempts };
                retry.add(entry(row.position.parse().unwrap(), Some(before)), end(*which), Timestamp::UNIX_EPOCH, 5);
            }
            retry.change(&mut total);
            prop_assert!(total.add_up());
            prop_assert_eq!(total.read, first.len() as u64);
            prop_assert_eq!(retry.settled.len() + retry.rows.len(), scan.rows.len());
        }
    }

    #[test]
    fn an_item_that_asks_for_more_fails_at_its_last_attempt() {
        let mut conclusion = Conclusion::default();
        let before = Some(Before { state: State::Ready, attempts: 4 });
        conclusion.add(entry(0, before), end(5), Timestamp::UNIX_EPOCH, 5);
        assert_eq!(conclusion.rows[0].state, State::UnknownError);
    }
}
