//! The rules of a person, restated over `serde_json` and compared with the mapping for arbitrary items.

#[path = "../../guest/tests/json/mod.rs"]
mod json;

use persons::mapping::document;
use proptest::prelude::*;
use reindex_guest::samples::canonical;
use serde_json::{Map, Value};

/// Field and attribute; `""` when absent, left out when null.
const TEXTS: [(&str, &str); 10] = [
    ("title", "title"),
    ("preferredTitle", "preferredTitle"),
    ("preferredFirstname", "preferredFirstName"),
    ("preferredMiddleName", "preferredMiddleName"),
    ("preferredSurname", "preferredSurname"),
    ("firstname", "firstName"),
    ("middleName", "middleName"),
    ("surname", "surname"),
    ("dateOfBirth", "dateOfBirth"),
    ("placeOfBirth", "placeOfBirth"),
];

/// Left out when absent or null.
const OF_A_TENURE: [&str; 8] =
    ["paymentReference", "type", "startDate", "endDate", "assetFullAddress", "uprn", "propertyReference", "assetId"];

const NAMES: &[&str] = &[
    "id",
    "title",
    "preferredTitle",
    "preferredFirstName",
    "preferredMiddleName",
    "preferredSurname",
    "firstName",
    "middleName",
    "surname",
    "dateOfBirth",
    "placeOfBirth",
    "tenures",
    "personTypes",
    "paymentReference",
    "type",
    "startDate",
    "endDate",
    "assetFullAddress",
    "uprn",
    "propertyReference",
    "assetId",
];

fn rules(item: &Value) -> Result<Map<String, Value>, String> {
    let mut person = Map::new();
    person.insert("id".to_owned(), json::required(item, "id")?);
    json::put_texts_or_empty(&mut person, item, &TEXTS);
    let tenures = json::maps(item, "tenures", |tenure| {
        let mut map = Map::new();
        map.insert("id".to_owned(), json::required(tenure, "id")?);
        json::put_texts_if_any(&mut map, tenure, &OF_A_TENURE);
        Ok(map.into())
    })?;
    person.extend(tenures.map(|tenures| ("tenures".to_owned(), tenures)));
    person.insert("personTypes".to_owned(), person_types(item)?);
    Ok(person)
}

fn person_types(item: &Value) -> Result<Value, String> {
    let types = item.get("personTypes").and_then(Value::as_array).cloned().unwrap_or_default();
    let texts = types.iter().enumerate().map(|(n, value)| {
        json::text(value).ok_or_else(|| {
            let problem = if value.is_null() { "is null" } else { "is not a scalar" };
            format!("personTypes[{n}] {problem}")
        })
    });
    texts.collect::<Result<Vec<_>, _>>().map(Value::from)
}

proptest! {
    #[test]
    fn any_item_becomes_what_the_rules_say(item in json::item(NAMES)) {
        json::assert_same(document(&canonical(&item)), rules(&item));
    }

    #[test]
    fn any_item_with_an_id_becomes_what_the_rules_say(item in json::valid_item(NAMES, &["id"])) {
        json::assert_same(document(&canonical(&item)), rules(&item));
    }

    #[test]
    fn the_same_item_gives_the_same_bytes(item in json::item(NAMES)) {
        let body = canonical(&item);
        prop_assert_eq!(document(&body), document(&body));
    }

    #[test]
    fn any_other_value_is_refused_in_words(value in json::value(NAMES)) {
        prop_assume!(!value.is_object());
        let invalid = document(&value.to_string()).unwrap_err();
        prop_assert_eq!(invalid.reason(), "the item is not a map");
    }

    #[test]
    fn any_text_and_any_part_of_an_item_is_survived(text in json::words(), item in json::item(NAMES), at in any::<prop::sample::Index>()) {
        prop_assert!(document(&text).is_err());
        let body = canonical(&item);
        let cut = body.floor_char_boundary(at.index(body.len()));
        prop_assert!(document(&body[..cut]).is_err());
        let _ = document(&format!("{}{text}{}", &body[..cut], &body[cut..]));
    }
}

#[test]
fn each_text_follows_its_row_of_the_table() {
    for (field, attribute) in TEXTS {
        let field_of = |value: &str| {
            let body = format!(r#"{{"{attribute}":{value},"id":"p-1"}}"#);
            serde_json::from_str::<Value>(&document(&body).unwrap()).unwrap().get(field).cloned()
        };
        for null in ["null", "[]", "{}", r#"["x"]"#, r#"{"S":"x"}"#] {
            assert_eq!(field_of(null), None, "{attribute}: {null}");
        }
        for (value, text) in [("\"x\"", "x"), ("\"\"", ""), ("1.50", "1.50"), ("true", "true"), ("false", "false")] {
            assert_eq!(field_of(value), Some(text.into()), "{attribute}: {value}");
        }
        let absent: Value = serde_json::from_str(&document(r#"{"id":"p-1"}"#).unwrap()).unwrap();
        assert_eq!(absent[field], "", "{attribute}");
    }
}
