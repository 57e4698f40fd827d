//! Requests of which the server gets a part: bulks and batches.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use proxy::{Fault, Match, Pick, Proxy, Rule};
use serde_json::{Value, json};

use crate::{client::Client, origin::Origin};

const BULK: &str = "POST /people/_bulk HTTP/1.1\nContent-Type: application/x-ndjson";
const BATCH: &str = "POST / HTTP/1.1\nX-Amz-Target: DynamoDB_20120810.BatchGetItem";

fn with(fault: Fault) -> (Origin, Proxy) {
    let (origin, address) = Origin::start();
    let proxy = Proxy::http(&format!("http://{address}"));
    proxy.add(Rule::new(Match::any(), fault));
    (origin, proxy)
}

fn lines(ids: impl IntoIterator<Item = u64>) -> String {
    let item = |id| format!("{{\"index\":{{\"_id\":\"{id}\"}}}}\n{{\"n\":1.{id:020}}}\n");
    ids.into_iter().map(item).collect()
}

fn statuses(answer: &Value) -> Vec<(String, u64)> {
    let items = answer["items"].as_array().unwrap().iter().map(|item| &item["index"]);
    items.map(|item| (item["_id"].as_str().unwrap().to_owned(), item["status"].as_u64().unwrap())).collect()
}

#[test]
fn chosen_items_of_a_bulk_are_refused_and_the_others_written() {
    let (origin, proxy) = with(Fault::RejectItems(Pick::At(vec![3, 7])));
    let mut client = Client::new(proxy.address());
    let answer = client.ask(BULK, lines(0..9).as_bytes()).unwrap().json();
    let expected = (0..9).map(|id| (id.to_string(), if [3, 7].contains(&id) { 429 } else { 201 }));
    assert_eq!(statuses(&answer), expected.collect::<Vec<_>>());
    assert_eq!((&answer["errors"], &answer["took"]), (&json!(true), &json!(1)));
    assert_eq!(answer["items"][3]["index"]["_index"], "people");
    assert_eq!(origin.seen()[0].body, lines((0..9).filter(|id| ![3, 7].contains(id))).as_bytes());
    // Sent again, the two are too few for a place to be chosen.
    let again = client.ask(BULK, lines([3, 7]).as_bytes()).unwrap().json();
    assert_eq!(statuses(&again), [("3".to_owned(), 201), ("7".to_owned(), 201)]);
    assert_eq!(proxy.fired(), 1);
}

#[test]
fn a_bulk_of_which_everything_is_refused_does_not_reach_the_server() {
    let (origin, proxy) = with(Fault::RejectItems(Pick::All));
    let answer = Client::new(proxy.address()).ask(BULK, lines(0..3).as_bytes()).unwrap().json();
    assert!(statuses(&answer).iter().all(|(_, status)| *status == 429));
    assert!(origin.seen().is_empty());
    assert_eq!(proxy.fired(), 1);
}

#[test]
fn a_compressed_bulk_is_parted_as_well() {
    let (origin, proxy) = with(Fault::RejectItems(Pick::At(vec![0])));
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(lines(0..2).as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let answer = Client::new(proxy.address()).ask(&format!("{BULK}\nContent-Encoding: gzip"), &packed).unwrap();
    assert_eq!(statuses(&answer.json()), [("0".to_owned(), 429), ("1".to_owned(), 201)]);
    assert_eq!(origin.seen()[0].body, lines([1]).as_bytes());
}

#[test]
fn a_rule_on_requests_it_is_not_for_is_heard_of() {
    let (origin, proxy) = with(Fault::RejectItems(Pick::All));
    let answer = Client::new(proxy.address()).ask("PUT /people HTTP/1.1", b"hello").unwrap();
    assert_eq!(answer.status, 500);
    assert!(String::from_utf8(answer.body).unwrap().starts_with("the fault proxy cannot do this"));
    assert!(origin.seen().is_empty());
    assert_eq!(proxy.fired(), 0);
}

fn keys(ids: impl IntoIterator<Item = u64>) -> Value {
    ids.into_iter().map(|id| json!({ "id": { "S": id.to_string() } })).collect()
}

#[test]
fn chosen_keys_of_a_batch_come_back_unprocessed() {
    let (origin, proxy) = with(Fault::Unprocessed(Pick::Every(3)));
    let asked = json!({ "RequestItems": { "people": { "Keys": keys(0..7), "ConsistentRead": true } } });
    let answer = Client::new(proxy.address()).ask(BATCH, asked.to_string().as_bytes()).unwrap().json();
    assert_eq!(answer["Responses"]["people"], keys([0, 1, 3, 4, 6]));
    assert_eq!(answer["UnprocessedKeys"], json!({ "people": { "Keys": keys([2, 5]), "ConsistentRead": true } }));
    let seen: Value = serde_json::from_slice(&origin.seen()[0].body).unwrap();
    assert_eq!(seen["RequestItems"]["people"]["Keys"], keys([0, 1, 3, 4, 6]));
    assert_eq!(proxy.fired(), 1);
}

#[test]
fn a_batch_of_which_nothing_is_done_does_not_reach_the_server() {
    let (origin, proxy) = with(Fault::Unprocessed(Pick::All));
    let asked = json!({ "RequestItems": { "people": [{ "PutRequest": { "Item": {} } }] } });
    let answer = Client::new(proxy.address()).ask(BATCH, asked.to_string().as_bytes()).unwrap().json();
    assert_eq!(answer, json!({ "UnprocessedItems": asked["RequestItems"] }));
    assert!(origin.seen().is_empty());
}
