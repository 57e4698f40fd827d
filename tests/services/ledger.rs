//! The ledger's suite on DynamoDB, and what only a table elsewhere can suffer.

use std::sync::Arc;

use proxy::{Fault, Match, Pick, Proxy, Rule};
use reindex::{
    backend::{
        Mode,
        dynamodb::{Ids, Ledger, LedgerConfig},
    },
    error::Kind,
    ledger::{Filter, Ledger as _, State},
};
use servers::{Server, shared};

use crate::{
    contract::ledger::{self, begin, commit, row, run, take_over},
    session::session,
};

pub fn config(table: &str) -> LedgerConfig {
    LedgerConfig {
        table: table.to_owned(),
        region: None,
        endpoint: Some(shared(Server::Dynamodb).url()),
        create: true,
        ids: Ids::default(),
    }
}

fn open(config: &LedgerConfig, mode: Mode) -> Ledger {
    Ledger::open(config, &session(), mode)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_keeps_its_promises() {
    ledger::ledger(Arc::new(open(&config("promises"), Mode::ReadWrite))).await;
}

/// The whole suite once more, with every third reply lost after the server did what was asked, or a connection cut
/// before, or too much asked of the table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_its_promises_though_replies_are_lost_and_the_table_is_throttled() {
    let server = config("faults");
    open(&server, Mode::ReadWrite).begin(&run("0", "0"), None).await.unwrap();
    let proxy = Proxy::http(server.endpoint.as_deref().unwrap());
    for write in ["TransactWriteItems", "UpdateItem", "PutItem"] {
        proxy.add(Rule::new(Match::any().target(write), Fault::LostReply).turn(Pick::Every(3)));
    }
    proxy.add(Rule::new(Match::any().target("TransactWriteItems"), Fault::Throttle).turn(Pick::Every(7)));
    proxy.add(Rule::new(Match::any().target("Query"), Fault::Cut).turn(Pick::Every(5)));
    proxy.add(Rule::new(Match::any().target("BatchGetItem"), Fault::Unprocessed(Pick::Every(2))).turn(Pick::Every(2)));
    let through = LedgerConfig { endpoint: Some(proxy.url()), ..server };
    ledger::ledger(Arc::new(open(&through, Mode::ReadWrite))).await;
    assert!(proxy.fired() > 50, "{}", proxy.fired());
}

#[tokio::test]
async fn a_table_that_stays_throttled_is_said_to_be_busy_and_worth_another_try() {
    let server = config("throttled");
    let proxy = Proxy::http(server.endpoint.as_deref().unwrap());
    let ledger = open(&LedgerConfig { endpoint: Some(proxy.url()), ..server }, Mode::ReadWrite);
    let token = take_over(&ledger, "1", 0).await;
    proxy.add(Rule::new(Match::any().target("TransactWriteItems"), Fault::Throttle));
    let error = ledger.commit("1", token, &commit(0, "1", vec![], &[])).await.unwrap_err();
    assert!(error.kind() == Kind::Unavailable && error.may_retry() && error.hint_text().is_some(), "{error:?}");
    proxy.clear();
    assert!(ledger.commit("1", token, &commit(0, "1", vec![], &[])).await.unwrap());
}

#[tokio::test]
async fn a_table_that_is_not_there_is_made_only_by_whoever_may_and_writes() {
    let made = config("made");
    let reader = open(&made, Mode::ReadOnly);
    assert!(reader.runs("r", 9).await.unwrap().is_empty());
    assert_eq!(reader.progress(&run("1", "r")).await.unwrap().len(), 4);
    assert!(reader.rows("1", &Filter::default(), None, 9).await.unwrap().is_empty());
    assert!(reader.groups("1", 9).await.unwrap().is_empty());
    assert_eq!(reader.begin(&run("1", "r"), None).await.unwrap_err().kind(), Kind::Bug);
    let strict = open(&LedgerConfig { create: false, ..made.clone() }, Mode::ReadWrite);
    for error in [strict.runs("r", 9).await.unwrap_err(), strict.begin(&run("1", "r"), None).await.unwrap_err()] {
        assert_eq!((error.kind(), error.message()), (Kind::NotFound, "the ledger's table does not exist"));
        let hint = error.hint_text().unwrap();
        assert!(hint.contains("create = true") && hint.contains("`pk` and `sk`"), "{hint}");
    }
    let makers = (0..8).map(|n| {
        let config = made.clone();
        tokio::spawn(async move { begin(&open(&config, Mode::ReadWrite), &run("1", &format!("r{n}"))).await })
    });
    for maker in makers.collect::<Vec<_>>() {
        maker.await.unwrap().unwrap();
    }
    assert_eq!(reader.find("1").await.unwrap().unwrap().id, "1");
    strict.runs("r", 9).await.unwrap();
}

#[tokio::test]
async fn somebody_elses_table_is_refused_and_left_as_it_is() {
    use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
    let config = config("theirs");
    let theirs = aws_sdk_dynamodb::Client::new(&crate::session::config(config.endpoint.as_deref()));
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build();
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build();
    let make = theirs.create_table().table_name("theirs").billing_mode(BillingMode::PayPerRequest);
    make.attribute_definitions(id.unwrap()).key_schema(key.unwrap()).send().await.unwrap();
    let error = open(&config, Mode::ReadWrite).begin(&run("1", "r"), None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.report().contains("its key  id") && error.hint_text().is_some(), "{error:?}");
    assert_eq!(theirs.scan().table_name("theirs").send().await.unwrap().count(), 0);
}

#[tokio::test]
async fn a_batch_too_large_for_a_transaction_is_refused_whole() {
    let ledger = open(&config("large"), Mode::ReadWrite);
    let token = take_over(&ledger, "1", 0).await;
    let rows = |count: usize, bytes: usize| {
        let position = |n| format!("{n} {}", "x".repeat(bytes));
        (0..count).map(|n| row(&position(n), State::KnownError, "g")).collect::<Vec<_>>()
    };
    let error = ledger.commit("1", token, &commit(0, "1", rows(100, 1), &[])).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Bug);
    let error = ledger.commit("1", token, &commit(0, "1", rows(20, 150_000), &[])).await.unwrap_err();
    assert!(error.kind() == Kind::Usage && error.hint_text().is_some(), "{error:?}");
    assert!(ledger.rows("1", &Filter::default(), None, 9).await.unwrap().is_empty());
    assert_eq!(ledger.progress(&run("1", "r")).await.unwrap()[0].cursor, None);
    let long = "é".repeat(500_000);
    let failure = reindex::ledger::IdRow { reason: long.clone(), ..row("p", State::UnknownError, "g") };
    assert!(ledger.commit("1", token, &commit(0, "1", vec![failure], &[])).await.unwrap());
    let kept = ledger.rows("1", &Filter::default(), None, 9).await.unwrap().remove(0).reason;
    assert!(kept.ends_with("1000000 bytes in all") && long.starts_with(kept.split('\n').next().unwrap()));
}

/// A server that does not answer is unavailable, and worth another try.
#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_unavailable() {
    let nowhere = LedgerConfig { endpoint: Some("http://127.0.0.1:1".to_owned()), ..config("nowhere") };
    let error = open(&nowhere, Mode::ReadWrite).runs("r", 1).await.unwrap_err();
    assert!(error.kind() == Kind::Unavailable && error.may_retry(), "{error:?}");
}
