//! Hot paths, each walked the same number of times, for `./dev counts` to count the instructions of.

use std::{hint::black_box, sync::Arc};

use housing::{Form as Written, Housing, Kind};
use reindex::{
    backend::sqlite::Database,
    capability::index::{Alias as _, Documents as _},
    clock::System,
    ledger::{Ledger as _, State},
    record::{Form, Key, Shape, Version},
};

use crate::contract::{index, ledger};

const RECORDS: u64 = 200;
const COMMITS: u32 = 20;

fn records(form: Written) -> Vec<String> {
    let housing = Housing { form, ..Housing::new(1) };
    (0..RECORDS).map(|n| housing.line(Kind::People, n)).collect()
}

fn shape(source: Form, wants: Form) -> Shape {
    let version = Version::Attribute("versionNumber".into());
    Shape { attributes: Vec::new(), key: Key::One("id".into()), version, source, wants, max_bytes: 1 << 20 }
}

fn read(shape: &Shape, records: &[String]) {
    for record in records {
        assert!(black_box(shape.item(black_box(record.as_bytes()))).is_ok());
    }
}

#[inline(never)]
fn read_plain(records: &[String]) {
    read(&shape(Form::Plain, Form::Plain), records);
}

#[inline(never)]
fn read_typed(records: &[String]) {
    read(&shape(Form::DynamodbJson, Form::DynamodbJson), records);
}

#[inline(never)]
fn read_typed_as_plain(records: &[String]) {
    read(&shape(Form::DynamodbJson, Form::Plain), records);
}

#[test]
#[ignore = "`./dev counts` runs it under callgrind"]
fn canonical_item_from_plain() {
    read_plain(&records(Written::Plain));
}

#[test]
#[ignore = "`./dev counts` runs it under callgrind"]
fn canonical_item_from_typed() {
    read_typed(&records(Written::DynamodbJson));
}

#[test]
#[ignore = "`./dev counts` runs it under callgrind"]
fn canonical_item_from_typed_for_a_plain_plugin() {
    read_typed_as_plain(&records(Written::DynamodbJson));
}

#[tokio::test]
#[ignore = "`./dev counts` runs it under callgrind"]
async fn ledger_commit() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(directory.path().join("counts.db"), Arc::new(System)).unwrap();
    let ledger = database.ledger();
    ledger.begin(&ledger::run("run", "r"), None).await.unwrap();
    let token = ledger::take_over(&ledger, "run", 0).await;
    for n in 0..COMMITS {
        let rows = (0..10).map(|row| ledger::row(&format!("{n}-{row}"), State::KnownError, "group")).collect();
        assert!(ledger.commit("run", token, &ledger::commit(0, &n.to_string(), rows, &[])).await.unwrap());
    }
}

#[tokio::test]
#[ignore = "`./dev counts` runs it under callgrind"]
async fn sqlite_batch() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(directory.path().join("counts.db"), Arc::new(System)).unwrap();
    let index = database.index("persons").unwrap();
    index.create("persons_1", "{}", &index::stamp()).await.unwrap();
    for batch in 0..4 {
        let puts = (0..250).map(|n| index::put(&format!("{batch}-{n}"), Some(1), &format!("Ada Lovelace {n}")));
        index.write("persons_1", puts.collect()).await.unwrap();
    }
}
