//! The indexes of the housing plugins in the engines: what one document says of a field never refuses another, and the
//! search service finds what it filters by.

use std::fs;

use reindex::capability::index::{Write, Written};
use serde_json::{Value, json};
use servers::{Running, Server, shared};

use super::{open, put, say, stamp};
use crate::plugins::root;

/// Every document that the samples of a plugin become.
fn sampled(plugin: &str) -> Vec<Write> {
    let directory = root().join("plugins").join(plugin).join("samples");
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    let expected = files.filter(|path| path.to_str().unwrap().ends_with(".expected.json"));
    let outcomes = expected.flat_map(|file| {
        let sample: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        sample["outcomes"].as_array().unwrap().clone()
    });
    let documents =
        outcomes.filter_map(|outcome| Some(outcome["effects"][0]["put-document"]["body"].as_object()?.clone()));
    documents.enumerate().map(|(n, body)| put(&format!("s-{n}"), 1, &Value::from(body).to_string())).collect()
}

/// Documents that say different things of the same fields, which nothing but the mapping can reconcile.
fn at_odds(path: &[&str]) -> Vec<Write> {
    let values = [
        json!("2024-01-31"),
        json!("2024-01-31T00:00:00Z"),
        json!("no date"),
        json!(7),
        json!(1.5),
        json!(true),
        json!("12345678901234567890123"),
        json!(["a", 1, false]),
        json!(null),
    ];
    let nested = |value: &Value| path.iter().rev().fold(json!({ "odd": value }), |inner, name| json!({ *name: inner }));
    (0..)
        .zip(&values)
        .map(|(n, value)| put(&format!("{}-{n}", path.join("-")), 1, &nested(value).to_string()))
        .collect()
}

async fn takes_in_any_order(server: &Running, plugin: &str, paths: &[&[&str]]) {
    let definition = fs::read_to_string(root().join("plugins").join(plugin).join("index.json")).unwrap();
    let mut writes = sampled(plugin);
    // A number of 38 digits is more than the `long` of its field holds, and costs its own document only.
    writes.retain(|write| !write.body.as_ref().unwrap().contains("99999999999999999999"));
    writes.extend(paths.iter().flat_map(|path| at_odds(path)));
    let sorted = writes.clone();
    for turn in 0..3 {
        match turn {
            0 => {}
            1 => writes.reverse(),
            _ => writes.rotate_left(sorted.len() / 2),
        }
        let name = format!("{plugin}_order_{turn}");
        let index = open(server, &name, "").unwrap();
        index.create(&name, &definition, &stamp()).await.unwrap();
        let answers = index.write(&name, writes.clone()).await.unwrap();
        let refused: Vec<_> = writes.iter().zip(&answers).filter(|(_, answer)| **answer != Written::Done).collect();
        assert_eq!(refused, [], "turn {turn} of {plugin}");
        let found = index.current().await.unwrap().unwrap();
        assert_eq!(index.contradictions(&found, &definition), [""; 0]);
    }
}

/// How many documents of the first turn a filter of the search service finds.
async fn filtered(server: &Running, plugin: &str, field: &str, value: Value) -> u64 {
    let name = format!("{plugin}_order_0");
    open(server, &name, "").unwrap().refresh(&name).await.unwrap();
    let query = json!({ "query": { "bool": { "filter": [{ "term": { field: value } }] } } });
    let reply = say(server, "POST", &format!("/{name}/_count"), &query.to_string()).await;
    reply["count"].as_u64().unwrap_or_else(|| panic!("{reply}"))
}

async fn housing(server: &Running) {
    let odd: [&[&str]; 6] = [
        &["assetManagement"],
        &["assetManagement", "inner"],
        &["assetLocation"],
        &["assetContracts"],
        &["assetContracts", "charges"],
        &["assetCharacteristics"],
    ];
    takes_in_any_order(server, "assets", &odd).await;
    takes_in_any_order(server, "tenures", &[&["tempAccommodationInfo"], &["tempAccommodationInfo", "assignedOfficer"]])
        .await;
    takes_in_any_order(server, "persons", &[]).await;
    for (plugin, field, value) in [
        ("assets", "isActive", json!(true)),
        ("assets", "assetManagement.isCouncilProperty", json!(true)),
        ("assets", "assetManagement.propertyOccupiedStatus.keyword", json!("VR")),
        ("assets", "assetLocation.floorNo.keyword", json!("3")),
        ("assets", "assetContracts.isApproved", json!(false)),
        ("assets", "assetContracts.startDate", json!("2023-04-06")),
        ("assets", "assetContracts.charges.amount", json!(1287.5)),
        ("assets", "assetContracts.relatedPeople.name.keyword", json!("Ada")),
        ("assets", "tenure.isActive", json!(false)),
        ("assets", "parentAssetIds.keyword", json!("656feda1")),
        ("assets", "assetManagement.reviewed.keyword", json!("2024-01-31")),
        ("tenures", "isActive", json!(true)),
        ("tenures", "householdMembers.personTenureType", json!("Tenant")),
        ("tenures", "tenuredAsset.isTemporaryAccommodation", json!(true)),
        ("tenures", "tempAccommodationInfo.bookingStatus.keyword", json!("ACC")),
        ("tenures", "tempAccommodationInfo.assignedOfficer.email.keyword", json!("g@x.uk")),
    ] {
        assert_eq!(filtered(server, plugin, field, value).await, 1, "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opensearch_takes_housing_documents_in_any_order() {
    housing(shared(Server::Opensearch)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elasticsearch_takes_housing_documents_in_any_order() {
    housing(shared(Server::Elasticsearch)).await;
}
