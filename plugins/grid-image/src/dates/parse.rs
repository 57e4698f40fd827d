//! Reads a date in any of the formats of files.

use jiff::civil;

use super::{
    DAY_MILLIS, DateTime, HOUR_MILLIS, MINUTE_MILLIS, date, days,
    pattern::{PATTERNS, Token, offset_of},
    zone::Zone,
};
use crate::Parity;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The most digits that a year may have.
const YEAR_DIGITS: usize = 9;

/// Reads a date, in UTC: the first format that fits the whole text and gives what is accepted.
pub fn parse(text: &str, parity: Parity, accept: impl Fn(DateTime) -> bool) -> Option<DateTime> {
    PATTERNS.iter().find_map(|pattern| {
        let found = Fields::read(text, pattern)?.resolve(parity)?;
        accept(found).then_some(found)
    })
}

/// What a text says in one format.
#[derive(Debug, Clone, Copy)]
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    millis: i64,
    /// Counted from Monday.
    weekday: Option<i64>,
    offset: i64,
    zone: Option<Zone>,
}

impl Fields {
    fn read(text: &str, pattern: &[Token]) -> Option<Self> {
        let mut fields = Self {
            year: 0,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            millis: 0,
            weekday: None,
            offset: 0,
            zone: None,
        };
        let mut rest = text;
        for (n, token) in pattern.iter().enumerate() {
            let number_follows = pattern.get(n + 1).is_some_and(|next| next.is_number());
            rest = fields.take(*token, rest, number_follows)?;
        }
        rest.is_empty().then_some(fields)
    }

    /// Takes one token from the text, and answers the rest.
    fn take<'a>(&mut self, token: Token, text: &'a str, number_follows: bool) -> Option<&'a str> {
        let two = if number_follows { 2..=2 } else { 1..=2 };
        let (field, (value, rest)) = match token {
            Token::Literal(literal) => {
                self.offset = offset_of(token).unwrap_or(self.offset);
                return text.strip_prefix(literal);
            }
            Token::Year => (&mut self.year, year(text, number_follows)?),
            Token::Month => (&mut self.month, number(text, two)?),
            Token::Day => (&mut self.day, number(text, two)?),
            Token::Hour => (&mut self.hour, number(text, two)?),
            Token::Minute => (&mut self.minute, number(text, two)?),
            Token::Second => (&mut self.second, number(text, two)?),
            Token::Fraction => (&mut self.millis, fraction(text)?),
            Token::Offset => (&mut self.offset, offset(text)?),
            Token::MonthName => (&mut self.month, name(text, &MONTHS).map(|(month, rest)| (month + 1, rest))?),
            Token::Weekday => {
                let (weekday, rest) = name(text, &WEEKDAYS)?;
                self.weekday = Some(weekday);
                return Some(rest);
            }
            Token::ZoneName => {
                let (zone, rest) = Zone::at_start(text)?;
                self.zone = Some(zone);
                return Some(rest);
            }
        };
        *field = value;
        Some(rest)
    }

    fn resolve(self, parity: Parity) -> Option<DateTime> {
        if self.hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let day = days(self.year, self.month.try_into().ok()?, self.day.try_into().ok()?)?;
        let day = self.weekday.filter(|_| parity == Parity::Grid).map_or(day, |weekday| moved(day, weekday));
        let millis = self.hour * HOUR_MILLIS + self.minute * MINUTE_MILLIS + self.second * 1000 + self.millis;
        let clock = || clock(day, millis);
        let offset = self.zone.map_or(Some(self.offset), |zone| zone.offset(clock, parity))?;
        Some(DateTime::at(day, millis, offset).in_utc())
    }
}

/// The day of the same week, from Monday to Sunday, that has this weekday.
fn moved(day: i64, weekday: i64) -> i64 {
    // The first day of 1970 was a Thursday.
    day - (day + 3).rem_euclid(7) + weekday
}

fn clock(day: i64, millis: i64) -> Option<civil::DateTime> {
    let (year, month, day) = date(day);
    debug_assert!(millis < DAY_MILLIS);
    let (hour, minute, second) = (millis / HOUR_MILLIS, millis / MINUTE_MILLIS % 60, millis / 1000 % 60);
    let narrow = |value: i64| i8::try_from(value).ok();
    civil::DateTime::new(year.try_into().ok()?, month, day, narrow(hour)?, narrow(minute)?, narrow(second)?, 0).ok()
}

/// As many digits as there are, within these limits.
fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<(i64, &str)> {
    let found = text.bytes().take(*digits.end()).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(found);
    (found >= *digits.start()).then(|| number.parse().ok()).flatten().map(|number| (number, rest))
}

fn year(text: &str, number_follows: bool) -> Option<(i64, &str)> {
    let digits = if number_follows { 4..=4 } else { 1..=YEAR_DIGITS };
    match text.strip_prefix('-') {
        Some(text) => number(text, digits).map(|(year, rest)| (-year, rest)),
        None => number(text.strip_prefix('+').unwrap_or(text), digits),
    }
}

fn fraction(text: &str) -> Option<(i64, &str)> {
    let text = text.strip_prefix('.')?;
    let (fraction, rest) = number(text, 1..=3)?;
    let unit = match text.len() - rest.len() {
        1 => 100,
        2 => 10,
        _ => 1,
    };
    Some((fraction * unit, rest))
}

fn offset(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some((0, rest));
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, rest) = number(text.strip_prefix(['+', '-'])?, 2..=2)?;
    let (minutes, rest) = number(rest.strip_prefix(':').unwrap_or(rest), 2..=2)?;
    (hours < 24 && minutes < 60).then_some((sign * (hours * 60 + minutes) * 60, rest))
}

fn name<'a>(text: &'a str, names: &[&str]) -> Option<(i64, &'a str)> {
    let (start, rest) = text.split_at_checked(3)?;
    let n = names.iter().position(|name| name.eq_ignore_ascii_case(start))?;
    Some((n.try_into().ok()?, rest))
}
