//! `[schedule]`: at which times a recipe runs.
//!
//! A crontab speaks of what a clock on the wall shows, and clocks are turned. A time that is skipped then is made up
//! for right after it, and one that comes twice counts once, so that no day is left out and none is worked on twice.
//! Only what runs every hour follows the hours that really pass.

use cronexpr::Crontab;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// No clock is turned by more than this.
const TURNED: SignedDuration = SignedDuration::from_hours(3);

/// Times, as a crontab has them, in a time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Read as UTC where `clock` is set: it then tells what that clock shows.
    times: Crontab,
    clock: Option<TimeZone>,
}

impl Schedule {
    /// Reads the five fields of a crontab, and the name of a time zone.
    ///
    /// *Errors*: the recipe's key that is wrong, and why.
    pub fn parse(cron: &str, zone: &str) -> Result<Self, (&'static str, String)> {
        let Ok(clock) = TimeZone::get(zone) else {
            let reason = format!("there is no time zone {zone:?}; write one as \"Europe/London\" or \"UTC\"");
            return Err(("schedule.zone", reason));
        };
        let fields: Vec<_> = cron.split_whitespace().collect();
        let &[_, hour, _, _, _] = fields.as_slice() else {
            let reason =
                format!("`schedule.cron` is {cron:?}, but has five fields: \"30 5 * * *\" is every day at 5:30");
            return Err(("schedule.cron", reason));
        };
        let clock = (!is_every_hour(hour)).then_some(clock);
        let zone = if clock.is_some() { "UTC" } else { zone };
        match format!("{cron} {zone}").parse() {
            Ok(times) => Ok(Self { times, clock }),
            Err(error) => Err(("schedule.cron", format!("`schedule.cron` cannot be read: {error}"))),
        }
    }

    /// The first time after this one; none if there is none any more.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let next = |after: Timestamp| self.times.find_next(after).ok().map(|next| next.timestamp());
        let Some(clock) = &self.clock else { return next(after) };
        let mut shown = shown(clock, after).checked_sub(TURNED).ok()?;
        loop {
            shown = next(shown)?;
            let time = clock.to_ambiguous_timestamp(TimeZone::UTC.to_datetime(shown)).compatible().ok()?;
            if time > after {
                return Some(time);
            }
        }
    }
}

/// Whether the field for hours, a list of `*`, numbers and ranges with or without a step, names every hour of a day.
fn is_every_hour(field: &str) -> bool {
    let names = |part: &str, hour: u8| {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let (first, last) = match (range, range.split_once('-')) {
            ("*", _) => (Some(0), Some(23)),
            (_, Some((first, last))) => (first.parse().ok(), last.parse().ok()),
            // A step makes a range of a single number, to the end of the day.
            (first, None) => (first.parse().ok(), if part == range { first.parse().ok() } else { Some(23) }),
        };
        let (Some(first), Some(last), Ok(step @ 1..)) = (first, last, step.parse::<u8>()) else { return false };
        (first..=last).contains(&hour) && (hour - first).is_multiple_of(step)
    };
    (0..24).all(|hour| field.split(',').any(|part| names(part, hour)))
}

/// What the clock on the wall shows, as if it were one of UTC.
fn shown(clock: &TimeZone, time: Timestamp) -> Timestamp {
    TimeZone::UTC.to_timestamp(clock.to_datetime(time)).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schedule(cron: &str, zone: &str) -> Schedule {
        Schedule::parse(cron, zone).unwrap()
    }

    /// The next times, one after the other.
    fn times(cron: &str, after: &str, count: usize) -> Vec<String> {
        let (schedule, mut time) = (schedule(cron, "Europe/London"), after.parse().unwrap());
        let mut next = || {
            time = schedule.next(time).unwrap();
            time.to_string()
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn a_time_that_the_clock_skips_is_made_up_for_right_after() {
        let found = times("30 1 * * *", "2026-03-28T01:30:00Z", 2);
        assert_eq!(found, ["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"], "the clock shows 2:30 instead of 1:30");
        let found = times("30 1 * * *", "2026-03-29T01:10:00Z", 1);
        assert_eq!(found, ["2026-03-29T01:30:00Z"], "also for whoever asks after the clock was turned");
    }

    #[test]
    fn a_time_that_the_clock_shows_twice_counts_once() {
        let found = times("30 1 * * *", "2026-10-24T12:00:00Z", 2);
        assert_eq!(found, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        let found = times("30 1 * * *", "2026-10-25T01:10:00Z", 1);
        assert_eq!(found, ["2026-10-26T01:30:00Z"], "also for whoever asks in between");
    }

    #[test]
    fn what_runs_every_hour_follows_the_hours_that_pass() {
        let found = times("30 * * * *", "2026-10-25T00:00:00Z", 3);
        assert_eq!(found, ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"]);
        let found = times("30 * * * *", "2026-03-29T00:00:00Z", 3);
        assert_eq!(found, ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"]);
    }

    #[test]
    fn every_way_to_write_every_hour_follows_the_hours_that_pass() {
        for hour in ["*", "*/1", "0-23", "0/1", "0-23/1", "*/2,1-23/2", "0-11,12-23", "5-23,0,1,2-4"] {
            assert!(is_every_hour(hour), "{hour}");
            let found = times(&format!("0 {hour} * * *"), "2026-10-24T23:30:00Z", 3);
            assert_eq!(found, ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"], "{hour}");
        }
        for hour in ["0", "1-23", "*/2", "0-22", "0-23/2", "1/1", "", "x", "*/0", "0-23/x"] {
            assert!(!is_every_hour(hour), "{hour}");
        }
        let found = times("*/30 0-23 * * *", "2026-10-25T00:30:00Z", 2);
        assert_eq!(found, ["2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"]);
    }

    #[test]
    fn a_day_that_never_comes_has_no_time() {
        assert_eq!(schedule("0 0 30 2 *", "UTC").next(Timestamp::UNIX_EPOCH), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn every_day_has_one_run_however_clocks_are_turned(
            hour in 0u8..24, minute in 0u8..60, from in 1_600_000_000i64..2_000_000_000,
            zone in prop::sample::select(vec!["Europe/London", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll"]),
        ) {
            let (schedule, clock) = (schedule(&format!("{minute} {hour} * * *"), zone), TimeZone::get(zone).unwrap());
            let mut last = schedule.next(Timestamp::from_second(from).unwrap()).unwrap();
            for _ in 0..370 {
                let next = schedule.next(last).unwrap();
                let days = clock.to_datetime(next).date() - clock.to_datetime(last).date();
                prop_assert_eq!(days.get_days(), 1, "{} after {}", next, last);
                last = next;
            }
        }

        #[test]
        fn the_next_time_is_later_and_none_lies_in_between(
            cron in prop::sample::select(vec!["*/7 * * * *", "30 5 * * *", "0 1,2 * * MON", "15 */6 1 * *"]),
            from in 1_600_000_000i64..2_000_000_000, share in 0.0f64..1.0,
        ) {
            let (schedule, from) = (schedule(cron, "Europe/London"), Timestamp::from_second(from).unwrap());
            let next = schedule.next(from).unwrap();
            prop_assert!(next > from);
            let between = from + SignedDuration::from_secs_f64(next.duration_since(from).as_secs_f64() * share);
            if between < next {
                prop_assert_eq!(schedule.next(between).unwrap(), next);
            }
        }
    }
}
