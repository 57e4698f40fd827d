//! Which leases stand still, by this process's monotonic clock alone. Pure: the caller passes the time.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use crate::ledger::{Lease, Progress};

/// The leases of a run, as they were last seen.
#[derive(Debug, Default)]
pub(super) struct LeaseWatch {
    seen: BTreeMap<u32, Sighting>,
}

/// A lease that was seen at least once.
#[derive(Debug)]
struct Sighting {
    lease: Lease,
    /// Since when it has not changed.
    since: Instant,
    /// Until when it had not changed.
    until: Instant,
    /// Whether its owner showed that it is alive since it was first seen.
    moved: bool,
}

impl Sighting {
    fn stands_still(&self) -> bool {
        self.until.duration_since(self.since) >= Duration::from_millis(self.lease.lasting)
    }
}

impl LeaseWatch {
    /// Updates the leases of a run's lines. They were asked for at one time and answered at another: a lease certainly
    /// stood still only from one answer to a later question.
    pub fn see(&mut self, lines: &[Progress], asked: Instant, answered: Instant) {
        for (line, progress) in (0..).zip(lines) {
            match (&progress.lease, self.seen.get_mut(&line)) {
                (None, _) => drop(self.seen.remove(&line)),
                (Some(lease), Some(before)) if before.lease == *lease => before.until = asked,
                (Some(lease), before) => {
                    let moved = before.is_some_and(|before| before.lease.token == lease.token);
                    let sighting = Sighting { lease: lease.clone(), since: answered, until: answered, moved };
                    self.seen.insert(line, sighting);
                }
            }
        }
    }

    /// Whether the owner of this line was silent for longer than its lease allows.
    pub fn stands_still(&self, line: u32) -> bool {
        self.seen.get(&line).is_some_and(Sighting::stands_still)
    }

    /// An owner of one of these lines who showed that it is alive since it was first seen.
    pub fn living(&self, lines: &[u32]) -> Option<&str> {
        let lives = |sighting: &&Sighting| sighting.moved && !sighting.stands_still();
        lines.iter().filter_map(|line| self.seen.get(line)).find(lives).map(|sighting| sighting.lease.owner.as_str())
    }

    /// The owners of all lines that may be alive.
    pub fn owners(&self) -> BTreeSet<&str> {
        let held = self.seen.values().filter(|sighting| !sighting.stands_still());
        held.map(|sighting| sighting.lease.owner.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(owner: &str, token: u64, beat: u64) -> Progress {
        let lease = Lease { owner: owner.into(), token, beat, lasting: 100 };
        Progress { lease: Some(lease), ..Progress::default() }
    }

    fn at(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn a_lease_stands_still_only_after_its_own_time_between_an_answer_and_a_question() {
        let (mut watch, start) = (LeaseWatch::default(), Instant::now());
        watch.see(&[line("a", 1, 7)], start, at(start, 50));
        watch.see(&[line("a", 1, 7)], at(start, 149), at(start, 500));
        assert!(!watch.stands_still(0));
        watch.see(&[line("a", 1, 7)], at(start, 150), at(start, 500));
        assert!(watch.stands_still(0) && watch.owners().is_empty());
        watch.see(&[line("a", 1, 8)], at(start, 600), at(start, 601));
        assert!(!watch.stands_still(0));
        assert_eq!((watch.living(&[0]), watch.living(&[1])), (Some("a"), None));
    }

    #[test]
    fn whoever_was_seen_once_may_live_but_has_not_shown_it() {
        let (mut watch, now) = (LeaseWatch::default(), Instant::now());
        watch.see(&[line("a", 1, 0), line("b", 1, 0), line("a", 4, 0), Progress::default()], now, now);
        assert_eq!(watch.owners(), BTreeSet::from(["a", "b"]));
        assert_eq!(watch.living(&[0, 1, 2, 3]), None);
        watch.see(&[line("c", 2, 0)], now, now);
        assert_eq!(watch.living(&[0]), None, "another owner says nothing of whether that one lives");
    }

    proptest! {
        #[test]
        fn an_owner_that_beats_within_its_time_is_never_seen_standing_still(
            looks in prop::collection::vec((0u64..300, 0u64..300), 1..40),
        ) {
            let (mut watch, start, mut now) = (LeaseWatch::default(), Instant::now(), 0);
            for (pause, delay) in looks {
                let asked = now + pause;
                now = asked + delay;
                // It beats every 50 ms; an answer shows the state of some time after the question.
                watch.see(&[line("a", 1, (asked + delay / 2) / 50)], at(start, asked), at(start, now));
                prop_assert!(!watch.stands_still(0));
            }
        }
    }
}
