//! Dates of XMP as the document keeps them.

use super::parse;
use crate::Parity;

/// How many characters a date without separators has.
const COMPACT: usize = 8;

/// Writes a date of XMP in UTC. A month or day of `00` counts as the first; what is no date stays as it is.
pub fn clean(text: &str, parity: Parity) -> String {
    let is_compact = text.encode_utf16().count() == COMPACT;
    let completed = match (text.strip_suffix("0000"), text.strip_suffix("00")) {
        (Some(year), _) if is_compact => format!("{year}0101"),
        (_, Some(month)) if is_compact => format!("{month}01"),
        _ => text.to_owned(),
    };
    parse(&completed, parity, |_| true).map_or_else(|| text.to_owned(), |date| date.to_string())
}
