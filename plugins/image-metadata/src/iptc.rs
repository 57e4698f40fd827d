//! IPTC: a stream of datasets (IIM).

mod file_formats;
mod names;
mod texts;

use std::collections::{BTreeMap, btree_map::Entry};

use crate::{
    metadata::Texts,
    text::{latin1, trimmed, utf8},
};

const MARK: u8 = 0x1C;
/// Between the mark and the data: record, dataset, length.
const HEAD: usize = 4;
const CHARACTER_SET: u16 = 0x015A;
const URGENCY: u16 = 0x020A;
/// Versions: numbers of 16 bits.
const NUMBERS: [u16; 5] = [0x0100, 0x0116, 0x017A, 0x0200, 0x0246];

/// Names of Latin-1 that are written out instead of an escape sequence.
const LATIN1: [&str; 4] = ["ISO-8859-1", "ISO8859-1", "ISO_8859-1", "LATIN1"];

/// The value of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Number(u16),
    /// The first text, or one that took the place of others.
    Text(String),
    Texts(Vec<String>),
}

/// How texts are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Latin1,
    /// UTF-8, and Latin-1 if it is none.
    Guess,
}

/// Datasets by record and dataset number.
#[derive(Debug, Default)]
struct Datasets(BTreeMap<u16, Value>);

/// Reads a stream up to its first error.
pub(crate) fn read(bytes: &[u8]) -> Texts {
    let mut datasets = Datasets::default();
    let mut rest = bytes;
    while let Some((tag, data, after)) = next(rest) {
        datasets.set(tag, data);
        rest = after;
    }
    texts::texts(&datasets)
}

/// A dataset, its data, and what follows.
fn next(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (mark, rest) = bytes.split_first()?;
    let ([record, dataset, a, b], mut rest) = rest.split_first_chunk::<HEAD>()?;
    let mut length = usize::from(u16::from_be_bytes([*a, *b]));
    // The length of a long one has 31 bits.
    if length > 0x7FFF {
        let (low, after) = rest.split_first_chunk()?;
        (length, rest) = ((length & 0x7FFF) << 16 | usize::from(u16::from_be_bytes(*low)), after);
    }
    let (data, rest) = rest.split_at_checked(length)?;
    (*mark == MARK).then_some((u16::from_be_bytes([*record, *dataset]), data, rest))
}

impl Datasets {
    fn set(&mut self, tag: u16, data: &[u8]) {
        let value = match (tag, data) {
            (_, []) => Value::Text(String::new()),
            (CHARACTER_SET, _) => Value::Text(character_set(data)),
            (URGENCY, [number, ..]) => Value::Number((*number).into()),
            (_, [a, b, ..]) if NUMBERS.contains(&tag) => Value::Number(u16::from_be_bytes([*a, *b])),
            _ => return self.add(tag, self.encoding().decode(data)),
        };
        self.0.insert(tag, value);
    }

    /// Adds a text to those of the same dataset. What is no list of texts is replaced by one.
    fn add(&mut self, tag: u16, text: String) {
        match self.0.entry(tag) {
            Entry::Vacant(place) => {
                place.insert(Value::Text(text));
            }
            Entry::Occupied(mut place) => match place.get_mut() {
                Value::Texts(texts) => texts.push(text),
                Value::Text(first) if !first.is_empty() => {
                    let texts = vec![std::mem::take(first), text];
                    place.insert(Value::Texts(texts));
                }
                Value::Text(_) | Value::Number(_) => {
                    place.insert(Value::Texts(vec![text]));
                }
            },
        }
    }

    fn encoding(&self) -> Encoding {
        match self.0.get(&CHARACTER_SET) {
            None => Encoding::Guess,
            Some(Value::Text(name)) if LATIN1.iter().any(|latin1| latin1.eq_ignore_ascii_case(name)) => {
                Encoding::Latin1
            }
            Some(_) => Encoding::Utf8,
        }
    }

    /// A value as one text.
    fn text(&self, tag: u16) -> Option<String> {
        match self.0.get(&tag)? {
            Value::Number(number) => Some(number.to_string()),
            Value::Text(text) => Some(text.clone()),
            Value::Texts(texts) => Some(texts.join(" ")),
        }
    }
}

/// Names the character set that an escape sequence chooses; what is none is its own name.
fn character_set(data: &[u8]) -> String {
    match data {
        [0x1B, b'%', b'G', ..] => "UTF-8".to_owned(),
        [0x1B, b'.' | b'-', b'A', ..] | [0x1B, 0xE2, 0x80, 0xA2, b'A', ..] => "ISO-8859-1".to_owned(),
        _ => utf8(data),
    }
}

impl Encoding {
    fn decode(self, data: &[u8]) -> String {
        match self {
            Self::Utf8 => utf8(data),
            Self::Latin1 => latin1(data),
            Self::Guess => str::from_utf8(data).map_or_else(|_| latin1(data), str::to_owned),
        }
    }
}

/// Puts a text under a name unless it is blank.
fn put(texts: &mut Texts, name: &str, text: &str) {
    let text = trimmed(text);
    if !text.is_empty() {
        texts.insert(name.to_owned(), text.to_owned());
    }
}
