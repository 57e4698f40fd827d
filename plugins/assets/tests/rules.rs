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
    "isActive",
    "assetManagement",
    "isTMOManaged",
    "owner",
    "assetLocation",
    "floorNo",
    "assetContracts",
    "isApproved",
    "approvalDate",
    "charges",
    "amount",
    "relatedPeople",
];

const MANAGEMENT: [&[&str]; 2] = [
    &[
        "isCouncilProperty",
        "isNoRepairsMaintenance",
        "isTMOManaged",
        "isTemporaryAccomodation",
        "isPartOfTemporaryAccommodationBlock",
    ],
    &[
        "agent",
        "areaOfficeName",
        "managingOrganisation",
        "managingOrganisationId",
        "owner",
        "propertyOccupiedStatus",
        "temporaryAccommodationParentAssetId",
    ],
];

const CONTRACT: [&[&str]; 4] = [
    &["isActive", "isApproved"],
    &["approvalDate", "startDate", "endDate"],
    &["id", "targetId", "targetType", "approvalStatus", "approvalStatusReason", "endReason"],
    &["charges", "relatedPeople"],
];

fn rules(item: &Value) -> Result<Map<String, Value>, String> {
    let mut asset = Map::new();
    asset.insert("id".to_owned(), json::required(item, "id")?);
    json::put_texts_or_empty(&mut asset, item, &[("assetId", "assetId")]);
    asset.insert("assetType".to_owned(), json::required(item, "assetType")?);
    json::put_map(&mut asset, item, "assetAddress", |address| Ok(texts_or_empty(address, &ADDRESS)))?;
    json::put_map(&mut asset, item, "tenure", |tenure| {
        let mut map = texts_or_empty(tenure, &TENURE);
        json::put_booleans(&mut map, tenure, &["isActive"])?;
        Ok(map)
    })?;
    asset.insert("isCautionaryAlerted".to_owned(), false.into());
    json::put_texts_if_any(&mut asset, item, &["rootAsset"]);
    put_parents(&mut asset, item)?;
    if let Some(characteristics) = item.get("assetCharacteristics").and_then(Value::as_object) {
        let mut passed = characteristics.clone();
        passed.retain(|_, value| is_passed(value));
        passed.sort_keys();
        asset.insert("assetCharacteristics".to_owned(), passed.into());
    }
    json::put_booleans(&mut asset, item, &["isActive"])?;
    json::put_map(&mut asset, item, "assetManagement", |management| {
        let mut map = Map::new();
        json::put_booleans(&mut map, management, MANAGEMENT[0])?;
        json::put_texts_if_any(&mut map, management, MANAGEMENT[1]);
        json::put_rest(&mut map, management, &MANAGEMENT);
        Ok(map)
    })?;
    json::put_map(&mut asset, item, "assetLocation", |location| Ok(texts_and_rest(location, &["floorNo"], &[])))?;
    let contracts = json::maps(item, "assetContracts", contract)?;
    asset.extend(contracts.map(|contracts| ("assetContracts".to_owned(), contracts)));
    Ok(asset)
}

fn put_parents(asset: &mut Map<String, Value>, item: &Value) -> Result<(), String> {
    let Some(parents) = item.get("parentAssetIds").and_then(Value::as_array) else {
        json::put_texts_if_any(asset, item, &["parentAssetIds"]);
        return Ok(());
    };
    let text = |(n, parent): (usize, &Value)| match json::text(parent) {
        Some(text) => Ok(Value::from(text)),
        None if parent.is_null() => Err(format!("parentAssetIds[{n}] is null")),
        None => Err(format!("parentAssetIds[{n}] is not a scalar")),
    };
    let parents: Result<Vec<_>, _> = parents.iter().enumerate().map(text).collect();
    asset.insert("parentAssetIds".to_owned(), parents?.into());
    Ok(())
}

fn contract(contract: &Value) -> Result<Value, String> {
    let mut map = Map::new();
    json::put_booleans(&mut map, contract, CONTRACT[0])?;
    for name in CONTRACT[1] {
        let date = contract.get(*name).and_then(json::text).filter(|date| !date.is_empty());
        map.extend(date.map(|date| ((*name).to_owned(), date.into())));
    }
    json::put_texts_if_any(&mut map, contract, CONTRACT[2]);
    json::put_rest(&mut map, contract, &CONTRACT);
    for (name, rule) in [("charges", charge as fn(&Value) -> Map<String, Value>), ("relatedPeople", person)] {
        json::put_map(&mut map, contract, name, |one| Ok(rule(one)))?;
        let many = json::maps(contract, name, |one| Ok(rule(one).into()))?;
        map.extend(many.map(|many| (name.to_owned(), many)));
    }
    Ok(map.into())
}

fn charge(charge: &Value) -> Map<String, Value> {
    let mut map = Map::new();
    let is_amount = |value: &&Value| value.is_number() || value.as_str().is_some_and(|text| !text.is_empty());
    map.extend(charge.get("amount").filter(is_amount).map(|amount| ("amount".to_owned(), amount.clone())));
    map.extend(texts_and_rest(charge, &["id", "type", "subType", "frequency"], &["amount"]));
    map
}

fn person(person: &Value) -> Map<String, Value> {
    texts_and_rest(person, &["id", "name", "type", "subType"], &[])
}

fn texts_and_rest(value: &Value, texts: &[&str], others: &[&str]) -> Map<String, Value> {
    let mut map = Map::new();
    json::put_texts_if_any(&mut map, value, texts);
    json::put_rest(&mut map, value, &[texts, others]);
    map
}

fn texts_or_empty(value: &Value, texts: &[&str]) -> Map<String, Value> {
    let texts: Vec<_> = texts.iter().map(|name| (*name, *name)).collect();
    let mut map = Map::new();
    json::put_texts_or_empty(&mut map, value, &texts);
    map
}

fn is_passed(value: &Value) -> bool {
    value.is_boolean() || value.is_string() || value.is_number() && !value.to_string().contains('.')
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
    let maps = ["assetAddress", "tenure", "assetCharacteristics", "assetManagement", "assetLocation", "assetContracts"];
    let others = ["rootAsset", "parentAssetIds", "isActive"];
    for name in maps.iter().chain(&others) {
        assert_eq!(absent.get(name), None, "{name} is absent");
    }
    for name in maps.iter().chain(&others).chain(&["assetId"]) {
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

#[test]
fn the_parents_of_an_asset_stay_a_text_or_a_list() {
    let parents = |value: &str| asset(&format!(r#","parentAssetIds":{value}"#)).get("parentAssetIds").cloned();
    assert_eq!(parents(r#""a#b""#), Some("a#b".into()));
    assert_eq!(parents(r#"["b","a",7]"#), Some(serde_json::json!(["b", "a", "7"])));
    assert_eq!(parents("[]"), Some(serde_json::json!([])));
    assert_eq!(parents("{}"), None);
}

#[test]
fn the_index_has_a_field_for_everything_that_the_rules_name() {
    let index: Value = serde_json::from_str(include_str!("../index.json")).expect("JSON");
    let kind = |path: &str| {
        let parts = path.split('.').fold(&index["mappings"], |mapping, part| &mapping["properties"][part]);
        parts["type"].as_str().map(str::to_owned)
    };
    let texts = [MANAGEMENT[1], CONTRACT[2]].concat();
    let prefix = |name: &str| if MANAGEMENT[1].contains(&name) { "assetManagement" } else { "assetContracts" };
    for name in texts {
        assert_eq!(kind(&format!("{}.{name}", prefix(name))).as_deref(), Some("text"), "{name}");
    }
    for name in MANAGEMENT[0] {
        assert_eq!(kind(&format!("assetManagement.{name}")).as_deref(), Some("boolean"), "{name}");
    }
    for name in CONTRACT[1] {
        assert_eq!(kind(&format!("assetContracts.{name}")).as_deref(), Some("date"), "{name}");
    }
    assert_eq!(kind("assetContracts.charges.amount").as_deref(), Some("float"));
    assert_eq!(index["mappings"]["date_detection"], false);
}
