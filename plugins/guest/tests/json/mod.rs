//! Arbitrary items for property tests, and the words in which the rules speak of them.
//!
//! Shared by the SDK's tests and those of the plugins in this workspace.

#![allow(dead_code, reason = "each test uses its part")]

use proptest::{collection, prelude::*};
use serde_json::{Map, Value};

/// Items: maps that mostly have these names, at every level.
pub fn item(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    map(names, value(names))
}

/// Items in which everything required is there.
pub fn valid_item(names: &'static [&'static str], required: &'static [&'static str]) -> impl Strategy<Value = Value> {
    (item(names), collection::vec(words(), required.len())).prop_map(|(mut item, texts)| {
        for (name, text) in required.iter().zip(texts) {
            item[*name] = format!("{text}.").into();
        }
        item
    })
}

/// Any JSON value, with these names in its maps.
pub fn value(names: &'static [&'static str]) -> impl Strategy<Value = Value> + Clone {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (any::<i128>(), any::<Option<u8>>()).prop_map(|(whole, part)| number(whole, part)),
        words().prop_map(Value::from),
        proptest::sample::select(&["true", "FALSE", "False", ""][..]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            map(names, inner.clone()),
            collection::vec(map(names, inner), 0..3).prop_map(Value::from),
        ]
    })
}

fn map(names: &'static [&'static str], value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let name = prop_oneof![9 => proptest::sample::select(names).prop_map(str::to_owned), 1 => words()];
    collection::vec((name, value), 0..8).prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// Up to 38 digits and a few behind the point.
fn number(whole: i128, part: Option<u8>) -> Value {
    let part = part.map_or(String::new(), |part| format!(".{part:03}"));
    let digits = format!("{}{part}", whole % 10_i128.pow(38));
    serde_json::from_str(&digits).expect("digits are JSON")
}

/// Short texts with whatever is awkward in JSON or in Unicode.
pub fn words() -> impl Strategy<Value = String> + Clone {
    let parts =
        ["a", "Z", " ", "\"", "\\", "/", "\n", "\0", "\u{1f}", "\u{7f}", "é", "小", "😀", "\u{2028}", "{", "]", ","];
    collection::vec(proptest::sample::select(parts.to_vec()), 0..6).prop_map(|parts| parts.concat())
}

/// What the rules call a text: the text of a scalar.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What the rules say of a required text.
pub fn required(map: &Value, name: &str) -> Result<Value, String> {
    match map.get(name) {
        None => Err(format!("{name} is missing")),
        Some(Value::Null) => Err(format!("{name} is null")),
        Some(value) => match text(value) {
            None => Err(format!("{name} is not a scalar")),
            Some(text) if name == "id" && text.is_empty() => Err("id is empty".to_owned()),
            Some(text) => Ok(text.into()),
        },
    }
}

/// Puts texts into a document: `""` when absent, left out when null.
pub fn put_texts_or_empty(document: &mut Map<String, Value>, map: &Value, names: &[(&str, &str)]) {
    for (field, attribute) in names {
        let value = map.get(*attribute).map_or(Some(String::new()), text);
        document.extend(value.map(|value| ((*field).to_owned(), value.into())));
    }
}

/// Puts texts into a document: left out when absent or null.
pub fn put_texts_if_any(document: &mut Map<String, Value>, map: &Value, names: &[&str]) {
    for name in names {
        let value = map.get(*name).and_then(text);
        document.extend(value.map(|value| ((*name).to_owned(), value.into())));
    }
}

/// What the rules call a boolean, in any of its forms; none where it is absent or null.
pub fn boolean(map: &Value, name: &str) -> Result<Option<bool>, String> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(Value::Number(number)) => {
            Ok(Some(number.to_string().contains(['1', '2', '3', '4', '5', '6', '7', '8', '9'])))
        }
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(format!("{name} is not a boolean")),
    }
}

/// Puts booleans into a document: left out when absent or null.
pub fn put_booleans(document: &mut Map<String, Value>, map: &Value, names: &[&str]) -> Result<(), String> {
    for name in names {
        let value = boolean(map, name)?;
        document.extend(value.map(|value| ((*name).to_owned(), value.into())));
    }
    Ok(())
}

/// Puts a map into a document, mapped by a rule; the path stands before a rule's complaint.
pub fn put_map(
    document: &mut Map<String, Value>,
    item: &Value,
    name: &str,
    rule: impl Fn(&Value) -> Result<Map<String, Value>, String>,
) -> Result<(), String> {
    if let Some(value) = item.get(name).filter(|value| value.is_object()) {
        let map = rule(value).map_err(|complaint| format!("{name}.{complaint}"))?;
        document.insert(name.to_owned(), map.into());
    }
    Ok(())
}

/// Puts what is in none of the lists into a document, sorted by name as in an item; without nulls.
pub fn put_rest(document: &mut Map<String, Value>, map: &Value, named: &[&[&str]]) {
    let members = map.as_object().into_iter().flatten();
    let rest =
        members.filter(|(name, value)| !value.is_null() && !named.iter().any(|named| named.contains(&name.as_str())));
    let mut rest = Value::Object(rest.map(|(name, value)| (name.clone(), value.clone())).collect());
    rest.sort_all_objects();
    document.extend(rest.as_object().cloned().into_iter().flatten());
}

/// A list of maps, each mapped by a rule; the path stands before a rule's complaint.
pub fn maps(list: &Value, name: &str, rule: impl Fn(&Value) -> Result<Value, String>) -> Result<Option<Value>, String> {
    let Some(list) = list.get(name).and_then(Value::as_array) else { return Ok(None) };
    let maps = list.iter().enumerate().map(|(n, element)| {
        if !element.is_object() {
            return Err(format!("{name}[{n}] is not a map"));
        }
        rule(element).map_err(|complaint| format!("{name}[{n}].{complaint}"))
    });
    maps.collect::<Result<Vec<_>, _>>().map(|maps| Some(maps.into()))
}

/// Compares a plugin's answer with that of the rules, as text.
pub fn assert_same(answer: Result<String, reindex_guest::Invalid>, rules: Result<Map<String, Value>, String>) {
    let answer = answer.map_err(|invalid| invalid.reason().to_owned());
    assert_eq!(answer, rules.map(|document| Value::Object(document).to_string()));
}
