//! What a recipe with a schedule has to do now, by its times and its runs. Pure.
//!
//! Only the ledger decides: every process that looks gets the same answer, and a time is done once a run has begun
//! after it.

use jiff::Timestamp;

use crate::{
    ledger::{Phase, Run, Scope},
    recipe::Schedule,
    run::SKEW,
};

/// What a recipe has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The run that began then is unfinished: it was stopped and has to be resumed, or another process works on it.
    Unfinished(Timestamp),
    /// A run is due since this time.
    Now(Timestamp),
    /// Nothing is due before this time.
    At(Timestamp),
    /// Nothing is due any more.
    Never,
}

/// The past runs, as far as they decide what is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Past {
    /// When the newest run over the whole source began; if there is none, when the wait for the first one began.
    began: Timestamp,
    /// When the newest unfinished one began.
    unfinished: Option<Timestamp>,
}

impl Past {
    /// Reads a recipe's runs, newest first; `waiting` is when the wait for the first one began.
    ///
    /// A run that seems to have begun more than [`SKEW`] after `now` was begun under a wrong clock. It must not delay
    /// others.
    pub fn of(runs: &[Run], waiting: Timestamp, now: Timestamp) -> Self {
        let mut whole = runs.iter().filter(|run| run.scope == Scope::Full);
        let is_unfinished = |run: &&Run| matches!(run.phase, Phase::Running | Phase::Finishing);
        let unfinished = whole.clone().find(is_unfinished).map(|run| run.started);
        let latest = now.saturating_add(SKEW).unwrap_or(now);
        let newest = whole.find(|run| run.started <= latest);
        Self { began: newest.map_or(waiting, |run| run.started), unfinished }
    }

    /// What is due now. `given_up` is when an attempt failed with an error that waiting does not fix: then nothing is
    /// due before the next time.
    pub fn due(&self, schedule: &Schedule, given_up: Option<Timestamp>, now: Timestamp) -> Due {
        if let (Some(began), None) = (self.unfinished, given_up) {
            return Due::Unfinished(began);
        }
        match schedule.next(given_up.map_or(self.began, |given_up| given_up.max(self.began))) {
            Some(time) if time <= now => Due::Now(time),
            Some(time) => Due::At(time),
            None => Due::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn daily() -> Schedule {
        Schedule::parse("30 5 * * *", "Europe/London").unwrap()
    }

    fn run(started: Timestamp, scope: Scope, phase: Phase) -> Run {
        Run {
            id: started.to_string(),
            recipe: "masters".into(),
            place: None,
            source: None,
            scope,
            phase,
            identity: Default::default(),
            segments: 1,
            targets: Default::default(),
            replaced: Default::default(),
            follows: false,
            identities: Default::default(),
            marks: Default::default(),
            total: None,
            started,
            ended: None,
            made: Default::default(),
            load_settings: Default::default(),
            watermarks: Default::default(),
            counts: None,
            revision: 0,
        }
    }

    fn finished(started: &str) -> Run {
        run(time(started), Scope::Full, Phase::Finished)
    }

    fn due(runs: &[Run], waiting: &str, now: &str) -> Due {
        let now = time(now);
        Past::of(runs, time(waiting), now).due(&daily(), None, now)
    }

    #[test]
    fn without_any_run_the_next_time_is_waited_for() {
        let (began, tomorrow) = ("2026-11-25T06:00:00Z", time("2026-11-26T05:30:00Z"));
        assert_eq!(due(&[], began, "2026-11-25T06:00:00Z"), Due::At(tomorrow));
        assert_eq!(due(&[], began, "2026-11-26T05:29:59.999Z"), Due::At(tomorrow));
        assert_eq!(due(&[], began, "2026-11-26T05:30:00Z"), Due::Now(tomorrow));
    }

    #[test]
    fn however_many_times_were_missed_one_run_catches_up() {
        let now = "2026-11-25T09:00:00Z";
        let missed = time("2026-11-20T05:30:00Z");
        assert_eq!(due(&[finished("2026-11-19T05:30:00Z")], now, now), Due::Now(missed));
        assert_eq!(due(&[finished(now)], now, now), Due::At(time("2026-11-26T05:30:00Z")));
    }

    #[test]
    fn a_run_that_was_stopped_is_gone_on_with_at_once_but_not_right_after_it_failed() {
        let (now, began) = (time("2026-11-25T09:00:00Z"), time("2026-11-25T05:30:00Z"));
        let past = Past::of(&[run(began, Scope::Full, Phase::Running)], now, now);
        assert_eq!(past.due(&daily(), None, now), Due::Unfinished(began));
        let tomorrow = time("2026-11-26T05:30:00Z");
        assert_eq!(past.due(&daily(), Some(now), now), Due::At(tomorrow));
        assert_eq!(past.due(&daily(), Some(now), tomorrow), Due::Now(tomorrow));
    }

    #[test]
    fn a_few_ids_and_rebuilds_work_off_no_time_and_neither_does_a_run_of_the_future() {
        let now = time("2026-11-25T09:00:00Z");
        let other = |scope| run(now, scope, Phase::Running);
        let wrong = finished("2030-01-01T00:00:00Z");
        let runs = [wrong, other(Scope::Ids), other(Scope::Rebuild), other(Scope::Limit), other(Scope::Loaded)];
        let yesterday = [&runs[..], &[finished("2026-11-24T05:30:00Z")]].concat();
        assert_eq!(Past::of(&yesterday, now, now).due(&daily(), None, now), Due::Now(time("2026-11-25T05:30:00Z")));
        assert_eq!(Past::of(&runs, now, now).due(&daily(), None, now), Due::At(time("2026-11-26T05:30:00Z")));
    }

    #[test]
    fn a_night_in_which_the_clock_is_turned_has_one_run() {
        let schedule = Schedule::parse("30 1 * * *", "Europe/London").unwrap();
        for (evening, morning) in
            [("2026-03-28T18:00:00Z", "2026-03-29T06:00:00Z"), ("2026-10-24T18:00:00Z", "2026-10-25T06:00:00Z")]
        {
            let began = worked_off(&schedule, time(evening), time(morning), |_| SignedDuration::from_secs(20));
            assert_eq!(began.len(), 1, "{began:?}");
        }
    }

    /// When runs begin if the schedule is checked from time to time, and each run ends at once.
    fn worked_off(
        schedule: &Schedule,
        from: Timestamp,
        to: Timestamp,
        mut pause: impl FnMut(usize) -> SignedDuration,
    ) -> Vec<Timestamp> {
        let (mut runs, mut now, mut looks) = (Vec::<Run>::new(), from, 0);
        while now < to {
            if let Due::Now(_) = Past::of(&runs, from, now).due(schedule, None, now) {
                runs.insert(0, run(now, Scope::Full, Phase::Finished));
            }
            (now, looks) = (now + pause(looks), looks + 1);
        }
        runs.iter().rev().map(|run| run.started).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn each_time_is_worked_off_once_at_the_first_look_after_it(
            pauses in prop::collection::vec(1i64..200_000, 1..40), from in 1_700_000_000i64..1_900_000_000,
        ) {
            let (schedule, from) = (daily(), Timestamp::from_second(from).unwrap());
            let looks: Vec<_> = pauses.iter().scan(from, |look, pause| {
                let this = *look;
                *look += SignedDuration::from_secs(*pause);
                Some(this)
            }).collect();
            let to = *looks.last().unwrap() + SignedDuration::from_secs(1);
            let began = worked_off(&schedule, from, to, |look| SignedDuration::from_secs(pauses[look]));
            let times = std::iter::successors(schedule.next(from), |time| schedule.next(*time));
            let last = *looks.last().unwrap();
            let first_look = |time| *looks.iter().find(|look| **look >= time).unwrap();
            let expected: BTreeSet<_> = times.take_while(|time| *time <= last).map(first_look).collect();
            prop_assert_eq!(began, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
