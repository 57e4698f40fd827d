//! The suite of lists of ids on DynamoDB, in both shapes, and tables that others made and fill.

use std::{num::NonZeroU8, sync::Arc};

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
        ProjectionType, ScalarAttributeType,
    },
};
use proxy::{Fault, Match, Pick, Proxy, Rule};
use reindex::{
    backend::{
        Mode,
        dynamodb::{Ids, LedgerConfig, List},
    },
    error::Kind,
    ledger::{State, list::List as _},
};

use crate::{
    contract::list::{self, all, to},
    ledger::config,
    session::{self, session},
};

fn open(config: &LedgerConfig, mode: Mode) -> List {
    List::open(config, "persons", &session(), mode)
}

pub fn existing(table: &str) -> LedgerConfig {
    let ids = Ids { table: Some(table.to_owned()), index: Some("by_state".to_owned()), shards: None };
    LedgerConfig { ids, create: false, ..config("unused") }
}

/// Makes a table as existing tools have it.
pub async fn make(config: &LedgerConfig) -> Client {
    let client = Client::new(&session::config(config.endpoint.as_deref()));
    let key = |name| KeySchemaElement::builder().attribute_name(name).key_type(KeyType::Hash).build().unwrap();
    let is = |name, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap();
    let projection = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
    let index = GlobalSecondaryIndex::builder().index_name("by_state").key_schema(key("progress_state"));
    let make = client
        .create_table()
        .table_name(config.ids.table.as_deref().unwrap())
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("id"))
        .attribute_definitions(is("id", ScalarAttributeType::S))
        .attribute_definitions(is("progress_state", ScalarAttributeType::N))
        .global_secondary_indexes(index.projection(projection).build().unwrap());
    make.send().await.unwrap();
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sharded_list_keeps_its_promises() {
    list::list(Arc::new(open(&config("sharded"), Mode::ReadWrite))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_in_an_existing_table_keeps_its_promises() {
    let config = existing("existing");
    make(&config).await;
    list::list(Arc::new(open(&config, Mode::ReadWrite))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_keeps_its_promises_though_replies_are_lost() {
    let server = config("lost");
    open(&server, Mode::ReadWrite).load(&[], false).await.unwrap();
    let proxy = Proxy::http(server.endpoint.as_deref().unwrap());
    for write in ["UpdateItem", "PutItem"] {
        proxy.add(Rule::new(Match::any().target(write), Fault::LostReply).turn(Pick::Every(9)));
    }
    let some_keys = Fault::Unprocessed(Pick::Every(2));
    proxy.add(Rule::new(Match::any().target("BatchGetItem"), some_keys).turn(Pick::Every(5)));
    list::list(Arc::new(open(&LedgerConfig { endpoint: Some(proxy.url()), ..server }, Mode::ReadWrite))).await;
    assert!(proxy.fired() > 20, "{}", proxy.fired());
}

#[tokio::test]
async fn ids_that_another_tool_wrote_are_found_and_moved() {
    let config = existing("theirs-ids");
    let client = make(&config).await;
    for (id, state) in [("x", 0), ("y", 1), ("z", 9001), ("strange", 77)] {
        let put = client.put_item().table_name("theirs-ids").item("id", AttributeValue::S(id.to_owned()));
        put.item("progress_state", AttributeValue::N(state.to_string())).send().await.unwrap();
    }
    let list = open(&config, Mode::ReadWrite);
    let counts = list.counts().await.unwrap();
    assert_eq!(counts, [(State::Ready, 1), (State::InProgress, 1), (State::TooBig, 1)].into());
    let found = all(&list, Some(State::InProgress), 9).await.remove(0);
    assert_eq!((found.id.as_str(), found.owner.as_deref(), found.token), ("y", None, 0));
    assert_eq!(list.shift(&[to(&found, State::Ready, None, "")]).await.unwrap(), [true]);
    assert_eq!(all(&list, Some(State::Ready), 9).await.len(), 2);
    let error = list.page(None, None, 9).await.unwrap_err();
    assert!(error.report().contains("strange") && error.report().contains("progress_state"), "{error:?}");
}

#[tokio::test]
async fn a_table_of_another_shape_is_refused_in_words_that_say_what_is_missing() {
    let config = existing("shape");
    make(&config).await;
    let other = |index: Option<&str>, shards| LedgerConfig {
        ids: Ids { index: index.map(str::to_owned), shards, ..config.ids.clone() },
        ..config.clone()
    };
    for wrong in [other(None, None), other(Some("by_state"), NonZeroU8::new(4))] {
        let error = open(&wrong, Mode::ReadWrite).counts().await.unwrap_err();
        assert!(error.kind() == Kind::Usage && error.report().contains("a global index `"), "{error:?}");
    }
    let missing = open(&existing("nowhere-ids"), Mode::ReadOnly).counts().await.unwrap_err();
    assert!(missing.kind() == Kind::NotFound && missing.hint_text().unwrap().contains("by_state"), "{missing:?}");
}
