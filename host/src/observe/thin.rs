//! Lets a few lines of a kind pass in each period and counts the rest.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// The length of a period.
const STRETCH: Duration = Duration::from_secs(10);
/// How many lines of a kind pass in one period.
const LINES: u32 = 5;

/// Keeps a plugin's many log lines, or a thousand equal failures, from filling a screen.
#[derive(Debug, Default)]
pub(super) struct Thin(BTreeMap<String, Stretch>);

#[derive(Debug)]
struct Stretch {
    began: Instant,
    passed: u32,
    left_out: u64,
}

impl Thin {
    /// Whether a line of this kind may be shown now.
    pub(super) fn pass(&mut self, kind: &str, now: Instant) -> bool {
        if !self.0.contains_key(kind) {
            self.0.insert(kind.to_owned(), Stretch { began: now, passed: 0, left_out: 0 });
        }
        let Some(stretch) = self.0.get_mut(kind) else { return true };
        if stretch.passed < LINES {
            stretch.passed += 1;
            true
        } else {
            stretch.left_out += 1;
            false
        }
    }

    /// The kinds whose period is over, each with how many lines were left out.
    pub(super) fn over(&mut self, now: Instant) -> Vec<(String, u64)> {
        self.take(|stretch| now.saturating_duration_since(stretch.began) >= STRETCH)
    }

    /// Every kind that left lines out, at the end of the run.
    pub(super) fn rest(&mut self) -> Vec<(String, u64)> {
        self.take(|_| true)
    }

    fn take(&mut self, over: impl Fn(&Stretch) -> bool) -> Vec<(String, u64)> {
        let left_out = |(kind, stretch): (String, Stretch)| (kind, stretch.left_out);
        let ended = self.0.extract_if(.., |_, stretch| over(stretch)).map(left_out);
        ended.filter(|(_, left_out)| *left_out > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_pass_the_rest_are_counted_and_a_new_stretch_begins() {
        let (mut thin, now) = (Thin::default(), Instant::now());
        let passed = (0..20).filter(|_| thin.pass("persons", now)).count();
        assert_eq!(passed as u32, LINES);
        assert!(thin.pass("tenures", now), "another kind is not held back");
        assert_eq!(thin.over(now), []);
        assert_eq!(thin.over(now + STRETCH), [("persons".to_owned(), 20 - u64::from(LINES))]);
        assert!(thin.pass("persons", now + STRETCH));
        assert_eq!(thin.rest(), []);
    }
}
