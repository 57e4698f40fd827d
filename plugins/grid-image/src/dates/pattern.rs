//! The formats in which files say dates, in the order in which they are tried.

use Token::{Day, Fraction, Hour, Literal, Minute, Month, MonthName, Offset, Second, Weekday, Year, ZoneName};

/// A piece of a format.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token {
    /// These characters.
    Literal(&'static str),
    /// A year of one or more digits, with or without a sign.
    Year,
    /// A month of one or two digits.
    Month,
    /// A day of one or two digits.
    Day,
    /// An hour of one or two digits.
    Hour,
    /// A minute of one or two digits.
    Minute,
    /// A second of one or two digits.
    Second,
    /// One to three digits of a second, after their point.
    Fraction,
    /// `Z`, `+01:00` or `+0100`.
    Offset,
    /// `Mon` to `Sun`.
    Weekday,
    /// `Jan` to `Dec`.
    MonthName,
    /// The name of a time zone.
    ZoneName,
}

impl Token {
    /// Whether it begins with a digit, so that a number before it must know where it ends.
    pub(super) fn is_number(self) -> bool {
        matches!(self, Year | Month | Day | Hour | Minute | Second)
    }
}

const DASH: Token = Literal("-");
const COLON: Token = Literal(":");
const BLANK: Token = Literal(" ");
const T: Token = Literal("T");
/// British summer time, wherever and whenever.
const BST: Token = Literal("BST");

/// The formats. The last of the reference's, "ISO date", accepts nothing that the one before does not.
pub(super) const PATTERNS: [&[Token]; 18] = [
    &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, COLON, Second, Fraction, Offset],
    &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, COLON, Second, BLANK, Offset],
    &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, COLON, Second, Offset],
    &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, COLON, Second],
    &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, COLON, Second, Fraction],
    &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, Fraction, Offset],
    &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, Offset],
    &[
        Weekday, BLANK, MonthName, BLANK, Day, BLANK, Hour, COLON, Minute, COLON, Second, Fraction, BLANK, ZoneName,
        BLANK, Year,
    ],
    &[Weekday, BLANK, MonthName, BLANK, Day, BLANK, Hour, COLON, Minute, COLON, Second, BLANK, ZoneName, BLANK, Year],
    &[
        Weekday, BLANK, MonthName, BLANK, Day, BLANK, Hour, COLON, Minute, COLON, Second, Fraction, BLANK, BST, BLANK,
        Year,
    ],
    &[Weekday, BLANK, MonthName, BLANK, Day, BLANK, Hour, COLON, Minute, COLON, Second, BLANK, BST, BLANK, Year],
    &[Year, Month, Day],
    &[Year, Month],
    &[Year, Day, Month],
    &[Year],
    &[Year, DASH, Month],
    &[Year, COLON, Month, COLON, Day],
    &[Year, DASH, Month, DASH, Day],
];

/// The offset that a literal stands for, in seconds.
pub(super) fn offset_of(literal: Token) -> Option<i64> {
    (literal == BST).then_some(3600)
}
