//! The rules of a tenure, restated over `serde_json` and compared with the mapping for arbitrary items.

#[path = "../../guest/tests/json/mod.rs"]
mod json;

use proptest::prelude::*;
use reindex_guest::samples::canonical;
use serde_json::{Map, Value};
use tenures::mapping::document;

const NAMES: &[&str] = &[
    "id",
    "paymentReference",
    "householdMembers",
    "tenuredAsset",
    "startOfTenureDate",
    "endOfTenureDate",
    "tenureType",
    "type",
    "fullName",
    "isResponsible",
    "fullAddress",
    "uprn",
    "code",
    "description",
];

fn rules(item: &Value) -> Result<Map<String, Value>, String> {
    let mut tenure = Map::new();
    tenure.insert("id".to_owned(), json::required(item, "id")?);
    json::put_texts_or_empty(&mut tenure, item, &[("paymentReference", "paymentReference")]);
    let members = json::maps(item, "householdMembers", household_member)?;
    tenure.extend(members.map(|members| ("householdMembers".to_owned(), members)));
    put_map(&mut tenure, item, "tenuredAsset", "id", &["type", "fullAddress", "uprn"])?;
    for name in ["startOfTenureDate", "endOfTenureDate"] {
        let date = item.get(name).and_then(json::text).filter(|date| !date.is_empty());
        tenure.extend(date.map(|date| (name.to_owned(), date.into())));
    }
    put_map(&mut tenure, item, "tenureType", "code", &["description"])?;
    Ok(tenure)
}

fn household_member(member: &Value) -> Result<Value, String> {
    let mut map = Map::new();
    map.insert("id".to_owned(), json::required(member, "id")?);
    json::put_texts_if_any(&mut map, member, &["type", "fullName"]);
    let is_responsible = match member.get("isResponsible") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(value)) => *value,
        Some(Value::Number(number)) => number.to_string().contains(['1', '2', '3', '4', '5', '6', '7', '8', '9']),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => true,
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => false,
        Some(_) => return Err("isResponsible is not a boolean".to_owned()),
    };
    map.insert("isResponsible".to_owned(), is_responsible.into());
    Ok(map.into())
}

fn put_map(
    document: &mut Map<String, Value>,
    item: &Value,
    name: &str,
    required: &str,
    texts: &[&str],
) -> Result<(), String> {
    let Some(value) = item.get(name).filter(|value| value.is_object()) else { return Ok(()) };
    let mut map = Map::new();
    let complain = |complaint| format!("{name}.{complaint}");
    map.insert(required.to_owned(), json::required(value, required).map_err(complain)?);
    json::put_texts_if_any(&mut map, value, texts);
    document.insert(name.to_owned(), map.into());
    Ok(())
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
    fn any_text_and_any_part_of_an_item_is_survived(text in json::words(), item in json::item(NAMES), at in any::<prop::sample::Index>()) {
        prop_assert!(document(&text).is_err());
        let body = canonical(&item);
        let cut = body.floor_char_boundary(at.index(body.len()));
        prop_assert!(document(&body[..cut]).is_err());
        let _ = document(&format!("{}{text}{}", &body[..cut], &body[cut..]));
    }
}

fn field(name: &str, body: &str) -> Option<Value> {
    let document = document(body).expect("a valid tenure");
    serde_json::from_str::<Value>(&document).expect("JSON").get(name).cloned()
}

#[test]
fn each_field_of_a_tenure_follows_its_row_of_the_table() {
    assert_eq!(field("paymentReference", r#"{"id":"t-1"}"#), Some("".into()));
    for name in ["householdMembers", "tenuredAsset", "startOfTenureDate", "endOfTenureDate", "tenureType"] {
        assert_eq!(field(name, r#"{"id":"t-1"}"#), None, "{name} is absent");
    }
    for name in NAMES.iter().filter(|name| **name != "id") {
        assert_eq!(field(name, &format!(r#"{{"id":"t-1","{name}":null}}"#)), None, "{name} is null");
    }
}

#[test]
fn each_date_is_left_out_when_it_is_empty() {
    for name in ["startOfTenureDate", "endOfTenureDate"] {
        let date = |value: &str| field(name, &format!(r#"{{"id":"t-1","{name}":{value}}}"#));
        for nothing in ["null", "\"\"", "[]", "{}"] {
            assert_eq!(date(nothing), None, "{name}: {nothing}");
        }
        assert_eq!(date("\"2010-04-05T00:00:00Z\""), Some("2010-04-05T00:00:00Z".into()), "{name}");
    }
}
