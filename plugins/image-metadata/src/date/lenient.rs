//! Dates read as Java's `SimpleDateFormat` reads them: numbers roll over, and what follows is not looked at.

use super::calendar::{DAY, FURTHEST_YEAR, HOUR, MINUTE, SECOND, historic_days};

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Literal(char),
    /// Hours and minutes from UTC, with a sign and without a colon.
    Offset,
}

/// Reads the beginning of a text by a pattern. Returns milliseconds from 1970 on; in UTC unless it has an offset.
pub(crate) fn read(pattern: &[Part], text: &str) -> Option<i64> {
    let (mut year, mut month, mut day) = (1970, 1, 1);
    let (mut time, mut rest) = (0, text);
    for (place, part) in pattern.iter().enumerate() {
        if let Part::Literal(literal) = part {
            rest = rest.strip_prefix(*literal)?;
            continue;
        }
        if *part == Part::Offset {
            time -= offset(without_blanks(rest))?;
            continue;
        }
        // A number that another one follows directly has a fixed length, with the blanks before it.
        let is_followed = pattern.get(place + 1).is_some_and(|next| !matches!(next, Part::Literal(_) | Part::Offset));
        let width = if *part == Part::Year { 4 } else { 2 };
        let number;
        (number, rest) = self::number(rest, is_followed.then_some(width))?;
        match part {
            Part::Year => year = number,
            Part::Month => month = number,
            Part::Day => day = number,
            Part::Hour => time += number * HOUR,
            Part::Minute => time += number * MINUTE,
            Part::Second => time += number * SECOND,
            Part::Literal(_) | Part::Offset => {}
        }
    }
    // Months and days may lead far away from the year.
    let instant = historic_days(year, month, day).checked_mul(DAY)?.checked_add(time)?;
    (instant.abs() / DAY / 366 < FURTHEST_YEAR).then_some(instant)
}

fn without_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// A number, which may be negative, and what follows it.
fn number(text: &str, width: Option<usize>) -> Option<(i64, &str)> {
    let whole = match width {
        Some(width) => text.get(..width)?,
        None => text,
    };
    let field = without_blanks(whole);
    let digits = field.strip_prefix('-').unwrap_or(field);
    let length = digits.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(digits.len());
    let end = whole.len() - digits.len() + length;
    // Java keeps the lower 32 bits of a number that fits into 64, and the largest number of one that does not.
    let number = match digits[..length].parse::<i64>() {
        Ok(number) => i64::from(number as i32),
        Err(_) if length > 0 => i64::from(i32::MAX),
        Err(_) => return None,
    };
    Some((if digits.len() < field.len() { -number } else { number }, &text[end..]))
}

/// Milliseconds east of UTC.
fn offset(text: &str) -> Option<i64> {
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits = text.get(1..5).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))?;
    let number: i64 = digits.parse().ok()?;
    let (hours, minutes) = (number / 100, number % 100);
    (hours < 24 && minutes < 60).then_some(sign * (hours * HOUR + minutes * MINUTE))
}

/// The numbers of a date and a time that directly follow one another, and an offset.
pub(crate) const COMPACT: &[Part] =
    &[Part::Year, Part::Month, Part::Day, Part::Hour, Part::Minute, Part::Second, Part::Offset];

#[cfg(test)]
mod tests {
    use super::{COMPACT, read};
    use crate::date::calendar::text;

    #[test]
    fn a_compact_date_has_an_offset() {
        let compact = |date| read(COMPACT, date).map(text);
        assert_eq!(compact("20210304101112+0200").unwrap(), "2021-03-04T08:11:12.000Z");
        assert_eq!(compact("20211304101160+0000").unwrap(), "2022-01-04T10:12:00.000Z", "it rolls over");
        assert_eq!(compact("20210304101112"), None);
        assert_eq!(compact("2021:03:04101112+0200"), None);
    }
}
