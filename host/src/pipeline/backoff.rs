//! Retries with backoff.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use crate::{
    error::Result,
    event::{Event, Events},
};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// Returns how long to wait after `tries` failed tries.
pub(crate) fn pause(tries: u32) -> Duration {
    FIRST.saturating_mul(2u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST)
}

/// Returns a number that differs from worker to worker and from call to call.
pub(super) fn chance() -> u64 {
    RandomState::new().hash_one(())
}

/// Returns a random time between half of it and all of it, so that workers that wait for one thing do not all ask at
/// one moment.
pub(crate) fn jittered(longest: Duration) -> Duration {
    let chance = chance() >> 32;
    longest.mul_f64(0.5 + chance as f64 / 2f64.powi(33))
}

/// Retries a call until it succeeds, fails for good, or was tried `attempts` times. This counts the tries of the layers
/// below, too: of a store's client, or of a backend that asks again for what was left out.
pub(crate) async fn insist<T, F>(attempts: u32, events: &Events, mut call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut tries: u32 = 0;
    loop {
        match call().await {
            Err(error) if error.may_retry() => {
                tries = tries.saturating_add(error.tries().max(1));
                if tries >= attempts {
                    return Err(error.tried(tries));
                }
                let wait = pause(tries);
                events.send(Event::Waiting { reason: format!("{error}; trying again in {wait:?}") });
                tokio::time::sleep(wait).await;
            }
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Kind};

    #[tokio::test]
    async fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
        for (kind, expected) in [(Kind::Unavailable, 2), (Kind::Usage, 1)] {
            assert_eq!(calls(2, || Error::new(kind, "no")).await, expected);
        }
    }

    #[tokio::test]
    async fn tries_of_the_layers_below_come_out_of_the_same_budget() {
        for (attempts, below, expected) in [(4, 1, 4), (4, 3, 2), (3, 3, 1), (5, 10, 1), (2, 0, 2)] {
            let error = || Error::new(Kind::Unavailable, "no").tried(below);
            assert_eq!(calls(attempts, error).await, expected, "{attempts} {below}");
        }
    }

    async fn calls(attempts: u32, error: impl Fn() -> Error) -> u32 {
        let mut calls = 0;
        let call = || {
            calls += 1;
            std::future::ready(Err::<(), _>(error()))
        };
        assert!(insist(attempts, &Events::ignore(), call).await.is_err());
        calls
    }

    #[test]
    fn waits_for_one_thing_differ_and_are_never_longer_than_said() {
        let longest = Duration::from_secs(60);
        let waits: std::collections::BTreeSet<_> = (0..100).map(|_| jittered(longest)).collect();
        assert!(waits.len() > 1 && waits.iter().all(|wait| *wait >= longest / 2 && *wait <= longest));
    }

    #[test]
    fn pauses_grow_and_stay_bounded() {
        assert!(pause(1) < pause(2) && pause(2) < pause(3));
        assert_eq!(pause(u32::MAX), LONGEST);
    }
}
