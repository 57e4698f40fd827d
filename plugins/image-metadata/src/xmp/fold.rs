//! Folds paths and values into one JSON value for each property.
//!
//! Paths are shortened by one step in each pass: an item becomes an array of one, a field or a qualifier a text that
//! looks like an object. What then has the same path becomes one array.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::Flat;
use crate::redaction::REDACTED;

/// Longer texts of nested structs are replaced: each level escapes the one below once more.
const LONGEST: usize = 1024 * 1024;
/// What all these texts of a file may take.
const ALL: usize = 64 * 1024 * 1024;

/// The index before the first one.
const FIRST: i64 = 2_147_483_647;

/// A text, or an array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Json {
    /// A text, which may look like an object.
    Text(String),
    /// Items.
    List(Vec<Json>),
}

struct Entry {
    path: String,
    value: Json,
    /// What the entries of an array are sorted by.
    index: i64,
}

/// Folds paths into properties.
///
/// Where several values have the same index (the fields of a struct), they keep the order of the packet.
#[must_use]
pub fn fold(flat: Flat) -> BTreeMap<String, Json> {
    let entry = |(path, value): (String, String)| Entry { index: index(&path, FIRST), path, value: Json::Text(value) };
    let mut entries: Vec<_> = flat.into_entries().into_iter().map(entry).collect();
    let mut left = ALL;
    while entries.iter().any(|entry| entry.path.ends_with(']') || entry.path.contains('/')) {
        entries = merged(entries.into_iter().map(|entry| shortened(entry, &mut left)));
    }
    entries.into_iter().map(|entry| (entry.path, entry.value)).collect()
}

/// The number in the last brackets of a path, or the one before the previous index.
fn index(path: &str, previous: i64) -> i64 {
    let is_in_array = path.ends_with(']') || path.contains("]/");
    let number = path.rsplit_once('[').and_then(|(_, rest)| rest.split(']').next()?.parse().ok());
    number.filter(|_| is_in_array).unwrap_or(previous - 1)
}

/// Takes the last step off a path and wraps the value.
fn shortened(entry: Entry, left: &mut usize) -> Entry {
    let Entry { mut path, value, index } = entry;
    let index = self::index(&path, index);
    if path.ends_with(']')
        && let Some(begin) = path.rfind('[')
    {
        path.truncate(begin);
        return Entry { path, value: Json::List(vec![value]), index };
    }
    match path.rsplit_once('/') {
        Some((before, name)) => {
            let value = Json::List(vec![Json::Text(object(name, &value, left))]);
            Entry { path: before.to_owned(), value, index }
        }
        None => Entry { path, value, index },
    }
}

/// A text that looks like an object, with apostrophes for quotes. `left` is what such texts may still take.
fn object(name: &str, value: &Json, left: &mut usize) -> String {
    let object = BTreeMap::from([(name, value)]);
    let text = serde_json::to_string(&object).unwrap_or_default().replace('"', "'");
    let after = left.checked_sub(text.len()).filter(|_| text.len() <= LONGEST);
    *left = after.unwrap_or(*left);
    if after.is_some() { text } else { REDACTED.to_owned() }
}

/// Makes one entry of those with the same path.
fn merged(entries: impl Iterator<Item = Entry>) -> Vec<Entry> {
    let mut groups: Vec<Vec<Entry>> = Vec::new();
    let mut places = HashMap::new();
    for entry in entries {
        let place = *places.entry(entry.path.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    groups.into_iter().filter_map(one).collect()
}

fn one(mut group: Vec<Entry>) -> Option<Entry> {
    if group.len() < 2 {
        return group.pop();
    }
    group.sort_by_key(|entry| entry.index);
    let (path, index) = group.first().map(|first| (first.path.clone(), first.index))?;
    let (mut items, mut texts) = (Vec::new(), Vec::new());
    for entry in group {
        match entry.value {
            Json::List(more) => items.extend(more),
            text @ Json::Text(_) => texts.push(text),
        }
    }
    items.append(&mut texts);
    Some(Entry { path, value: Json::List(items), index })
}
