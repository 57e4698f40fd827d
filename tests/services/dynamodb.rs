//! Tables on DynamoDB Local: the suites, every type, the largest items, and a whole run.

use std::{
    fs,
    sync::{Arc, OnceLock},
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeDefinition, KeySchemaElement, KeyType, ProvisionedThroughput, ScalarAttributeType as Type},
};
use aws_smithy_http_client::{Builder, tls};
use reindex::{
    backend::{
        aws::Session,
        dynamodb::{Config, Table},
    },
    capability::storage::{Rate, Scan as _, ScanOptions, Segment, Table as _},
    error::Kind,
    record::{Form, Item, Key, Shape, Version},
};
use servers::{Options, Running, Server, start};

use crate::{
    contract::{storage, texts},
    place::Place,
    plugins::{component, root},
};

/// In memory: on a disk it writes a hundred items a second.
pub fn server() -> &'static Running {
    static SERVER: OnceLock<Running> = OnceLock::new();
    SERVER.get_or_init(|| start(Server::Dynamodb, &Options::default().in_memory()).unwrap())
}

fn sdk() -> SdkConfig {
    let http = Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    let credentials = Credentials::new("local", "local", None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new("eu-west-2"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

fn open(name: &str) -> Table {
    let endpoint = Some(server().url());
    Table::open(name, &Config { endpoint, ..Config::default() }, &Session::new(sdk()))
}

/// A client of the tests' own.
pub fn client() -> Client {
    Client::from_conf(aws_sdk_dynamodb::config::Builder::from(&sdk()).endpoint_url(server().url()).build())
}

/// Makes a table with these key attributes; with units, it is provisioned.
pub async fn make(name: &str, key: &[(&str, Type)], units: Option<i64>) -> Table {
    let mut request = client().create_table().table_name(name);
    for ((name, kind), role) in key.iter().zip([KeyType::Hash, KeyType::Range]) {
        let definition = AttributeDefinition::builder().attribute_name(*name).attribute_type(kind.clone()).build();
        let element = KeySchemaElement::builder().attribute_name(*name).key_type(role).build();
        request = request.attribute_definitions(definition.unwrap()).key_schema(element.unwrap());
    }
    let request = match units {
        None => request.billing_mode(aws_sdk_dynamodb::types::BillingMode::PayPerRequest),
        Some(units) => {
            let both = ProvisionedThroughput::builder().read_capacity_units(units).write_capacity_units(units);
            request.provisioned_throughput(both.build().unwrap())
        }
    };
    request.send().await.unwrap();
    open(name)
}

/// The names of all tables.
pub async fn tables() -> Vec<String> {
    let config = aws_sdk_dynamodb::config::Builder::from(&sdk()).endpoint_url(server().url()).build();
    Client::from_conf(config).list_tables().send().await.unwrap().table_names().to_vec()
}

async fn put(table: &Table, records: &[String]) {
    for answer in table.put_many(records).await.unwrap() {
        answer.unwrap();
    }
}

fn shape(key: Key) -> Shape {
    Shape {
        key,
        version: Version::None,
        attributes: Vec::new(),
        source: Form::DynamodbJson,
        wants: Form::Plain,
        max_bytes: 1 << 20,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_keeps_the_promises_of_storage() {
    let table = make("promises", &[("id", Type::S)], None).await;
    storage::table(Arc::new(table)).await;
}

#[tokio::test]
async fn every_type_comes_back_as_an_export_has_it() {
    let table = make("types", &[("pk", Type::S), ("n", Type::N)], None).await;
    let record = r#"{"pk":{"S":"a \"é\"\n/"},"n":{"N":"1.5"},"b":{"B":"AP8="},"bs":{"BS":["AA==","AQ=="]},
        "ss":{"SS":["b","a"]},"ns":{"NS":["10","9"]},"t":{"BOOL":true},"x":{"NULL":true},"e":{"S":""},"el":{"L":[]},
        "big":{"N":"12345678901234567890123456789012345678"},"m":{"M":{"z":{"L":[{"N":"-0.001"},{"M":{}}]}}}}"#;
    put(&table, &texts(&[record])).await;
    let rows = storage::whole(&table, 3, 1000).await;
    let shape = shape(Key::from(table.key().await.unwrap()));
    let exported = shape.item(format!("{{\"Item\":{record}}}").as_bytes()).unwrap();
    assert_eq!(shape.item(&rows[0].body).unwrap(), exported);
    assert_eq!((rows.len(), &rows[0].position), (1, &exported.id));
    let again = table.reread(&[exported.id.clone(), exported.id.replace("1.5", "1.50"), "[]".into()]).await.unwrap();
    assert_eq!(again[0].as_ref().unwrap().cursor, rows[0].cursor);
    assert!(again[1].is_some() && again[2].is_none(), "numbers are equal by value");
}

#[tokio::test]
async fn keys_of_bytes_and_numbers_find_their_items_and_odd_ones_find_nothing() {
    let bytes = make("bytes", &[("id", Type::B)], None).await;
    put(&bytes, &texts(&[r#"{"id":{"B":"AP8="}}"#])).await;
    let numbers = make("numbers", &[("id", Type::N)], None).await;
    put(&numbers, &texts(&[r#"{"id":{"N":"7"}}"#])).await;
    let found = |answers: Vec<Option<Vec<u8>>>| answers.iter().map(Option::is_some).collect::<Vec<_>>();
    assert_eq!(found(bytes.get_many(&texts(&["AP8=", "?", ""])).await.unwrap()), [true, false, false]);
    let odd = "9".repeat(60);
    assert_eq!(found(numbers.get_many(&texts(&["7", "x", &odd, "7.0"])).await.unwrap()), [true, false, false, true]);
    let long = "k".repeat(3000);
    let texts_table = make("long-keys", &[("id", Type::S)], None).await;
    put(&texts_table, &[storage::record(Form::DynamodbJson, 1, "x")]).await;
    assert_eq!(found(texts_table.get_many(&texts(&[&long, "k1"])).await.unwrap()), [false, true]);
}

#[tokio::test]
async fn an_item_too_large_costs_only_itself_and_one_just_small_enough_is_scanned() {
    let table = make("large", &[("id", Type::S)], None).await;
    let large = |n: usize, size: usize| storage::record(Form::DynamodbJson, n, &"x".repeat(size));
    let mut batch: Vec<_> = (0..40).map(|n| large(n, 10)).collect();
    batch[7] = large(7, 409_000);
    batch[20] = large(20, 410_000);
    batch.push(large(3, 410_000));
    let answers = table.put_many(&batch).await.unwrap();
    let refused: Vec<_> = (0..batch.len()).filter(|n| answers[*n].is_err()).collect();
    assert_eq!(refused, [20, 40]);
    assert!(answers[20].as_ref().unwrap_err().report().contains("Item size"), "{:?}", answers[20]);
    let rows = storage::whole(&table, 2, 1000).await;
    assert_eq!(rows.len(), 39);
    assert!(rows.iter().any(|row| row.body.len() > 409_000));
    assert!(table.get_many(&texts(&["k3"])).await.unwrap()[0].is_some(), "the smaller one of its key is kept");
}

#[tokio::test]
async fn pages_that_are_fetched_ahead_are_the_ones_that_come_next() {
    let table = make("ahead", &[("id", Type::S)], None).await;
    let records: Vec<_> = (0..60).map(|n| storage::record(Form::DynamodbJson, n, &"x".repeat(100_000))).collect();
    put(&table, &records).await;
    let part = Segment { number: 0, total: 1 };
    let rows = storage::segment(&table, part, None, 1000).await;
    assert_eq!(rows.len(), 60);
    for _ in 0..2 {
        let first = table.read(part, None, 1000).await.unwrap();
        assert!(first.rows.len() < 60 && first.next.is_some(), "several pages");
        let third = table.read(part, Some(&rows[30].cursor), 1000).await.unwrap();
        assert_eq!(third.rows[..], rows[31..31 + third.rows.len()]);
        let second = table.read(part, first.next.as_deref(), 1000).await.unwrap();
        assert_eq!(second.rows[..], rows[first.rows.len()..first.rows.len() + second.rows.len()]);
    }
}

#[tokio::test]
async fn only_the_attributes_asked_for_travel_however_odd_their_names() {
    let table = make("projected", &[("id", Type::S)], Some(1000)).await;
    put(&table, &texts(&[r##"{"id":{"S":"x"},"name":{"S":"a"},"a.b":{"N":"1"},"#0":{"N":"2"},"size":{"N":"3"}}"##]))
        .await;
    let options =
        ScanOptions { attributes: texts(&["#0", "a.b", "id", "name"]), consistent: true, rate: Some(Rate::Share(0.5)) };
    let scan = open("projected").with_options(options);
    let rows = storage::whole(&scan, 1, 1000).await;
    let Item { body, .. } = shape(Key::One("id".into())).item(&rows[0].body).unwrap();
    assert_eq!(body, r##"{"#0":2,"a.b":1,"id":"x","name":"a"}"##);
}

#[tokio::test]
async fn a_scan_that_keeps_to_a_rate_reads_everything_also_when_workers_share_it() {
    let table = make("paced", &[("id", Type::S)], None).await;
    let records: Vec<_> = (0..200).map(|n| storage::record(Form::DynamodbJson, n, &"x".repeat(1000))).collect();
    put(&table, &records).await;
    let options = ScanOptions { rate: Some(Rate::Units(4000)), ..ScanOptions::default() };
    let scan = open("paced").with_options(options);
    scan.share(2);
    assert_eq!(storage::whole(&scan, 4, 1000).await.len(), 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_table_is_said_with_what_to_do() {
    let missing = open("nowhere").info().await.unwrap_err();
    assert_eq!(missing.kind(), Kind::NotFound);
    assert!(missing.report().contains("nowhere"), "{missing:?}");
    for error in [
        open("nowhere").put_many(&texts(&[r#"{"id":{"S":"a"}}"#])).await.unwrap_err(),
        open("nowhere").get_many(&texts(&["a"])).await.unwrap_err(),
    ] {
        assert!(error.kind() == Kind::NotFound && !error.concerns_item(), "no record is to blame: {error:?}");
    }
    make("on-demand", &[("id", Type::S)], None).await;
    let options = ScanOptions { rate: Some(Rate::Share(0.5)), ..ScanOptions::default() };
    let error = open("on-demand").with_options(options).info().await.unwrap_err();
    assert!(error.report().contains("max-rcu = "), "{error:?}");
    let error = open("on-demand").create(&texts(&["other"]), Form::DynamodbJson).await.unwrap_err();
    assert!(error.message().contains("another key"), "{error:?}");
    assert!(open("plain").create(&texts(&["id"]), Form::Plain).await.is_err());
    let nobody = Config { endpoint: Some("http://127.0.0.1:1".into()), ..Config::default() };
    let error = Table::open("people", &nobody, &Session::new(sdk())).info().await.unwrap_err();
    assert_eq!((error.kind(), error.may_retry()), (Kind::Unavailable, true), "{error:?}");
}

/// A place whose environment `lab` keeps the table in DynamoDB and everything else embedded.
fn place() -> Place {
    let place = Place::new();
    place.write("persons.wasm", component("persons"));
    let recipe = fs::read_to_string(root().join("recipes/persons.toml")).unwrap();
    place.write("persons.toml", recipe.replace("source = \"../plugins/persons\"", "file = \"persons.wasm\""));
    let endpoint = server().url();
    let lab = format!(
        "environment = 1\n[backend.people.dynamodb]\ntable = \"Persons\"\nregion = \"eu-west-2\"\n\
         endpoint = \"{endpoint}\"\n[backend.persons.sqlite]\n"
    );
    place.write("environments/lab.toml", lab);
    place
}

fn in_lab(place: &Place, command: &str) -> crate::place::Ran {
    let mut command = place.command(&format!("{command} --env lab"));
    command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local").env("AWS_REGION", "eu-west-2");
    crate::place::Ran::of(command.output().unwrap())
}

#[test]
fn a_run_from_dynamodb_gives_the_documents_that_a_run_from_sqlite_gives() {
    let place = place();
    let people = root().join("recipes/sample/people.jsonl");
    let load = format!("load people {} --format dynamodb-json", people.display());
    place.reindex(&load).exits(0);
    // Two persons of the sample are broken.
    place.reindex("run persons.toml").exits(3);
    in_lab(&place, &load).exits(0);
    in_lab(&place, "check persons.toml --connect").exits(0);
    in_lab(&place, "run persons.toml").exits(3);
    let embedded = place.documents("persons", "");
    let remote = place.documents("persons", "--env lab");
    assert_eq!(embedded.len(), 198);
    assert_eq!(remote, embedded);
    let recipe = fs::read_to_string(place.path("persons.toml")).unwrap();
    place.write("persons.toml", recipe.replace("key = \"id\"", "key = [\"id\", \"surname\"]"));
    let refused = in_lab(&place, "check persons.toml --connect").exits(2);
    assert!(refused.err.contains("key = \"id\""), "{}", refused.err);
}
