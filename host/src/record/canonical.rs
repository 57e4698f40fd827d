//! Canonical JSON, so that one record gives the same bytes from every store.
//!
//! Keys are sorted by their UTF-8 bytes at every level and occur once; numbers keep their decimal text; texts are
//! escaped in the shortest way; there is no white space. Works on borrowed slices of the input: builds no tree and
//! converts no number.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep a record may be nested. DynamoDB itself stops earlier.
const MAX_DEPTH: usize = 128;

/// Rewrites JSON text canonically. Equal values give equal texts.
///
/// *Errors*: a sentence fragment that names what is wrong with the text.
pub fn canonical(text: &str) -> Result<String, String> {
    let raw: &RawValue = parse(text)?;
    let mut out = String::with_capacity(text.len());
    write_plain(raw.get(), 0, &mut out)?;
    Ok(out)
}

pub(super) fn write_plain(text: &str, depth: usize, out: &mut String) -> Result<(), String> {
    check_depth(depth)?;
    match text.as_bytes().first() {
        Some(b'{') => write_object(text, out, |value, out| write_plain(value, depth + 1, out)),
        Some(b'[') => write_array(text, out, |value, out| write_plain(value, depth + 1, out)),
        Some(b'"') => write_text(text, out),
        _ => {
            out.push_str(text);
            Ok(())
        }
    }
}

/// The fields of a JSON object, sorted by name, each value as its source text.
pub fn fields(text: &str) -> Result<Vec<(Cow<'_, str>, &str)>, String> {
    let Fields(mut fields) = parse(text)?;
    if !fields.is_sorted_by(|a, b| a.0 < b.0) {
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(pair) = fields.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(format!("has the key `{}` twice", pair[0].0));
        }
    }
    Ok(fields)
}

/// The elements of a JSON array, each as its source text.
pub fn elements(text: &str) -> Result<Vec<&str>, String> {
    let elements: Vec<&RawValue> = parse(text)?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

/// The text of a JSON string.
pub(super) fn text(raw: &str) -> Result<Cow<'_, str>, String> {
    Ok(parse::<Text>(raw)?.0)
}

pub(super) fn check_depth(depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH { Err(format!("is nested deeper than {MAX_DEPTH} levels")) } else { Ok(()) }
}

pub(super) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))
}

pub(super) fn write_object<'a>(
    text: &'a str,
    out: &mut String,
    mut write: impl FnMut(&'a str, &mut String) -> Result<(), String>,
) -> Result<(), String> {
    out.push('{');
    for (n, (name, value)) in fields(text)?.into_iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        push_text(&name, out);
        out.push(':');
        write(value, out)?;
    }
    out.push('}');
    Ok(())
}

pub(super) fn write_array<'a>(
    text: &'a str,
    out: &mut String,
    mut write: impl FnMut(&'a str, &mut String) -> Result<(), String>,
) -> Result<(), String> {
    out.push('[');
    for (n, element) in elements(text)?.into_iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        write(element, out)?;
    }
    out.push(']');
    Ok(())
}

/// A text without escapes is already canonical.
pub(super) fn write_text(raw: &str, out: &mut String) -> Result<(), String> {
    if raw.contains('\\') {
        push_text(&text(raw)?, out);
    } else {
        out.push_str(raw);
    }
    Ok(())
}

/// Appends a text as a JSON string.
pub(super) fn push_text(text: &str, out: &mut String) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// A string, borrowed from the input if it has no escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    fields.push((name, value.get()));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_sorted_by_bytes_at_every_level_and_white_space_goes() {
        let text = r#" { "b" : [ { "z":1 , "a":2 } ], "a": "\u0041", "é": null, "B": 1.50e2 } "#;
        assert_eq!(canonical(text).unwrap(), r#"{"B":1.50e2,"a":"A","b":[{"a":2,"z":1}],"é":null}"#);
    }

    #[test]
    fn a_number_keeps_every_digit_of_its_text() {
        let text = "[12345678901234567890123456789012345678,1.0,-0,1E+3]";
        assert_eq!(canonical(text).unwrap(), text);
    }

    #[test]
    fn a_repeated_key_is_refused_also_when_it_is_written_with_escapes() {
        assert_eq!(canonical(r#"{"a":1,"\u0061":2}"#).unwrap_err(), "has the key `a` twice");
    }

    #[test]
    fn ten_thousand_levels_are_refused_without_a_crash() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(canonical(&deep).unwrap_err().contains("nested deeper"));
    }

    pub(crate) fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_text_means_the_same_and_is_its_own_canonical_text(value in json()) {
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let text = canonical(&pretty).unwrap();
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
            prop_assert_eq!(canonical(&text).unwrap(), text);
        }

        #[test]
        fn any_bytes_are_answered_without_a_panic(text in any::<String>()) {
            let _ = canonical(&text);
            let _ = super::super::typed_to_plain(&text);
        }
    }
}
