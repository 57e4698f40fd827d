//! Which fields a run would lose: the existing document has them, and the document that the run would write has not.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Change, Field};

/// In how many documents each field would be lost, by the recipe's name of the index and by the field's path, in which
/// `[]` stands for any element of a list.
pub type Lost = BTreeMap<String, BTreeMap<String, u64>>;

/// How many fields of an index are counted separately; the others count together as [`OTHERS`], each document once.
const MOST: usize = 1000;
const OTHERS: &str = "…";

/// Counts the fields that a changed document would lose; each field counts once per document.
pub(super) fn take(lost: &mut Lost, index: &str, change: &Change) {
    let Change::Changed(fields) = change else { return };
    let paths: BTreeSet<_> = fields.iter().filter(|field| is_lost(field)).map(|field| general(&field.path)).collect();
    if paths.is_empty() {
        return;
    }
    let counts = lost.entry(index.to_owned()).or_default();
    let told_apart = |path: String| {
        let is_full = counts.len() >= MOST && !counts.contains_key(&path);
        if is_full { OTHERS.to_owned() } else { path }
    };
    for path in paths.into_iter().map(told_apart).collect::<BTreeSet<_>>() {
        *counts.entry(path).or_default() += 1;
    }
}

/// A null holds no value, and a list that gets shorter keeps its fields.
fn is_lost(Field { path, before, after }: &Field) -> bool {
    after.is_none() && before.as_ref().is_some_and(|before| before.get() != "null") && !path.ends_with(']')
}

/// The path without the indexes of list elements.
fn general(path: &str) -> String {
    let mut parts = path.split('[');
    let mut general = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = part.bytes().take_while(u8::is_ascii_digit).count();
        general.push('[');
        general.push_str(if part[number..].starts_with(']') { &part[number..] } else { part });
    }
    general
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn field(path: &str, before: Option<&str>, after: Option<&str>) -> Field {
        let raw = |text: Option<&str>| text.map(|text| RawValue::from_string(text.to_owned()).unwrap());
        Field { path: path.to_owned(), before: raw(before), after: raw(after) }
    }

    #[test]
    fn a_field_is_lost_if_only_the_live_document_has_it_and_counts_once_a_document() {
        let mut lost = Lost::new();
        let tenures = [
            field("tenures[0].uprn", Some("1"), None),
            field("tenures[17].uprn", Some("2"), None),
            field("tenures[18]", Some("{}"), None),
            field("owner", Some("1"), Some("2")),
            field("new", None, Some("1")),
            field("nothing", Some("null"), None),
        ];
        take(&mut lost, "persons", &Change::Changed(tenures.into()));
        take(&mut lost, "persons", &Change::Changed(vec![field("isActive", Some("true"), None)]));
        take(&mut lost, "persons", &Change::Changed(vec![field("isActive", Some("false"), None)]));
        take(&mut lost, "persons", &Change::Removed);
        let expected = BTreeMap::from([("isActive".to_owned(), 2), ("tenures[].uprn".to_owned(), 1)]);
        assert_eq!(lost, Lost::from([("persons".to_owned(), expected)]));
    }

    #[test]
    fn only_the_numbers_of_elements_go_from_a_path() {
        for (path, expected) in [("a", "a"), ("a[0][12].b[3]", "a[][].b[]"), ("a[x].b[1", "a[x].b[1"), ("", "")] {
            assert_eq!(general(path), expected);
        }
    }
}
