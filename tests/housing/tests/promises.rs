//! What the generator promises to those who load its lines.
#![allow(clippy::unwrap_used, reason = "a test's answer to the unexpected is to fail")]

use std::collections::{BTreeSet, HashSet};

use housing::{Form, Housing, Kind, companions};
use serde_json::{Value, json};

const KINDS: [Kind; 3] = [Kind::People, Kind::Tenancies, Kind::Properties];

fn records(housing: Housing, kind: Kind, count: u64) -> Vec<Value> {
    housing.lines(kind, 0..count).map(|line| serde_json::from_str(&line).unwrap()).collect()
}

fn plain(invalid_per_thousand: u64) -> Housing {
    Housing { invalid_per_thousand, form: Form::Plain, ..Housing::new(7) }
}

fn ids(records: &[Value]) -> HashSet<&str> {
    records.iter().map(|record| record["id"].as_str().unwrap()).collect()
}

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[test]
fn the_same_seed_gives_the_same_bytes_in_any_order_and_another_seed_gives_others() {
    for kind in KINDS {
        let forwards: Vec<_> = Housing::new(7).lines(kind, 0..500).collect();
        let mut backwards: Vec<_> = (0..500).rev().map(|n| Housing::new(7).line(kind, n)).collect();
        backwards.reverse();
        assert_eq!(forwards, backwards);
        assert!(Housing::new(8).lines(kind, 0..500).zip(&forwards).all(|(other, line)| other != *line));
    }
}

#[test]
fn a_record_far_away_is_written_like_the_first() {
    for kind in KINDS {
        let far = serde_json::from_str::<Value>(&plain(4).line(kind, 1 << 60)).unwrap();
        assert_eq!(far["id"].as_str().map(str::len), Some(36));
    }
}

#[test]
fn every_record_has_a_key_of_its_own_and_a_version() {
    for kind in KINDS {
        let records = records(plain(50), kind, 20_000);
        assert_eq!(ids(&records).len(), records.len());
        assert!(records.iter().all(|record| record["versionNumber"].is_u64()));
    }
}

#[test]
fn every_link_is_found_and_holds_in_both_directions() {
    let people = records(plain(50), Kind::People, 4000);
    let tenancies = records(plain(50), Kind::Tenancies, companions(4000));
    let properties = records(plain(50), Kind::Properties, companions(4000));
    let (known_tenancies, known_properties) = (ids(&tenancies), ids(&properties));

    let mut lived_in = HashSet::new();
    for person in &people {
        for tenure in elements(&person["tenures"]).filter(|tenure| tenure["id"].is_string()) {
            assert!(known_tenancies.contains(tenure["id"].as_str().unwrap()), "{tenure}");
            assert!(known_properties.contains(tenure["assetId"].as_str().unwrap()), "{tenure}");
            lived_in.insert((person["id"].as_str().unwrap(), tenure["id"].as_str().unwrap()));
        }
    }
    let mut housed = HashSet::new();
    for (tenancy, property) in tenancies.iter().zip(&properties) {
        let sound = |member: &&Value| member["id"].is_string() && member["isResponsible"] != "perhaps";
        for member in elements(&tenancy["householdMembers"]).filter(sound) {
            housed.insert((member["id"].as_str().unwrap(), tenancy["id"].as_str().unwrap()));
        }
        let asset = &tenancy["tenuredAsset"]["id"];
        assert!(asset.is_null() || asset == &property["id"]);
        assert!(property["tenure"].is_null() || property["tenure"]["id"] == tenancy["id"]);
    }
    assert_eq!(lived_in, housed);
    assert!(housed.len() > 3000);
}

#[test]
fn every_attribute_type_occurs_in_each_table_taken_together() {
    let mut tags = BTreeSet::new();
    for kind in KINDS {
        for record in records(Housing::new(7), kind, 500) {
            collect_tags(&json!({ "M": record["Item"] }), &mut tags);
        }
    }
    let all = ["B", "BOOL", "BS", "L", "M", "N", "NS", "NULL", "S", "SS"];
    assert_eq!(tags, all.map(str::to_owned).into());
}

fn collect_tags(typed: &Value, tags: &mut BTreeSet<String>) {
    let (tag, value) = typed.as_object().unwrap().iter().next().unwrap();
    tags.insert(tag.clone());
    match tag.as_str() {
        "M" => value.as_object().unwrap().values().for_each(|value| collect_tags(value, tags)),
        "L" => elements(value).for_each(|value| collect_tags(value, tags)),
        _ => {}
    }
}

#[test]
fn both_forms_say_the_same() {
    for kind in KINDS {
        let typed = records(Housing { form: Form::DynamodbJson, ..plain(50) }, kind, 1000);
        for (typed, plain) in typed.iter().zip(records(plain(50), kind, 1000)) {
            assert_eq!(untyped(&json!({ "M": typed["Item"] })), plain);
        }
    }
}

/// Reads DynamoDB's types as its documentation has them; sets are arrays in order.
fn untyped(typed: &Value) -> Value {
    let (tag, value) = typed.as_object().unwrap().iter().next().unwrap();
    let number = |text: &Value| serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap();
    match tag.as_str() {
        "M" => value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), untyped(value))).collect(),
        "L" => elements(value).map(untyped).collect(),
        "N" => number(value),
        "NS" => elements(value).map(number).collect(),
        "NULL" => Value::Null,
        _ => value.clone(),
    }
}

#[test]
fn sets_are_sorted_and_repeat_nothing() {
    for kind in KINDS {
        for line in Housing::new(7).lines(kind, 0..1000) {
            for (start, _) in line.match_indices("S\":[") {
                let end = start + line[start..].find(']').unwrap() + 1;
                let members: Vec<String> = serde_json::from_str(&line[start + 3..end]).unwrap();
                let weight = |member: &String| (member.parse::<u64>().ok(), member.clone());
                assert!(members.is_sorted_by(|a, b| weight(a) < weight(b)), "{members:?}");
            }
        }
    }
}

#[test]
fn people_are_of_many_scripts_and_some_attributes_are_absent_null_empty_or_long() {
    let text: String = plain(0).lines(Kind::People, 0..2000).collect();
    for sign in ["العربي", "欧阳", "☀️", "e\u{308}", "O'Neil", r#"\"Jonny\" \\"#, "अनन्या"] {
        assert!(text.contains(sign), "{sign}");
    }
    let people = records(plain(0), Kind::People, 2000);
    let some = |is: fn(&Value) -> bool| people.iter().any(is);
    assert!(some(|person| person.get("title").is_none()));
    assert!(some(|person| person.get("title").is_some_and(Value::is_null)));
    assert!(some(|person| person["title"] == ""));
    assert!(some(|person| person["firstName"].as_str().is_some_and(|name| name.len() > 150)));
    assert!(some(
        |person| elements(&person["tenures"]).any(|tenure| tenure["paymentReference"].to_string().len() == 38)
    ));
}

#[test]
fn exactly_the_records_declared_invalid_break_the_mapping_rules() {
    for kind in KINDS {
        for rate in [0, 4, 500, 1000] {
            let housing = plain(rate);
            let mut invalid = 0;
            for (n, record) in (0..).zip(records(housing, kind, 3000)) {
                assert_eq!(is_sound(kind, &record), housing.is_valid(kind, n), "{record}");
                invalid += u64::from(!housing.is_valid(kind, n));
            }
            assert_eq!(invalid, rate * 3);
        }
    }
}

/// The required attributes of the mapping rules, read off once more.
fn is_sound(kind: Kind, record: &Value) -> bool {
    let has_id = |value: &Value| value["id"].is_string();
    match kind {
        Kind::People => elements(&record["tenures"]).all(has_id),
        Kind::Properties => record["assetType"].is_string(),
        Kind::Tenancies => {
            let members = || elements(&record["householdMembers"]);
            members().all(has_id)
                && members().all(|member| is_answer(&member["isResponsible"]))
                && has_id(&record["tenuredAsset"])
                && (record["tenureType"].is_null() || record["tenureType"]["code"].is_string())
        }
    }
}

fn is_answer(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => ["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word)),
        _ => false,
    }
}

#[test]
fn a_person_takes_about_a_kilobyte() {
    let bytes: usize = Housing::new(7).lines(Kind::People, 0..2000).map(|line| line.len()).sum();
    assert!((900..1200).contains(&(bytes / 2000)), "{}", bytes / 2000);
}

#[test]
fn the_sample_beside_the_recipes_is_what_its_commands_write() {
    let town = Housing::new(1);
    let faulty = Housing { invalid_per_thousand: 10, ..town };
    for (table, housing, kind, count) in [
        ("people", faulty, Kind::People, 200),
        ("tenancies", town, Kind::Tenancies, companions(200)),
        ("properties", town, Kind::Properties, companions(200)),
    ] {
        let path = format!("{}/../../recipes/sample/{table}.jsonl", env!("CARGO_MANIFEST_DIR"));
        let lines: String = housing.lines(kind, 0..count).map(|line| line + "\n").collect();
        let sample = std::fs::read_to_string(&path).unwrap();
        assert!(sample == lines, "rewrite it: cargo run -p housing -- {table} {count} > recipes/sample/{table}.jsonl");
    }
    assert_eq!((0..200).filter(|n| !faulty.is_valid(Kind::People, *n)).count(), 2);
}
