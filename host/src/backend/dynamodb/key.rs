//! A table's key: its attributes and their types, and its form as a position and as a cursor.

use std::borrow::Cow;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::value::RawValue;

use super::value::Attributes;
use crate::{
    error::{Error, Result},
    record::{Form, Key, canonical, elements, fields, normal, significant},
};

/// How many bytes the parts of a key have at most.
const LONGEST: [usize; 2] = [2048, 1024];

/// How many significant digits a number has at most.
const DIGITS: usize = 38;

/// The type of a key attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Binary,
}

/// The key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableKey {
    /// Partition key first.
    pub key: Key,
    /// In the same order.
    pub kinds: Vec<Kind>,
}

/// A key in the form of a request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Equal for equal keys, independent of how their numbers are written.
    pub same: Vec<String>,
    /// The attributes to send.
    pub attributes: Attributes,
}

impl TableKey {
    /// The position of an item, and the cursor after it.
    pub fn place(&self, item: &str) -> Result<(String, String)> {
        let odd = |reason: String| Error::bug(format!("an item came without its key: {reason}"));
        let fields = fields(item).map_err(odd)?;
        let position = self.key.id(&fields, Form::DynamodbJson).map_err(odd)?;
        Ok((position, self.cursor(&fields)))
    }

    /// The end of a page, as a cursor.
    pub fn end(&self, last: &str) -> Result<String> {
        canonical(last).map_err(|reason| Error::bug(format!("the key a page ended with {reason}")))
    }

    fn cursor(&self, fields: &[(Cow<'_, str>, &str)]) -> String {
        let mut cursor = String::from("{");
        // Sorted as the fields are, so that equal positions have equal cursors.
        for (name, value) in fields.iter().filter(|(name, _)| self.key.attributes().iter().any(|key| key == name)) {
            if cursor.len() > 1 {
                cursor.push(',');
            }
            cursor.push_str(&serde_json::Value::from(&**name).to_string());
            cursor.push(':');
            cursor.push_str(value);
        }
        cursor.push('}');
        cursor
    }

    /// The key to request for a position; none if no item of this table can have it: its types differ, or DynamoDB
    /// stores no such key.
    pub fn ask(&self, position: &str) -> Option<Asked> {
        let values = match &self.key {
            Key::One(_) => vec![value(position, self.kinds.first().copied()?)?],
            Key::Many(names) => {
                let parts = elements(position).ok().filter(|parts| parts.len() == names.len())?;
                parts.iter().zip(&self.kinds).map(|(part, kind)| part_value(part, *kind)).collect::<Option<_>>()?
            }
        };
        let fits = values.iter().zip(LONGEST).all(|(value, longest)| is_storable(value, longest));
        let same = values.iter().map(same).collect();
        fits.then(|| Asked { same, attributes: self.key.attributes().iter().cloned().zip(values).collect() })
    }

    /// Reads a key that a server returned; none if it is not a key of this table.
    pub fn returned(&self, attributes: Attributes) -> Option<Asked> {
        let same = self.key.attributes().iter().map(|name| attributes.get(name).map(same)).collect::<Option<_>>()?;
        Some(Asked { same, attributes })
    }
}

/// Whether DynamoDB can store a value in a key of at most `longest` bytes.
fn is_storable(value: &AttributeValue, longest: usize) -> bool {
    match value {
        AttributeValue::S(text) => text.len() <= longest,
        AttributeValue::B(bytes) => bytes.as_ref().len() <= longest,
        // The exponent of the first digit: 1E-130 is the smallest number, 9.99E+125 the largest.
        AttributeValue::N(number) => {
            let (digits, exponent) = significant(number);
            digits <= DIGITS && (digits == 0 || (-130..=125).contains(&exponent))
        }
        _ => false,
    }
}

fn part_value(part: &str, kind: Kind) -> Option<AttributeValue> {
    match (kind, part.starts_with('"')) {
        (Kind::Number, false) => value(part, kind),
        (Kind::Text | Kind::Binary, true) => value(&serde_json::from_str::<String>(part).ok()?, kind),
        _ => None,
    }
}

fn value(text: &str, kind: Kind) -> Option<AttributeValue> {
    if text.is_empty() {
        return None;
    }
    match kind {
        Kind::Text => Some(AttributeValue::S(text.to_owned())),
        Kind::Binary => STANDARD.decode(text).ok().map(|bytes| AttributeValue::B(Blob::new(bytes))),
        Kind::Number => {
            let number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
            let whole = serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get() == text);
            (number && whole).then(|| AttributeValue::N(text.to_owned()))
        }
    }
}

fn same(value: &AttributeValue) -> String {
    match value {
        AttributeValue::N(number) => normal(number),
        AttributeValue::B(bytes) => STANDARD.encode(bytes),
        AttributeValue::S(text) => text.clone(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composite() -> TableKey {
        TableKey { key: Key::from(vec!["pk".to_owned(), "n".to_owned()]), kinds: vec![Kind::Text, Kind::Number] }
    }

    #[test]
    fn an_item_knows_its_position_and_the_cursor_behind_it() {
        let (position, cursor) = composite().place(r#"{"x":{"S":"y"},"pk":{"S":"a\"b"},"n":{"N":"1.5"}}"#).unwrap();
        assert_eq!((position.as_str(), cursor.as_str()), (r#"["a\"b",1.5]"#, r#"{"n":{"N":"1.5"},"pk":{"S":"a\"b"}}"#));
        assert_eq!(composite().end(r#"{"pk":{"S":"a\"b"},"n":{"N":"1.5"}}"#).unwrap(), cursor);
        assert_eq!(composite().ask(&position).unwrap().attributes["n"], AttributeValue::N("1.5".to_owned()));
        assert!(composite().place(r#"{"pk":{"S":"a"}}"#).is_err());
    }

    #[test]
    fn a_position_that_no_key_of_the_table_can_have_is_asked_for_nowhere() {
        for position in ["", "a", "[]", r#"["a"]"#, r#"["a","1"]"#, r#"[1,1]"#, r#"["",1]"#, r#"["a",1,2]"#] {
            assert!(composite().ask(position).is_none(), "{position}");
        }
        let number = TableKey { key: Key::One("n".into()), kinds: vec![Kind::Number] };
        assert!(number.ask("x").is_none() && number.ask("").is_none() && number.ask("1 ").is_none());
        assert_eq!(number.ask("1.0").unwrap().same, number.ask("1").unwrap().same);
        assert_ne!(number.ask("10").unwrap().same, number.ask("1").unwrap().same);
    }

    #[test]
    fn a_key_that_dynamodb_cannot_store_is_asked_for_nowhere() {
        let one = |kind| TableKey { key: Key::One("k".into()), kinds: vec![kind] };
        let asked = |kind, position: &str| one(kind).ask(position).is_some();
        let digits = |n: usize| "9".repeat(n);
        assert!(asked(Kind::Number, &digits(38)) && !asked(Kind::Number, &digits(39)));
        assert!(asked(Kind::Number, &format!("{}000", digits(38))) && asked(Kind::Number, "0"));
        assert!(asked(Kind::Number, "-9.9e125") && !asked(Kind::Number, "1e126"));
        assert!(asked(Kind::Number, "1e-130") && !asked(Kind::Number, "9e-131"));
        assert!(asked(Kind::Text, &"k".repeat(2048)) && !asked(Kind::Text, &"k".repeat(2049)));
        let many = TableKey { key: Key::from(vec!["a".to_owned(), "b".to_owned()]), kinds: vec![Kind::Text; 2] };
        let place = |first, second| many.ask(&format!("[\"{}\",\"{}\"]", "a".repeat(first), "b".repeat(second)));
        assert!(place(2048, 1024).is_some() && place(1, 1025).is_none());
    }
}
