//! A part of the objects of a bucket, and the entries among them that are no objects.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ObjectInfo;

/// How many names are kept per reason.
const EXAMPLES: usize = 3;

/// A part of the objects of a bucket, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The objects.
    pub objects: Vec<ObjectInfo>,
    /// Entries among them that are not served as objects.
    pub omitted: Vec<Omitted>,
    /// The key after which the next part begins; none after the last part. The number of objects here shows nothing.
    pub next: Option<String>,
}

/// An entry of a bucket that is not served as an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omitted {
    /// Its name for display, with bytes that are not text escaped; a folder ends in a slash.
    pub name: String,
    /// Why, as a fragment.
    pub reason: &'static str,
}

/// How many entries are not served as objects, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Omissions(BTreeMap<&'static str, Omission>);

/// The entries of one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Omission {
    /// How many there are.
    pub count: u64,
    /// The names of the first few.
    pub examples: Vec<String>,
}

impl Omissions {
    /// Counts an entry.
    pub fn add(&mut self, Omitted { name, reason }: Omitted) {
        let omission = self.0.entry(reason).or_default();
        omission.count += 1;
        if omission.examples.len() < EXAMPLES {
            omission.examples.push(name);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many entries there are.
    pub fn count(&self) -> u64 {
        self.0.values().map(|omission| omission.count).sum()
    }

    /// One line per reason: how many entries, why, and some names.
    pub fn lines(&self) -> Vec<String> {
        let line = |(reason, Omission { count, examples }): (&&str, &Omission)| {
            let more = if *count > examples.len() as u64 { ", …" } else { "" };
            format!("{count} omitted: {reason} ({}{more})", examples.join(", "))
        };
        self.0.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_counted_by_reason_with_the_first_names() {
        let mut omissions = Omissions::default();
        for number in 0..5 {
            omissions.add(Omitted { name: format!("x{number}"), reason: "a link" });
        }
        omissions.add(Omitted { name: "y".to_owned(), reason: "a folder" });
        assert_eq!(omissions.count(), 6);
        assert_eq!(omissions.lines(), ["1 omitted: a folder (y)", "5 omitted: a link (x0, x1, x2, …)"]);
    }
}
