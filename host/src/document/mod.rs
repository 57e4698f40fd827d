//! A TOML file written by a user, with the position of every key, so that errors can point there.
//!
//! Knows neither recipes nor environments: the caller passes the schema of the file.

mod pattern;
mod read;
mod shape;
mod syntax;
#[cfg(test)]
pub(crate) mod tests;
mod variables;

use std::{collections::BTreeMap, ops::Range, path::Path};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer},
};

use crate::error::{Error, Result};

pub(crate) use pattern::{NAME, SIZE, TIME};
pub(crate) use read::{here, read, root};
pub(crate) use shape::check;
pub(crate) use variables::substitute;

/// A file's text and the position of each of its keys.
pub(crate) struct Document<'t> {
    what: &'static str,
    path: &'t Path,
    text: &'t str,
    /// Where each line begins.
    starts: Vec<usize>,
    places: BTreeMap<String, Place>,
}

/// The position of a key and its value, in bytes.
#[derive(Debug, Clone)]
struct Place {
    key: Range<usize>,
    value: Range<usize>,
}

impl<'t> Document<'t> {
    /// Parses a file; `what` is the word that errors use for it.
    pub(crate) fn parse(what: &'static str, path: &'t Path, text: &'t str) -> Result<(Self, Spanned<DeTable<'t>>)> {
        let mut document = Self::unread(what, path, text);
        let table = DeTable::parse(text).map_err(|error| {
            let message = error.message().trim_end().to_owned();
            syntax::explain(&document, error.span().unwrap_or(0..0), message)
        })?;
        document.note("", table.get_ref());
        Ok((document, table))
    }

    fn unread(what: &'static str, path: &'t Path, text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { what, path, text, starts, places: BTreeMap::new() }
    }

    /// An error that points at a part of the text.
    pub(crate) fn error(&self, at: Range<usize>, message: impl Into<String>) -> Error {
        let (line, column) = self.position(at.start);
        let place = format!("{}:{line}:{column}", self.path.display());
        let error = Error::usage(message).with(self.what, place).at_line(line);
        match self.excerpt(&at) {
            Some(excerpt) => error.with("line", excerpt),
            None => error,
        }
    }

    /// An error that points at a value, or only at the file if the key is not in it.
    pub(crate) fn error_at(&self, key: &str, message: impl Into<String>) -> Error {
        match self.places.get(key) {
            Some(place) => self.error(place.value.clone(), message).at_key(key),
            None => Error::usage(message).with(self.what, self.path.display().to_string()).at_key(key),
        }
    }

    /// An error that points at the key itself instead of its value.
    pub(crate) fn error_at_key(&self, key: &str, message: impl Into<String>) -> Error {
        match self.places.get(key) {
            Some(place) => self.error(place.key.clone(), message).at_key(key),
            None => self.error_at(key, message),
        }
    }

    /// Whether a key is written in the file and holds a value rather than a table.
    pub(crate) fn has_value(&self, key: &str) -> bool {
        let below = format!("{key}.");
        self.places.contains_key(key) && !self.places.keys().any(|other| other.starts_with(&below))
    }

    /// Refuses a format version that this program does not support.
    pub(crate) fn format(&self, key: &str, number: &str, known: u32) -> Result<()> {
        if number == known.to_string() {
            return Ok(());
        }
        let error = self.error_at(key, format!("this reindex does not know {key} format {number}"));
        Err(match number.parse::<u64>() {
            Ok(newer) if newer > u64::from(known) => {
                error.hint(format!("it knows format {known}: use a newer reindex for this {key}"))
            }
            _ => error.hint(format!("write it like: {key} = {known}")),
        })
    }

    /// Returns the line of each key in the file, by its dotted path.
    pub(crate) fn lines(&self) -> BTreeMap<String, usize> {
        let line = |place: &Place| self.starts.partition_point(|start| *start <= place.key.start);
        self.places.iter().map(|(key, place)| (key.clone(), line(place))).collect()
    }

    /// Turns a table of the shape of `schema` into a value of the program. `secrets` are the positions of replaced
    /// variables, whose values an error must not quote.
    pub(crate) fn deserialize<T: DeserializeOwned>(
        &self,
        table: Spanned<DeTable<'_>>,
        schema: &serde_json::Value,
        secrets: &[Range<usize>],
    ) -> Result<T> {
        T::deserialize(Deserializer::from(table)).map_err(|error| {
            let span = error.span().unwrap_or(0..self.text.len());
            let key = self.key_at(&span);
            let hidden = secrets.iter().any(|secret| secret.start < span.end && span.start < secret.end);
            let refusal = self.error(span, format!("`{key}` does not accept this value")).at_key(key);
            match shape::example_at(schema, key) {
                Some(example) => {
                    refusal.hint(format!("write it like: {} = {example}", key.rsplit('.').next().unwrap_or(key)))
                }
                None if hidden => refusal.with("reason", "it does not accept what the variable holds"),
                None => refusal.with("reason", error.message().trim_end()),
            }
        })
    }

    /// Records the positions of a table's keys, `grant.read` before `grant.read.storage`.
    fn note(&mut self, above: &str, table: &DeTable) {
        for (key, value) in table {
            let path = join(above, key.get_ref());
            let place = Place { key: key.span(), value: value.span() };
            self.places.insert(path.clone(), place);
            self.note_value(&path, value.get_ref());
        }
    }

    fn note_value(&mut self, path: &str, value: &DeValue) {
        match value {
            DeValue::Table(table) => self.note(path, table),
            DeValue::Array(array) => {
                for (n, element) in array.iter().enumerate() {
                    let path = format!("{path}[{n}]");
                    self.places.insert(path.clone(), Place { key: element.span(), value: element.span() });
                    self.note_value(&path, element.get_ref());
                }
            }
            _ => {}
        }
    }

    /// The key with the smallest value that contains a span.
    fn key_at(&self, span: &Range<usize>) -> &str {
        self.places
            .iter()
            .filter(|(_, place)| place.value.start <= span.start && span.end <= place.value.end)
            .min_by_key(|(_, place)| place.value.len())
            .map_or(self.what, |(key, _)| key)
    }

    /// Line and column, counted from 1, in characters.
    fn position(&self, at: usize) -> (usize, usize) {
        let at = self.text.floor_char_boundary(at);
        let line = self.starts.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).map_or(0, |above| self.starts[above]);
        (line, self.text[start..at].chars().count() + 1)
    }

    /// The source line with a caret under the position; control characters are replaced, since they would move the
    /// caret.
    fn excerpt(&self, at: &Range<usize>) -> Option<String> {
        let (line, column) = self.position(at.start);
        let text = self.text[*self.starts.get(line.checked_sub(1)?)?..].lines().next()?;
        if text.trim().is_empty() {
            return None;
        }
        let skip = column.saturating_sub(EXCERPT / 2);
        let shown: String =
            text.chars().skip(skip).take(EXCERPT).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let marked = self.text.get(at.clone()).map_or(0, |marked| marked.lines().next().unwrap_or("").chars().count());
        let room = (shown.chars().count() + 1).saturating_sub(column - 1 - skip).max(1);
        let carets = "^".repeat(marked.clamp(1, room));
        Some(format!("{}\n{}{carets}", shown.trim_end(), " ".repeat(column - 1 - skip)))
    }
}

/// Takes keys out of a table, by their dotted paths; of a list, the key whose list it is.
pub(crate) fn remove(table: &mut DeTable, keys: &[String]) {
    let keys: Vec<_> = keys.iter().map(|key| key.split_once('[').map_or(key.as_str(), |(list, _)| list)).collect();
    remove_below("", table, &keys);
}

fn remove_below(above: &str, table: &mut DeTable, keys: &[&str]) {
    let kept = std::mem::take(table).into_iter().filter_map(|(key, mut value)| {
        let path = join(above, key.get_ref());
        if let DeValue::Table(table) = value.get_mut() {
            remove_below(&path, table, keys);
        }
        (!keys.contains(&path.as_str())).then_some((key, value))
    });
    *table = kept.collect();
}

/// How much of a line an error shows, in characters.
const EXCERPT: usize = 100;

/// A key's dotted path in TOML syntax.
pub(crate) fn join(above: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let key = if bare { key.to_owned() } else { format!("{key:?}") };
    if above.is_empty() { key } else { format!("{above}.{key}") }
}

/// Returns the candidate that the user most likely meant, if one is near.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Formats words for a sentence: "`a`, `b` and `c`".
pub(crate) fn list<T: AsRef<str>>(words: &[T], last: &str) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
    }
}
