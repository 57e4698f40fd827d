//! A JSON text that keeps its escapes until they are in the way.

use std::{borrow::Cow, fmt};

/// A text as JSON holds it, without its quotes.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    json: &'a str,
    escaped: bool,
}

impl<'a> Text<'a> {
    /// The text without a character.
    pub const EMPTY: Self = Self { json: "", escaped: false };

    /// Takes what stands between the quotes of a valid JSON string.
    pub(super) fn from_json(json: &'a str, escaped: bool) -> Self {
        Self { json, escaped }
    }

    /// What stands between the quotes, escapes included.
    pub fn as_json(self) -> &'a str {
        self.json
    }

    /// Tells whether there is no character.
    pub fn is_empty(self) -> bool {
        self.json.is_empty()
    }

    /// The text itself; copied only if it has escapes.
    pub fn to_str(self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(unescape(self.json)) } else { Cow::Borrowed(self.json) }
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        if self.escaped { self.to_str() == other } else { self.json == other }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.to_str())
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:?}", self.to_str())
    }
}

fn unescape(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let (character, length) = escaped_character(escape);
        out.push(character);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character that follows a backslash, and how many bytes it took.
fn escaped_character(escape: &str) -> (char, usize) {
    match escape.as_bytes().first() {
        Some(b'u') => unicode(escape),
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{c}', 1),
        Some(b'n') => ('\n', 1),
        Some(b'r') => ('\r', 1),
        Some(b't') => ('\t', 1),
        Some(byte) => (char::from(*byte), 1),
        None => (char::REPLACEMENT_CHARACTER, 0),
    }
}

fn unicode(escape: &str) -> (char, usize) {
    let unit = |at: usize| escape.get(at..at + 4).and_then(|hex| u16::from_str_radix(hex, 16).ok());
    let pair = unit(1).into_iter().chain(unit(7));
    let character = char::decode_utf16(pair).next().and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER);
    (character, if character.len_utf16() == 2 { 11 } else { 5 })
}
