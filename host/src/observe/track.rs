//! The state of a run, collected from its events.

use std::time::Instant;

use super::{
    rate::Rate,
    text::{self, duration, number},
};
use crate::{event::Event, ledger::Counts};

/// The latest value of everything in a progress line.
#[derive(Debug, Clone)]
pub(super) struct Track {
    /// Empty until the run begins.
    pub(super) recipe: String,
    pub(super) total: Option<u64>,
    pub(super) counts: Counts,
    /// What it waits for, until the next progress.
    pub(super) waiting: Option<String>,
    rate: Rate,
}

impl Track {
    pub(super) fn new(now: Instant) -> Self {
        let (recipe, counts) = (String::new(), Counts::default());
        Self { recipe, total: None, counts, waiting: None, rate: Rate::new(0, now) }
    }

    /// Adds an event.
    pub(super) fn hear(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Started { recipe, total, before, .. } => {
                self.recipe.clone_from(recipe);
                (self.total, self.counts, self.waiting) = (*total, *before, None);
                self.rate = Rate::new(before.read, now);
            }
            Event::Progress { counts } | Event::Ended { counts, .. } => {
                self.counts = *counts;
                self.waiting = None;
            }
            Event::Waiting { reason } => self.waiting = Some(text::first_line(reason)),
            _ => {}
        }
    }

    /// Measures the rate; called at a fixed interval, so that the rate is independent of batches.
    pub(super) fn tick(&mut self, now: Instant) {
        self.rate.update(self.counts.read, now);
    }

    /// The total, unless the source has more records than it announced.
    pub(super) fn known_total(&self) -> Option<u64> {
        self.total.filter(|total| *total >= self.counts.read)
    }

    /// How much was read, with the same width at the start and at the end.
    pub(super) fn amount(&self) -> String {
        match self.known_total() {
            Some(total) => {
                let total = number(total);
                format!("{:>width$} / {total}", number(self.counts.read), width = total.len())
            }
            None => format!("{:>9} read", number(self.counts.read)),
        }
    }

    /// What is waited for before a run has begun, such as a build.
    pub(super) fn prelude(&self) -> Option<&str> {
        self.waiting.as_deref().filter(|_| self.recipe.is_empty())
    }

    /// Whether there is nothing to show.
    pub(super) fn is_silent(&self) -> bool {
        self.recipe.is_empty() && self.waiting.is_none()
    }

    /// Rate, time left and failures: each in a fixed place.
    pub(super) fn pace(&self) -> String {
        let left = match (&self.waiting, self.known_total().and_then(|total| self.rate.left(total))) {
            (Some(reason), _) => format!("waiting: {reason}"),
            (None, Some(left)) => format!("{} left", duration(left)),
            (None, None) => String::new(),
        };
        let failed = format!("{} failed", number(self.counts.failed));
        format!("{:>7}/s  {failed}  {left}", text::rate(self.rate.per_second())).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_resumed_run_has_the_rate_of_this_process_and_not_of_what_was_done_before() {
        let now = Instant::now();
        let mut track = Track::new(now);
        let before = Counts { read: 50_000, ..Counts::default() };
        let (recipe, run) = ("persons".to_owned(), "r".to_owned());
        track.hear(&Event::Started { recipe, run, resumed: true, total: Some(100_000), before }, now);
        let counts = Counts { read: 51_000, failed: 3, ..Counts::default() };
        track.hear(&Event::Progress { counts }, now);
        track.tick(now + Duration::from_secs(1));
        assert_eq!(track.amount(), " 51,000 / 100,000");
        assert_eq!(track.pace(), "  1,000/s  3 failed  49s left");
        track.hear(&Event::Waiting { reason: "the index is read-only".into() }, now);
        assert_eq!(track.pace(), "  1,000/s  3 failed  waiting: the index is read-only");
    }

    #[test]
    fn a_total_that_was_passed_is_no_longer_shown() {
        let mut track = Track::new(Instant::now());
        track.total = Some(10);
        track.counts.read = 11;
        assert_eq!(track.amount(), "       11 read");
    }
}
