//! The rules of an asset, restated over `serde_json` and compared with the mapping for arbitrary items.

#[path = "../../guest/tests/json/mod.rs"]
mod json;

use assets::mapping::document;
use proptest::prelude::*;
use reindex_guest::samples::canonical;
use serde_json::{Map, Value};

const ADDRESS: [&str; 7] =
    ["uprn", "addressLine1", "addressLine2", "addressLine3", "addressLine4", "postCode", "postPreamble"];

const TENURE: [&str; 5] = ["id", "paymentReference", "type", "startOfTenureDate", "endOfTenureDate"];

const NAMES: &[&str] = &[
    "id",
    "assetId",
    "assetType",
    "assetAddress",
    "tenure",
    "rootAsset",
    "parentAssetIds",
    "assetCharacteristics",
    "uprn",
    "addressLine1",
    "addressLine2",
    "addressLine3",
    "addressLine4",
    "postCode",
    "postPreamble",
    "paymentReference",
    "type",
    "startOfTenureDate",
    "endOfTenureDate",
    "numberOfBedrooms",
    "hasStairs",
    "isCautionaryAlerted",
];

fn rules(item: &Value) -> Result<Map<String, Value>, String> {
    let mut asset = Map::new();
    asset.insert("id".to_owned(), json::required(item, "id")?);
    json::put_texts_or_empty(&mut asset, item, &[("assetId", "assetId")]);
    asset.insert("assetType".to_owned(), json::required(item, "assetType")?);
    put_map(&mut asset, item, "assetAddress", &ADDRESS);
    put_map(&mut asset, item, "tenure", &TENURE);
    asset.insert("isCautionaryAlerted".to_owned(), false.into());
    json::put_texts_if_any(&mut asset, item, &["rootAsset", "parentAssetIds"]);
    if let Some(characteristics) = item.get("assetCharacteristics").and_then(Value::as_object) {
        let mut passed = characteristics.clone();
        passed.retain(|_, value| is_passed(value));
        passed.sort_keys();
        asset.insert("assetCharacteristics".to_owned(), passed.into());
    }
    Ok(asset)
}

fn is_passed(value: &Value) -> bool {
    value.is_boolean() || value.is_string() || value.is_number() && !value.to_string().contains('.')
}

fn put_map(document: &mut Map<String, Value>, item: &Value, name: &str, texts: &[&str]) {
    if let Some(value) = item.get(name).filter(|value| value.is_object()) {
        let mut map = Map::new();
        let texts: Vec<_> = texts.iter().map(|name| (*name, *name)).collect();
        json::put_texts_or_empty(&mut map, value, &texts);
        document.insert(name.to_owned(), map.into());
    }
}

proptest! {
    #[test]
    fn any_item_becomes_what_the_rules_say(item in json::item(NAMES)) {
        json::assert_same(document(&canonical(&item)), rules(&item));
    }

    #[test]
    fn any_item_with_all_that_is_required_becomes_what_the_rules_say(item in json::valid_item(NAMES, &["id", "assetType"])) {
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

fn asset(attributes: &str) -> Value {
    let body = format!(r#"{{"assetType":"Dwelling","id":"a-1"{attributes}}}"#);
    serde_json::from_str(&document(&body).expect("a valid asset")).expect("JSON")
}

#[test]
fn each_field_of_an_asset_follows_its_row_of_the_table() {
    let absent = asset("");
    assert_eq!(absent["assetId"], "");
    assert_eq!(absent["isCautionaryAlerted"], false);
    for name in ["assetAddress", "tenure", "rootAsset", "parentAssetIds", "assetCharacteristics"] {
        assert_eq!(absent.get(name), None, "{name} is absent");
    }
    for name in ["assetId", "assetAddress", "tenure", "rootAsset", "parentAssetIds", "assetCharacteristics"] {
        assert_eq!(asset(&format!(r#","{name}":null"#)).get(name), None, "{name} is null");
    }
}

#[test]
fn each_text_of_an_address_and_a_tenure_is_empty_when_absent_and_left_out_when_null() {
    for (map, names) in [("assetAddress", &ADDRESS[..]), ("tenure", &TENURE[..])] {
        for name in names {
            let of = |inside: &str| asset(&format!(r#","{map}":{{{inside}}}"#))[map].get(name).cloned();
            assert_eq!(of(""), Some("".into()), "{map}.{name} is absent");
            assert_eq!(of(&format!(r#""{name}":null"#)), None, "{map}.{name} is null");
            assert_eq!(of(&format!(r#""{name}":[1]"#)), None, "{map}.{name} is a list");
            assert_eq!(of(&format!(r#""{name}":1"#)), Some("1".into()), "{map}.{name} is a number");
        }
    }
}
