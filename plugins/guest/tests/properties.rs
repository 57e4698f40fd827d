//! The reader against `serde_json`, for arbitrary values and arbitrary damage.

mod json;

use proptest::prelude::*;
use reindex_guest::{Document, Json};
use serde_json::Value;

const NAMES: &[&str] = &["a", "ab", "b", "id", "é", "quo\"te"];

/// A value that went through the reader and the writer, as it is understood by `serde_json`.
fn copied(text: &str) -> Option<Value> {
    let json = Json::parse(text).ok()?;
    let mut document = Document::new();
    document.value("copy", json.value());
    let document: Value = serde_json::from_str(&document.finish()).expect("what is written is JSON");
    Some(document["copy"].clone())
}

proptest! {
    #[test]
    fn every_value_survives_reading_and_writing(value in json::value(NAMES)) {
        prop_assert_eq!(copied(&value.to_string()), Some(value.clone()));
        prop_assert_eq!(copied(&serde_json::to_string_pretty(&value).unwrap()), Some(value));
    }

    #[test]
    fn every_member_is_found_by_its_name(item in json::item(NAMES)) {
        let text = item.to_string();
        let json = Json::parse(&text).unwrap();
        let map = json.map().unwrap();
        for (name, value) in item.as_object().unwrap() {
            prop_assert_eq!(map.get(name).unwrap().scalar().map(|text| text.to_string()), json::text(value));
        }
        let members: Vec<_> = map.members().map(|(name, _)| name.to_string()).collect();
        let names: Vec<_> = item.as_object().unwrap().keys().cloned().collect();
        prop_assert_eq!(members, names);
    }

    #[test]
    fn damage_is_judged_as_by_a_strict_reader(value in json::value(NAMES), at in any::<prop::sample::Index>(), text in "[\\[\\]{}:,\"\\\\0-9eE.+u a-]{1,3}") {
        let mut damaged = value.to_string();
        let place = damaged.floor_char_boundary(at.index(damaged.len() + 1));
        damaged.insert_str(place, &text);
        prop_assert_eq!(Json::parse(&damaged).is_ok(), serde_json::from_str::<Value>(&damaged).is_ok(), "{}", damaged);
    }
}
