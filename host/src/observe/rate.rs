//! How fast a run works, smoothed, and how long it will take.

use std::time::{Duration, Instant};

/// The time constant of the rate: a pause is forgotten after a few times this.
const MEMORY: Duration = Duration::from_secs(8);

/// A smoothed rate of a count.
///
/// An exponential average over time that is corrected for its short history, so the first value is already the mean so
/// far and not a fraction of it.
#[derive(Debug, Clone)]
pub struct Rate {
    began: Instant,
    last: Instant,
    count: u64,
    average: f64,
}

impl Rate {
    /// Starts to measure from a count.
    pub fn new(count: u64, now: Instant) -> Self {
        Self { began: now, last: now, count, average: 0.0 }
    }

    /// Adds a new count. A count below the last one restarts the measurement there.
    pub fn update(&mut self, count: u64, now: Instant) {
        let passed = now.saturating_duration_since(self.last);
        if passed.is_zero() {
            return;
        }
        let current = count.saturating_sub(self.count) as f64 / passed.as_secs_f64();
        self.average += weight(passed) * (current - self.average);
        self.count = count;
        self.last = now;
    }

    /// Returns the rate per second.
    pub fn per_second(&self) -> f64 {
        let age = weight(self.last.saturating_duration_since(self.began));
        if age > 0.0 { self.average / age } else { 0.0 }
    }

    /// How long until a total is reached; none while the count does not grow.
    pub fn left(&self, total: u64) -> Option<Duration> {
        let seconds = total.saturating_sub(self.count) as f64 / self.per_second();
        Duration::try_from_secs_f64(seconds).ok()
    }
}

fn weight(passed: Duration) -> f64 {
    -(-passed.as_secs_f64() / MEMORY.as_secs_f64()).exp_m1()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_even_stream_has_its_own_rate_from_the_first_moment_on(step in 1u64..5_000, millis in 100u64..3_000, times in 1u32..200) {
            let began = Instant::now();
            let mut rate = Rate::new(7, began);
            for n in 1..=times {
                rate.update(7 + step * u64::from(n), began + Duration::from_millis(millis) * n);
            }
            let expected = step as f64 / (millis as f64 / 1000.0);
            prop_assert!((rate.per_second() / expected - 1.0).abs() < 1e-6);
        }

        #[test]
        fn no_stream_has_a_negative_or_infinite_rate(counts in prop::collection::vec((any::<u64>(), 0u64..10_000), 0..50)) {
            let mut now = Instant::now();
            let mut rate = Rate::new(0, now);
            for (count, millis) in counts {
                now += Duration::from_millis(millis);
                rate.update(count, now);
                prop_assert!(rate.per_second() >= 0.0 && rate.per_second().is_finite());
                rate.left(u64::MAX);
            }
        }
    }

    #[test]
    fn a_stream_that_stands_still_slows_down_to_nothing_and_has_no_end() {
        let began = Instant::now();
        let mut rate = Rate::new(0, began);
        rate.update(1_000, began + Duration::from_secs(1));
        assert_eq!(rate.left(3_000).map(|left| left.as_secs_f64().round()), Some(2.0));
        for second in 2..400 {
            rate.update(1_000, began + Duration::from_secs(second));
        }
        assert!(rate.per_second() < 1e-3);
        assert_eq!(Rate::new(0, began).left(10), None);
    }
}
