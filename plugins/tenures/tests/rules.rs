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
    "isActive",
    "dateOfBirth",
    "personTenureType",
    "isTemporaryAccommodation",
    "tempAccommodationInfo",
    "bookingStatus",
    "assignedOfficer",
    "email",
];

const OFFICER: &[&str] = &["id", "email", "firstName", "lastName"];

fn rules(item: &Value) -> Result<Map<String, Value>, String> {
    let mut tenure = Map::new();
    tenure.insert("id".to_owned(), json::required(item, "id")?);
    json::put_texts_or_empty(&mut tenure, item, &[("paymentReference", "paymentReference")]);
    let members = json::maps(item, "householdMembers", household_member)?;
    tenure.extend(members.map(|members| ("householdMembers".to_owned(), members)));
    json::put_map(&mut tenure, item, "tenuredAsset", |asset| {
        let mut map = with("id", asset, &["type", "fullAddress", "uprn"])?;
        json::put_booleans(&mut map, asset, &["isTemporaryAccommodation"])?;
        Ok(map)
    })?;
    for name in ["startOfTenureDate", "endOfTenureDate"] {
        let date = item.get(name).and_then(json::text).filter(|date| !date.is_empty());
        tenure.extend(date.map(|date| (name.to_owned(), date.into())));
    }
    json::put_map(&mut tenure, item, "tenureType", |kind| with("code", kind, &["description"]))?;
    json::put_booleans(&mut tenure, item, &["isActive"])?;
    json::put_map(&mut tenure, item, "tempAccommodationInfo", |info| {
        let mut map = Map::new();
        json::put_texts_if_any(&mut map, info, &["bookingStatus"]);
        json::put_map(&mut map, info, "assignedOfficer", |officer| {
            let mut map = Map::new();
            json::put_texts_if_any(&mut map, officer, OFFICER);
            json::put_rest(&mut map, officer, &[OFFICER]);
            Ok(map)
        })?;
        json::put_rest(&mut map, info, &[&["bookingStatus", "assignedOfficer"]]);
        Ok(map)
    })?;
    Ok(tenure)
}

fn household_member(member: &Value) -> Result<Value, String> {
    let mut map = with("id", member, &["type", "fullName"])?;
    map.insert("isResponsible".to_owned(), json::boolean(member, "isResponsible")?.unwrap_or(false).into());
    json::put_texts_if_any(&mut map, member, &["dateOfBirth", "personTenureType"]);
    Ok(map.into())
}

/// A map with a text that it must have and others that it may have.
fn with(required: &str, value: &Value, texts: &[&str]) -> Result<Map<String, Value>, String> {
    let mut map = Map::from_iter([(required.to_owned(), json::required(value, required)?)]);
    json::put_texts_if_any(&mut map, value, texts);
    Ok(map)
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
    for name in NAMES.iter().filter(|name| !["id", "paymentReference"].contains(name)) {
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
