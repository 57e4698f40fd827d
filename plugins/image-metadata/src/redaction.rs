//! Values that are too long for a document.

/// What stands for a value that is too long.
pub const REDACTED: &str =
    "REDACTED (value longer than 5000 characters, please refer to the metadata stored in the file itself)";

/// The longest value, in UTF-16 units.
const LONGEST: usize = 5000;

/// Replaces a value that is too long.
pub(crate) fn redact(value: &mut String) {
    // A text has at most as many UTF-16 units as bytes.
    if value.len() > LONGEST && value.encode_utf16().count() > LONGEST {
        REDACTED.clone_into(value);
    }
}

/// Whether a text that is still written needs no more, since it is replaced anyway.
pub(crate) fn is_too_long(text: &str) -> bool {
    // Four bytes of a character are two UTF-16 units.
    text.len() > 4 * LONGEST
}
