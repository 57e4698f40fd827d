//! The simple values of a packet by their paths.

use std::collections::HashMap;

use super::node::{Node, Read, Tree};
use crate::{date::clean_date, redaction::redact, text::trimmed};

/// Paths and values of a packet take at most this much; each path repeats the names around a value.
const LONGEST: usize = 16 * 1024 * 1024;
/// Paths with a value that may have any length contain one of these.
const OF_ANY_LENGTH: [&str; 3] = ["dc:description", "photoshop:Headline", "photoshop:Instructions"];
/// A path with one of these has a date for its value.
const DATES: [&str; 2] = ["Date", "date"];

/// Values by path, in the order of the packet: `dc:title[1]`, `dc:title[1]/xml:lang`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flat {
    entries: Vec<(String, String)>,
    places: HashMap<String, usize>,
}

impl Flat {
    /// The simple values of a tree; none if they are too many.
    pub(super) fn of(tree: &Tree) -> Read<Self> {
        let mut flat = Self::default();
        let mut left = LONGEST;
        for property in tree.schemas.iter().flat_map(|schema| &schema.children) {
            flat.list(property, &property.name, &mut left)?;
        }
        Some(flat)
    }

    fn list(&mut self, node: &Node, path: &str, left: &mut usize) -> Read<()> {
        if node.children.is_empty()
            && let Some(value) = &node.value
        {
            *left = left.checked_sub(path.len() + value.len())?;
            self.set(path.to_owned(), value.clone());
        }
        // The qualifiers of an array are counted after its items, as if they were some.
        for (place, child) in node.children.iter().chain(&node.qualifiers).enumerate() {
            let path = if node.is_array { format!("{path}[{}]", place + 1) } else { format!("{path}/{}", child.name) };
            self.list(child, &path, left)?;
        }
        Some(())
    }

    /// Sets the value of a path.
    pub fn set(&mut self, path: String, value: String) {
        match self.places.get(&path) {
            Some(place) => self.entries[*place].1 = value,
            None => {
                self.places.insert(path.clone(), self.entries.len());
                self.entries.push((path, value));
            }
        }
    }

    /// The value of a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&str> {
        self.places.get(path).map(|place| self.entries[*place].1.as_str())
    }

    /// Paths and values in their order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(path, value)| (path.as_str(), value.as_str()))
    }

    pub(super) fn into_entries(self) -> Vec<(String, String)> {
        self.entries
    }
}

impl FromIterator<(String, String)> for Flat {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Self {
        let mut flat = Self::default();
        entries.into_iter().for_each(|(path, value)| flat.set(path, value));
        flat
    }
}

/// Joins the packets of a file: of a path in several, the first value counts. Values are trimmed, dates are brought into
/// one form, and values that are too long are replaced.
pub(crate) fn join(packets: Vec<Flat>) -> Flat {
    let mut joined = Flat::default();
    for (path, value) in packets.into_iter().flat_map(Flat::into_entries) {
        let value = trimmed(&value);
        if value.is_empty() || joined.get(&path).is_some() {
            continue;
        }
        let is_date = DATES.iter().any(|word| path.contains(word));
        let mut value = if is_date { clean_date(value) } else { value.to_owned() };
        if !OF_ANY_LENGTH.iter().any(|name| path.contains(name)) {
            redact(&mut value);
        }
        joined.set(path, value);
    }
    joined
}
