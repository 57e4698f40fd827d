//! The base of every loop of a service: it waits and works in a way that shows that it moves.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::time::sleep;

use super::{Setting, health::Pulse};
use crate::pipeline::jittered;

/// How long a loop sleeps before it reads the clock again, which may be set, or advance while the machine sleeps.
const STEP: Duration = Duration::from_millis(250);
/// The pause after the first failure that may pass by itself; each further failure doubles it.
const FIRST: Duration = Duration::from_secs(1);

/// Shows that a loop moves.
pub(super) struct Liveness {
    pub setting: Setting,
    pub pulse: Pulse,
}

impl Liveness {
    /// A loop of this name, which is not ready yet.
    pub fn new(name: String, setting: &Setting) -> Self {
        Self { pulse: setting.health.pulse(name, "not open yet"), setting: setting.clone() }
    }

    /// Whether the service was asked to stop.
    pub fn is_asked(&self) -> bool {
        self.setting.stop.is_asked()
    }

    /// The time of the service's clock.
    pub fn now(&self) -> Timestamp {
        self.setting.clock.now()
    }

    /// Sleeps until a time has come, or the service has to stop.
    pub async fn until(&self, time: Timestamp) {
        while !self.is_asked() && self.now() < time {
            self.pulse.beat();
            sleep(STEP).await;
        }
    }

    /// Sleeps for a duration, or until the service has to stop.
    pub async fn pause(&self, long: Duration) {
        let end = Instant::now() + long;
        while !self.is_asked() && Instant::now() < end {
            self.pulse.beat();
            sleep(STEP.min(long)).await;
        }
    }

    /// Sleeps longer the more often a call failed, up to the longest pause.
    pub async fn pause_after(&self, failures: u32, longest: Duration) {
        self.pause(jittered(growing(failures).min(longest))).await;
    }

    /// Runs a future, but not longer than `grace` after the service was asked to stop; none if that time ended it.
    pub async fn until_asked<T>(&self, grace: Duration, work: impl Future<Output = T>) -> Option<T> {
        let asked = async {
            while !self.is_asked() {
                sleep(STEP).await;
            }
            sleep(grace).await;
        };
        tokio::select! {
            answer = self.beating(work) => Some(answer),
            () = asked => None,
        }
    }

    /// Runs a future and shows that its thread moves, so that work which blocks the thread is detected.
    pub async fn beating<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                answer = &mut work => return answer,
                () = sleep(STEP) => self.pulse.beat(),
            }
        }
    }
}

fn growing(failures: u32) -> Duration {
    FIRST.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_overflow_nothing() {
        assert_eq!([1, 2, 3, 9].map(|failures| growing(failures).as_secs()), [1, 2, 4, 256]);
        assert!(growing(u32::MAX) > Duration::from_secs(1_000_000));
    }
}
