//! Dates read as Joda-Time reads them: every number must be of the calendar, and the pattern must fit the whole text.

use jiff::{
    civil,
    tz::{AmbiguousOffset, TimeZone},
};

use super::calendar::{DAY, FURTHEST_YEAR, HOUR, MINUTE, SECOND, days, is_day, weekday};

/// What is read of a text so far.
struct Reader<'a> {
    rest: &'a str,
    year: i64,
    month: i64,
    day: i64,
    /// Monday is 0.
    weekday: Option<i64>,
    time: i64,
    zone: Zone,
}

enum Zone {
    /// Milliseconds east of UTC.
    Offset(i64),
    Region(&'static str),
}

/// Names of zones. Those of America stand for regions, where the offset depends on the date.
const ZONES: [(&str, Zone); 11] = [
    ("UTC", Zone::Offset(0)),
    ("UT", Zone::Offset(0)),
    ("GMT", Zone::Offset(0)),
    ("EST", Zone::Region("America/New_York")),
    ("EDT", Zone::Region("America/New_York")),
    ("CST", Zone::Region("America/Chicago")),
    ("CDT", Zone::Region("America/Chicago")),
    ("MST", Zone::Region("America/Denver")),
    ("MDT", Zone::Region("America/Denver")),
    ("PST", Zone::Region("America/Los_Angeles")),
    ("PDT", Zone::Region("America/Los_Angeles")),
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// How much of a name its short form has.
const SHORT: usize = 3;

/// Reads a text by a pattern. Returns milliseconds from 1970 on.
///
/// In a pattern `y` is a year, `Y` one of four digits, `M`, `d`, `H`, `m`, `s` a number of up to two digits, `S` a
/// fraction of a second, `Z` an offset from UTC, `E` a day of the week, `L` the name of a month, `z` the name of a zone,
/// and `B` British Summer Time by its name.
pub(super) fn read(pattern: &str, text: &str) -> Option<i64> {
    let zone = Zone::Offset(0);
    let mut reader = Reader { rest: text, year: 1970, month: 1, day: 1, weekday: None, time: 0, zone };
    pattern.chars().try_for_each(|part| reader.part(part))?;
    reader.rest.is_empty().then(|| reader.instant())?
}

impl Reader<'_> {
    fn part(&mut self, part: char) -> Option<()> {
        const LONGEST_YEAR: usize = 9;
        match part {
            'y' => self.year = self.signed(LONGEST_YEAR)?,
            'Y' => self.year = self.signed(4)?,
            'M' => self.month = self.digits(2)?,
            'd' => self.day = self.digits(2)?,
            'H' => self.time += self.digits(2).filter(|hours| *hours < 24)? * HOUR,
            'm' => self.time += self.digits(2).filter(|minutes| *minutes < 60)? * MINUTE,
            's' => self.time += self.digits(2).filter(|seconds| *seconds < 60)? * SECOND,
            'S' => self.time += self.fraction()?,
            'Z' => self.zone = Zone::Offset(self.offset()?),
            'E' => self.weekday = Some(self.name(&WEEKDAYS)?),
            'L' => self.month = self.name(&MONTHS)? + 1,
            'z' => {
                let (name, zone) = ZONES.into_iter().find(|(name, _)| self.rest.starts_with(name))?;
                self.rest = &self.rest[name.len()..];
                self.zone = zone;
            }
            'B' => {
                "BST".chars().try_for_each(|letter| self.literal(letter))?;
                self.zone = Zone::Offset(HOUR);
            }
            literal => self.literal(literal)?,
        }
        Some(())
    }

    fn literal(&mut self, literal: char) -> Option<()> {
        let first = self.rest.chars().next().filter(|first| first.eq_ignore_ascii_case(&literal))?;
        self.rest = &self.rest[first.len_utf8()..];
        Some(())
    }

    /// How many digits come next, up to a number of them.
    fn count(&self, most: usize) -> usize {
        self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count()
    }

    /// A number of one or more digits.
    fn digits(&mut self, most: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at(self.count(most));
        self.rest = rest;
        digits.parse().ok()
    }

    fn signed(&mut self, most: usize) -> Option<i64> {
        let is_negative = self.rest.starts_with('-');
        self.rest = self.rest.strip_prefix(['-', '+']).unwrap_or(self.rest);
        let number = self.digits(most)?;
        Some(if is_negative { -number } else { number })
    }

    /// Milliseconds, of one to three digits.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.count(3);
        Some(self.digits(3)? * 10_i64.pow(3 - count as u32))
    }

    /// A name, long or short, in any case of letters.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        for (place, name) in names.iter().enumerate() {
            for form in [name, &name[..SHORT]] {
                let written = self.rest.get(..form.len()).filter(|written| written.eq_ignore_ascii_case(form));
                if let Some(written) = written.filter(|written| is_of_one_case(written, form)) {
                    self.rest = &self.rest[written.len()..];
                    return Some(place as i64);
                }
            }
        }
        None
    }

    /// `Z`, or a sign with hours, and minutes, seconds and milliseconds as far as they are there.
    fn offset(&mut self) -> Option<i64> {
        if let Some(rest) = self.rest.strip_prefix(['Z', 'z']) {
            self.rest = rest;
            return Some(0);
        }
        let sign = if self.rest.starts_with('-') { -1 } else { 1 };
        self.rest = self.rest.strip_prefix(['-', '+'])?;
        let hours = Some(self.count(2)).filter(|count| *count == 2).and_then(|_| self.digits(2));
        let mut offset = hours.filter(|hours| *hours < 24)? * HOUR;
        let has_colons = self.rest.starts_with(':');
        for (unit, width, separators) in [(MINUTE, 2, [':', ':']), (SECOND, 2, [':', ':']), (1, 3, ['.', ','])] {
            if has_colons {
                let Some(rest) = self.rest.strip_prefix(separators) else { break };
                self.rest = rest;
            } else if self.count(width) == 0 {
                break;
            }
            offset += match unit {
                1 => self.fraction()?,
                _ if self.count(width) < width => return None,
                _ => self.digits(width).filter(|number| *number < 60)? * unit,
            };
        }
        Some(sign * offset)
    }

    fn instant(self) -> Option<i64> {
        if self.year.abs() > FURTHEST_YEAR || !is_day(self.year, self.month, self.day) {
            return None;
        }
        let mut day = days(self.year, self.month, self.day);
        // The day of the week counts more than that of the month, within its week.
        day += self.weekday.map_or(0, |wanted| wanted - weekday(day));
        let local = day * DAY + self.time;
        match self.zone {
            Zone::Offset(offset) => Some(local - offset),
            Zone::Region(name) => in_region(name, local),
        }
    }
}

/// Joda-Time knows a name as it is written in English, in upper and in lower case.
fn is_of_one_case(written: &str, name: &str) -> bool {
    written == name || written == name.to_uppercase() || written == name.to_lowercase()
}

/// The instant at which it is so late in a region; none in the hour that is left out in spring.
fn in_region(name: &str, local: i64) -> Option<i64> {
    /// After so many days the calendar begins again.
    const CYCLE: i64 = 146_097 * DAY;
    let zone = TimeZone::get(name).ok()?;
    let start = civil::date(1970, 1, 1).at(0, 0, 0, 0);
    // The rules of far years are those of the near ones.
    let near = if local.abs() < 2 * CYCLE { local } else { local % CYCLE + local.signum() * CYCLE };
    let time = start.checked_add(jiff::SignedDuration::from_millis(near)).ok()?;
    let offset = match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        // Of the hour that comes twice, the first one.
        AmbiguousOffset::Fold { before, .. } => before,
        AmbiguousOffset::Gap { .. } => return None,
    };
    Some(local - i64::from(offset.seconds()) * SECOND)
}
