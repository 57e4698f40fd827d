//! The syntax of names, times and sizes, as patterns of JSON Schema. Each accepts everything that the program accepts;
//! the program may still refuse a text that an editor accepts.

/// A resource's name, as in `recipe/check.rs`.
pub(crate) const NAME: &str = "^[a-z0-9][a-z0-9_-]{0,99}$";

/// A time: numbers of at most eleven digits, which a year has in milliseconds, with units from days to nanoseconds, hours and minutes by the clock, or ISO 8601.
pub(crate) const TIME: &str = r"^\s*([0-9]{1,11}([.,][0-9]+)?\s*(d(ays?)?|h((ou)?rs?)?|m(in(ute)?s?)?|s(ec(ond)?s?)?|m(illi(second)?s?|sec(ond)?s?|s)|(u|µ|μ)(sec(ond)?s?|s)|micro(second)?s?|n(ano(second)?s?|sec(ond)?s?|s)),?\s*)+$|^\s*[0-9]+:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?\s*$|^[Pp].+$";

/// A size: a number with a unit of bytes, of at most the digits that a pebibyte has in bytes.
pub(crate) const SIZE: &str = r"^\s*[0-9.]{1,16}\s*([KkMmGgTtPpEe][Ii]?[Bb]?|[Bb])?\s*$";
