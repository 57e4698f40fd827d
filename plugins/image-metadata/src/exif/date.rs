//! When a picture was taken: date, fraction of a second and time zone, which are tags of their own.

use super::value;
use crate::{
    date::{
        calendar::{self, HOUR, MINUTE},
        lenient::{self, Part},
    },
    ifd::Directory,
    number,
};

const TAKEN: u16 = 0x9003;
const ZONE: u16 = 0x9011;
const FRACTION: u16 = 0x9291;

/// The forms a date has, in the order they are tried.
const PATTERNS: [&str; 12] = [
    "y:M:d H:m:s",
    "y:M:d H:m",
    "y-M-d H:m:s",
    "y-M-d H:m",
    "y.M.d H:m:s",
    "y.M.d H:m",
    "y-M-dTH:m:s",
    "y-M-dTH:m",
    "y-M-d",
    "y-M",
    "yMd",
    "y",
];

/// When the picture was taken, in UTC.
pub(super) fn taken(directory: &Directory) -> Option<String> {
    use super::value::Value;
    let Value::Text(_) = value(directory, TAKEN)? else { return None };
    let text = value(directory, TAKEN)?.whole_text();
    let (text, fraction) = without_fraction(&text);
    let (text, zone) = without_zone(&text);
    let of_tag = |tag| value(directory, tag).map(|value| value.whole_text());
    let zone = of_tag(ZONE).filter(|zone| is_zone(zone, true)).filter(|_| zone.is_none()).or(zone);
    let date = PATTERNS.iter().find_map(|pattern| lenient::read(&parts(pattern), &text))?;
    let milliseconds = fraction.or_else(|| of_tag(FRACTION)).and_then(|fraction| milliseconds(&fraction));
    Some(calendar::text(date - zone.map_or(0, |zone| offset(&zone)) + milliseconds.unwrap_or(0)))
}

fn parts(pattern: &str) -> Vec<Part> {
    let part = |letter| match letter {
        'y' => Part::Year,
        'M' => Part::Month,
        'd' => Part::Day,
        'H' => Part::Hour,
        'm' => Part::Minute,
        's' => Part::Second,
        literal => Part::Literal(literal),
    };
    pattern.chars().map(part).collect()
}

/// Takes the digits after `HH:mm:ss.` out of a text.
fn without_fraction(text: &str) -> (String, Option<String>) {
    const TIME: usize = 8;
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let is_time = |at: &usize| {
        bytes[*at..]
            .iter()
            .take(TIME)
            .enumerate()
            .all(|(place, byte)| if place % 3 == 2 { *byte == b':' } else { is_digit(byte) })
            && bytes.get(at + TIME) == Some(&b'.')
            && bytes.get(at + TIME + 1).is_some_and(is_digit)
    };
    let Some(time) = (0..bytes.len().saturating_sub(TIME + 1)).find(is_time) else { return (text.to_owned(), None) };
    let point = time + TIME;
    let digits = bytes[point + 1..].iter().take_while(|byte| is_digit(byte)).count();
    let end = point + 1 + digits;
    (format!("{}{}", &text[..point], &text[end..]), Some(text[point + 1..end].to_owned()))
}

/// Takes the time zone off the end of a text.
fn without_zone(text: &str) -> (String, Option<String>) {
    let zone = [1, 6, 5].into_iter().find_map(|length| {
        let begin = text.len().checked_sub(length)?;
        let zone = text.get(begin..)?;
        (zone == "Z" || is_zone(zone, true) || is_zone(zone, false)).then_some((&text[..begin], zone))
    });
    zone.map_or((text.to_owned(), None), |(text, zone)| (text.to_owned(), Some(zone.to_owned())))
}

/// Whether a text is `+HH:mm`, or `+HHmm` without a colon.
fn is_zone(text: &str, has_colon: bool) -> bool {
    let Some(digits) = text.strip_prefix(['+', '-']) else { return false };
    let digits = if has_colon { digits.split_once(':') } else { digits.split_at_checked(2) };
    let is_two_digits = |text: &str| text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
    digits.is_some_and(|(hours, minutes)| is_two_digits(hours) && is_two_digits(minutes))
}

/// Milliseconds east of UTC of a zone; a zone that there cannot be is UTC.
fn offset(zone: &str) -> i64 {
    let number = zone.replace(':', "").parse::<i64>().unwrap_or(0);
    let (hours, minutes) = (number.abs() / 100, number.abs() % 100);
    if hours < 24 && minutes < 60 { number.signum() * (hours * HOUR + minutes * MINUTE) } else { 0 }
}

fn milliseconds(fraction: &str) -> Option<i64> {
    let milliseconds = number::parse(&format!(".{fraction}"))? * 1000.0;
    Some(milliseconds as i64).filter(|milliseconds| (0..1000).contains(milliseconds))
}
