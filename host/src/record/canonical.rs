//! Canonical JSON, so that one record gives the same bytes whatever store it came from.
//!
//! Keys are sorted by their UTF-8 bytes at every level and occur once; numbers keep their decimal text; texts
//! are escaped in the shortest way; there is no white space. Works on borrowed slices of the input: no tree is
//! built and no number is ever converted.

use std::{borrow::Cow, cmp::Ordering, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep a record may be nested. DynamoDB itself stops earlier.
pub const MAX_DEPTH: usize = 128;

/// Rewrites JSON text canonically. Equal values give equal texts.
///
/// *Errors*: a sentence fragment that says what is wrong with the text.
pub fn canonical(text: &str) -> Result<String, String> {
    let raw: &RawValue = parse(text)?;
    let mut out = String::with_capacity(text.len());
    write_plain(raw.get(), 0, &mut out)?;
    Ok(out)
}

/// Rewrites DynamoDB's typed JSON (`{"S": "…"}`) of one attribute value as canonical plain JSON.
pub fn typed_to_plain(value: &str) -> Result<String, String> {
    let mut out = String::with_capacity(value.len());
    write_typed(value, 0, &mut out)?;
    Ok(out)
}

/// Rewrites plain JSON as a typed attribute value; what DynamoDB would have stored for it.
pub(super) fn plain_to_typed(text: &str, depth: usize, out: &mut String) -> Result<(), String> {
    check_depth(depth)?;
    match text.as_bytes().first() {
        Some(b'"') => {
            out.push_str("{\"S\":");
            write_text(text, out)?;
        }
        Some(b'{') => {
            out.push_str("{\"M\":");
            write_object(text, out, |value, out| plain_to_typed(value, depth + 1, out))?;
        }
        Some(b'[') => {
            out.push_str("{\"L\":");
            write_array(text, out, |value, out| plain_to_typed(value, depth + 1, out))?;
        }
        Some(b'n') => out.push_str("{\"NULL\":true"),
        Some(b't' | b'f') => out.push_str(&format!("{{\"BOOL\":{text}")),
        _ => out.push_str(&format!("{{\"N\":\"{text}\"")),
    }
    out.push('}');
    Ok(())
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

pub(super) fn write_typed(text: &str, depth: usize, out: &mut String) -> Result<(), String> {
    check_depth(depth)?;
    let fields = fields(text)?;
    let [(tag, value)] = fields.as_slice() else {
        return Err(format!("is not a typed attribute value: it has {} keys instead of one type", fields.len()));
    };
    match &**tag {
        "S" | "B" if value.starts_with('"') => write_text(value, out),
        "N" => {
            out.push_str(&number(value)?);
            Ok(())
        }
        "BOOL" if matches!(*value, "true" | "false") => {
            out.push_str(value);
            Ok(())
        }
        "NULL" => {
            out.push_str("null");
            Ok(())
        }
        "M" => write_object(value, out, |value, out| write_typed(value, depth + 1, out)),
        "L" => write_array(value, out, |value, out| write_typed(value, depth + 1, out)),
        "SS" | "BS" => write_set(parse::<Vec<Text>>(value)?, out),
        "NS" => write_number_set(value, out),
        other => Err(format!("has the type `{other}`, which DynamoDB does not know or not with this value")),
    }
}

/// Rewrites a typed attribute value as itself with its keys and sets in order.
pub(super) fn write_typed_as_typed(text: &str, depth: usize, out: &mut String) -> Result<(), String> {
    check_depth(depth)?;
    let fields = fields(text)?;
    let [(tag, value)] = fields.as_slice() else {
        return Err("is not a typed attribute value".to_owned());
    };
    let mut inner = String::new();
    match &**tag {
        "M" => write_object(value, &mut inner, |value, out| write_typed_as_typed(value, depth + 1, out))?,
        "L" => write_array(value, &mut inner, |value, out| write_typed_as_typed(value, depth + 1, out))?,
        "SS" | "BS" => write_set(parse::<Vec<Text>>(value)?, &mut inner)?,
        "NS" => {
            let texts = sorted_numbers(value)?;
            inner = serde_json::to_string(&texts).map_err(|error| error.to_string())?;
        }
        _ => {
            write_typed(text, depth, &mut String::new())?;
            write_plain(value, depth, &mut inner)?;
        }
    }
    out.push_str(&format!("{{\"{tag}\":{inner}}}"));
    Ok(())
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

fn check_depth(depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH { Err(format!("is nested deeper than {MAX_DEPTH} levels")) } else { Ok(()) }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))
}

fn write_object<'a>(
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

fn write_array<'a>(
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

/// A text without escapes is canonical as it stands.
fn write_text(raw: &str, out: &mut String) -> Result<(), String> {
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

fn write_set(mut members: Vec<Text>, out: &mut String) -> Result<(), String> {
    members.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    out.push('[');
    for (n, member) in members.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        push_text(&member.0, out);
    }
    out.push(']');
    Ok(())
}

fn write_number_set(value: &str, out: &mut String) -> Result<(), String> {
    out.push('[');
    out.push_str(&sorted_numbers(value)?.join(","));
    out.push(']');
    Ok(())
}

fn sorted_numbers(value: &str) -> Result<Vec<String>, String> {
    let raw: Vec<&RawValue> = parse(value)?;
    let mut numbers = raw.into_iter().map(|raw| number(raw.get())).collect::<Result<Vec<_>, _>>()?;
    numbers.sort_by(|a, b| compare_numbers(a, b).then_with(|| a.cmp(b)));
    Ok(numbers)
}

/// The number inside a JSON string, as its own text.
fn number(raw: &str) -> Result<String, String> {
    let text = text(raw)?;
    let first = text.bytes().next().unwrap_or(b' ');
    let is_number =
        (first == b'-' || first.is_ascii_digit()) && parse::<&RawValue>(&text).is_ok_and(|raw| raw.get() == text);
    if is_number { Ok(text.into_owned()) } else { Err(format!("has the number `{text}`, which is not one")) }
}

/// Compares two JSON numbers by value, exactly, however many digits they have.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (Decimal::new(a), Decimal::new(b));
    match (a.sign(), b.sign()) {
        (x, y) if x != y => x.cmp(&y),
        (-1, _) => b.magnitude(&a),
        _ => a.magnitude(&b),
    }
}

/// A decimal number as digits without zeros at either end and the power of ten of the first digit.
struct Decimal {
    negative: bool,
    digits: String,
    power: i64,
}

impl Decimal {
    fn new(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let exponent: i64 =
            exponent.parse().unwrap_or(if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 });
        let leading = i64::try_from(whole.len()).unwrap_or(0) - i64::try_from(all.len() - digits.len()).unwrap_or(0);
        Self { negative, digits: digits.trim_end_matches('0').to_owned(), power: exponent + leading }
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        self.power.cmp(&other.power).then_with(|| self.digits.cmp(&other.digits))
    }
}

/// A string, borrowed from the input where it has no escapes.
struct Text<'a>(Cow<'a, str>);

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
mod tests {
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

    #[test]
    fn typed_attributes_become_plain_ones_with_sets_in_order() {
        let typed = r#"{"M":{"n":{"N":"1.10"},"ss":{"SS":["b","a"]},"ns":{"NS":["10","9","9.0","-1"]},"b":{"B":"AAE="},"x":{"NULL":true},"l":{"L":[{"BOOL":false}]}}}"#;
        assert_eq!(
            typed_to_plain(typed).unwrap(),
            r#"{"b":"AAE=","l":[false],"n":1.10,"ns":[-1,9,9.0,10],"ss":["a","b"],"x":null}"#
        );
    }

    #[test]
    fn a_typed_number_that_is_none_is_refused() {
        for text in [r#"{"N":"abc"}"#, r#"{"N":"{}"}"#, r#"{"N":" 1"}"#, r#"{"N":""}"#, r#"{"X":"1"}"#] {
            assert!(typed_to_plain(text).is_err(), "{text}");
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
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
        fn plain_to_typed_and_back_is_the_same_record(value in json()) {
            let plain = canonical(&value.to_string()).unwrap();
            let mut typed = String::new();
            plain_to_typed(&plain, 0, &mut typed).unwrap();
            prop_assert_eq!(typed_to_plain(&typed).unwrap(), plain);
        }

        #[test]
        fn numbers_compare_as_their_values(a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000, places in 0u32..6) {
            let decimal = |n: i64| format!("{n}e-{places}");
            prop_assert_eq!(compare_numbers(&decimal(a), &decimal(b)), a.cmp(&b));
        }

        #[test]
        fn any_bytes_are_answered_without_a_panic(text in any::<String>()) {
            let _ = canonical(&text);
            let _ = typed_to_plain(&text);
        }
    }
}
