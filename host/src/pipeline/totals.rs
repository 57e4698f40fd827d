//! The counts of a run so far: those of its lines, and its open records. Pure except for the first read.

use super::settle;
use crate::{
    error::Result,
    ledger::{Counts, Group, Ledger, Progress, Run, State},
};

/// The counts of a run, line by line: only a line's holder writes it, so nothing is counted twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    lines: Vec<Counts>,
    /// How many of the open records are not found, and how many wait; the rest failed.
    not_found: u64,
    waiting: u64,
}

impl Totals {
    /// Starts with the lines; no record is known yet to wait or to be missing.
    pub fn of(lines: Vec<Counts>) -> Self {
        Self { lines, ..Self::default() }
    }

    /// Reads them from the ledger.
    pub async fn read(ledger: &dyn Ledger, run: &Run) -> Result<Self> {
        let lines = ledger.progress(run).await?.into_iter().map(|progress| progress.counts).collect();
        let mut totals = Self::of(lines);
        totals.take_groups(&ledger.groups(&run.id, 0).await?);
        Ok(totals)
    }

    /// The run's counts. They add up at any time, also while other workers are ahead of what is known here.
    pub fn counts(&self) -> Counts {
        let mut total = Counts::default();
        for line in &self.lines {
            total += *line;
        }
        let open = self.open();
        let (not_found, waiting) = (self.not_found.min(open), self.waiting.min(open - self.not_found.min(open)));
        total.not_found += not_found;
        total.waiting += waiting;
        total.failed += open - not_found - waiting;
        total
    }

    /// How many records are read, but neither done nor skipped, nor counted by a line that leaves no rows.
    pub fn open(&self) -> u64 {
        let sum = |count: fn(&Counts) -> u64| self.lines.iter().map(count).sum::<u64>();
        sum(|line| line.read).saturating_sub(sum(|line| line.done + line.skipped + line.not_found + line.failed))
    }

    /// Updates the lines that other workers may have written.
    pub fn take_lines(&mut self, lines: &[Progress], is_own: impl Fn(u32) -> bool) {
        for ((number, own), line) in (0..).zip(&mut self.lines).zip(lines) {
            if !is_own(number) {
                *own = line.counts;
            }
        }
    }

    /// Updates the open records from the rows.
    pub fn take_groups(&mut self, groups: &[Group]) {
        let mut open = Counts::default();
        for group in groups {
            *settle::open_count(group.state, &mut open) += group.count;
        }
        (self.not_found, self.waiting) = (open.not_found, open.waiting);
    }

    /// Adds a commit of this process: a line's counts, the rows it closed, and the rows it opened.
    pub fn take_commit(&mut self, line: u32, counts: Counts, closed: &[State], opened: impl Iterator<Item = State>) {
        if let Some(own) = self.lines.get_mut(line as usize) {
            *own = counts;
        }
        let mut open = Counts { not_found: self.not_found, waiting: self.waiting, ..Counts::default() };
        for state in opened {
            *settle::open_count(state, &mut open) += 1;
        }
        for state in closed {
            let count = settle::open_count(*state, &mut open);
            *count = count.saturating_sub(1);
        }
        (self.not_found, self.waiting) = (open.not_found, open.waiting);
    }
}
