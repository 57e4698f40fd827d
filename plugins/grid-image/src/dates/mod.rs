//! Points in time, how documents write them, and the formats in which files say them.

mod parse;
mod pattern;
mod zone;

use std::fmt;

use jiff::{
    Span,
    civil::{Date, Time},
    fmt::temporal::{Pieces, PiecesOffset},
};
use serde::{Serialize, Serializer};

pub use parse::parse;

/// The calendar repeats after so many years, which makes those reachable that jiff does not know.
const CYCLE_YEARS: i64 = 400;
const CYCLE_DAYS: i64 = 146_097;

/// The years that are reached, either way: milliseconds have no more room.
const YEARS: i64 = 292_000_000;

/// Days from the first day of year 0 to that of 1970.
const EPOCH_DAYS: i64 = 719_528;

const DAY_MILLIS: i64 = 86_400_000;
const HOUR_MILLIS: i64 = 3_600_000;
const MINUTE_MILLIS: i64 = 60_000;

/// A point in time, in milliseconds, with the offset at which it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    millis: i64,
    offset_seconds: i64,
}

impl DateTime {
    /// The point in time so many milliseconds after the start of 1970, in UTC.
    pub fn from_millis(millis: i64) -> Self {
        Self { millis, offset_seconds: 0 }
    }

    /// Milliseconds since the start of 1970, in UTC.
    pub fn millis(self) -> i64 {
        self.millis
    }

    /// The same point in time, written in UTC.
    pub fn in_utc(self) -> Self {
        Self::from_millis(self.millis)
    }

    /// So many hours later.
    pub fn plus_hours(self, hours: i64) -> Self {
        Self { millis: self.millis.saturating_add(hours.saturating_mul(HOUR_MILLIS)), ..self }
    }

    /// Its day in UTC, counted from that at the start of 1970.
    pub fn day(self) -> i64 {
        self.millis.div_euclid(DAY_MILLIS)
    }

    /// Reads an ISO date, or an ISO date-time with or without an offset; without one it is in UTC. The offset is kept.
    /// Digits beyond milliseconds are dropped.
    pub fn from_iso(text: &str) -> Option<Self> {
        let pieces = Pieces::parse(text).ok().filter(|pieces| pieces.time_zone_annotation().is_none())?;
        let offset = match pieces.offset() {
            Some(PiecesOffset::Numeric(offset)) => offset.offset().seconds().into(),
            _ => 0_i64,
        };
        let date = pieces.date();
        let days = days(date.year().into(), date.month(), date.day())?;
        Some(Self::at(days, millis_of(pieces.time().unwrap_or(Time::MIN)), offset))
    }

    /// A day and what has passed of it, as a clock at this offset shows them.
    fn at(days: i64, millis: i64, offset_seconds: i64) -> Self {
        Self { millis: days * DAY_MILLIS + millis - offset_seconds * 1000, offset_seconds }
    }
}

fn millis_of(time: Time) -> i64 {
    let seconds = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
    seconds * 1000 + i64::from(time.millisecond())
}

/// The number of a day, counted from the start of 1970; none where the calendar has no such day, or it is too far away.
fn days(year: i64, month: i8, day: i8) -> Option<i64> {
    if year.abs() > YEARS {
        return None;
    }
    let date = Date::new(i16::try_from(year.rem_euclid(CYCLE_YEARS)).ok()?, month, day).ok()?;
    let of_cycle = i64::from(date.since(Date::ZERO).ok()?.get_days());
    Some(year.div_euclid(CYCLE_YEARS) * CYCLE_DAYS + of_cycle - EPOCH_DAYS)
}

/// Year, month and day of such a number.
fn date(days: i64) -> (i64, i8, i8) {
    let days = days + EPOCH_DAYS;
    let of_cycle = Date::ZERO.saturating_add(Span::new().days(days.rem_euclid(CYCLE_DAYS)));
    let year = days.div_euclid(CYCLE_DAYS) * CYCLE_YEARS + i64::from(of_cycle.year());
    (year, of_cycle.month(), of_cycle.day())
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let local = self.millis.saturating_add(self.offset_seconds * 1000);
        let (year, month, day) = date(local.div_euclid(DAY_MILLIS));
        let sign = if year < 0 { "-" } else { "" };
        write!(f, "{sign}{:04}-{month:02}-{day:02}T", year.abs())?;
        let millis = local.rem_euclid(DAY_MILLIS);
        let (hour, minute) = (millis / HOUR_MILLIS, millis / MINUTE_MILLIS % 60);
        write!(f, "{hour:02}:{minute:02}:{:02}.{:03}", millis / 1000 % 60, millis % 1000)?;
        let (sign, offset) = (if self.offset_seconds < 0 { '-' } else { '+' }, self.offset_seconds.abs() / 60);
        if offset == 0 { f.write_str("Z") } else { write!(f, "{sign}{:02}:{:02}", offset / 60, offset % 60) }
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
