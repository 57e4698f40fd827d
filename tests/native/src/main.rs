//! The mapping of persons without a sandbox: through the guest SDK, and over a plain `serde_json::Value`.
//!
//! Prints nanoseconds a person, first through the SDK, then over a `Value`, and the bytes of a person. A package of
//! its own, so that `serde_json` is built as most programs have it, without the features of the host.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs, reason = "a benchmark prints, and may fail")]

use std::{hint::black_box, time::Instant};

use serde_json::{Map, Value, json};

const PEOPLE: u64 = 2_000;
const ROUNDS: u32 = 25;

fn main() {
    let mut housing = housing::Housing::new(1);
    housing.form = housing::Form::Plain;
    let bodies: Vec<String> = housing.lines(housing::Kind::People, 0..PEOPLE).collect();
    let bytes: usize = bodies.iter().map(String::len).sum();
    let agreeing = bodies.iter().filter(|body| agree(body)).count();
    assert!(agreeing > bodies.len() / 2, "both mappings agree, but for numbers a `Value` cannot hold");
    let sdk = time(&bodies, |body| persons::mapping::document(body).unwrap());
    let value = time(&bodies, over_value);
    println!("{sdk} {value} {}", bytes / bodies.len());
}

/// Whether both mappings say the same of a person; one with a number that a `Value` rounds is left out.
fn agree(body: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    // A number of so many digits reads back as another one.
    let exact = !read(body).to_string().contains("e+");
    let same = read(&persons::mapping::document(body).unwrap()) == read(&over_value(body));
    assert!(same || !exact, "{body}");
    exact
}

/// The fastest round, in nanoseconds a person.
fn time(bodies: &[String], map: impl Fn(&str) -> String) -> u128 {
    let round = || {
        let begun = Instant::now();
        for body in bodies {
            black_box(map(black_box(body)));
        }
        begun.elapsed().as_nanos() / bodies.len() as u128
    };
    (0..ROUNDS).map(|_| round()).min().unwrap()
}

/// The mapping as one would write it first.
fn over_value(body: &str) -> String {
    let item: Value = serde_json::from_str(body).unwrap();
    let mut document = Map::new();
    document.insert("id".into(), text(&item["id"]).unwrap());
    for (field, attribute) in [
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
    ] {
        match item.get(attribute) {
            None => drop(document.insert(field.into(), json!(""))),
            Some(value) => text(value).map(|text| document.insert(field.into(), text)).map_or((), drop),
        }
    }
    if let Some(tenures) = item.get("tenures").and_then(Value::as_array) {
        document.insert("tenures".into(), tenures.iter().map(tenure).collect());
    }
    let types = item.get("personTypes").and_then(Value::as_array).cloned().unwrap_or_default();
    document.insert("personTypes".into(), Value::Array(types));
    Value::Object(document).to_string()
}

fn tenure(tenure: &Value) -> Value {
    let names = [
        "id",
        "paymentReference",
        "type",
        "startDate",
        "endDate",
        "assetFullAddress",
        "uprn",
        "propertyReference",
        "assetId",
    ];
    let fields = names.iter().filter_map(|name| Some(((*name).to_owned(), text(tenure.get(name)?)?)));
    Value::Object(fields.collect())
}

fn text(value: &Value) -> Option<Value> {
    match value {
        Value::String(_) => Some(value.clone()),
        Value::Number(number) => Some(Value::String(number.to_string())),
        Value::Bool(bool) => Some(Value::String(bool.to_string())),
        _ => None,
    }
}
