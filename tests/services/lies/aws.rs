//! DynamoDB, its ledger, S3 and SQS.

use std::{path::Path, sync::Arc, time::Duration};

use futures::TryStreamExt as _;
use proxy::{Fault, Match, Proxy};
use reindex::{
    backend::{
        Backends, Config, Mode,
        dynamodb::{Ledger, Table},
        s3,
    },
    capability::storage::{Bucket as _, Put, Scan as _, Segment, Table as _},
    clock::System,
    ledger::Ledger as _,
};
use servers::{Server, shared};

use super::{disbelieves, json, strangers};
use crate::{
    contract::{ledger::run, storage::record, texts},
    dynamodb, ledger,
    queue::sqs,
    s3::make_bucket,
    session::session,
};

const WHOLE: Segment = Segment { number: 0, total: 1 };

fn damaged(body: &str) -> (&'static str, Fault) {
    ("a wrong checksum", Fault::Reply(200, vec![("x-amz-crc32".to_owned(), "1".to_owned())], body.into()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_is_absent_only_if_dynamodb_says_so() {
    use aws_sdk_dynamodb::types::ScalarAttributeType as Type;
    let filled = dynamodb::make("lies", &[("id", Type::S)], None).await;
    let form = reindex::record::Form::DynamodbJson;
    let there = (0..3).map(|n| record(form, n, "x")).collect::<Vec<_>>();
    assert!(filled.put_many(&there).await.unwrap().iter().all(Result::is_ok));
    let proxy = Proxy::http(&dynamodb::server().url());
    let config = reindex::backend::dynamodb::Config { endpoint: Some(proxy.url()), ..Default::default() };
    let table = Table::open("lies", &config, &session());
    let refused = r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"no"}"#;
    let lies = json(&[
        (400, refused),
        (200, ""),
        (200, "{}"),
        (200, r#"{"Responses":{}}"#),
        (200, r#"{"UnprocessedKeys":{}}"#),
        (200, r#"{"Responses":{},"UnprocessedKeys":{}}"#),
        (200, r#"{"Responses":{"lies":[]}}"#),
        (200, r#"{"Responses":{"lies":[{"id":{"S":"other"}}]},"UnprocessedKeys":{}}"#),
    ]);
    let lies = lies.into_iter().chain([damaged(r#"{"Responses":{"lies":[]},"UnprocessedKeys":{}}"#)]);
    let (keys, odd) = (texts(&["k0", "no", "k2"]), "k".repeat(3000));
    let at = Match::any().target("BatchGetItem");
    let found = disbelieves(&proxy, at, lies.chain(strangers()), async || table.get_many(&keys).await).await;
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(table.get_many(&[odd]).await.unwrap(), [None], "no item can have this key");

    let lies = json(&[
        (200, ""),
        (200, "{}"),
        (200, r#"{"Items":[]}"#),
        (200, r#"{"Count":0}"#),
        (200, r#"{"Items":[],"Count":3}"#),
    ]);
    let lies = lies.into_iter().chain([damaged(r#"{"Items":[],"Count":0,"ScannedCount":0}"#)]);
    let at = Match::any().target("Scan");
    let page = disbelieves(&proxy, at, lies.chain(strangers()), async || table.read(WHOLE, None, 50).await).await;
    assert_eq!(page.rows.len(), 3);

    let lies = json(&[(200, "{}"), (200, r#"{"Table":{}}"#)]).into_iter().chain(strangers());
    disbelieves(&proxy, Match::any().target("DescribeTable"), lies, async || table.info().await).await;
    let lies = json(&[(200, ""), (200, "{}")]).into_iter().chain(strangers());
    disbelieves(&proxy, Match::any().target("BatchWriteItem"), lies, async || {
        table.put_many(&there).await?.into_iter().collect::<Result<Vec<()>, _>>()
    })
    .await;
}

#[tokio::test]
async fn what_dynamodb_refuses_is_told_in_its_own_words() {
    use aws_sdk_dynamodb::types::ScalarAttributeType as Type;
    let table = dynamodb::make("refusals", &[("id", Type::S)], None).await;
    let with = |value: &str| format!(r#"{{"id":{{"S":"k"}},"x":{value}}}"#);
    let digits = format!(r#"{{"N":"{}"}}"#, "9".repeat(39));
    let records = [with(r#"{"SS":[]}"#), with(&digits), r#"{"id":{"N":"1"}}"#.to_owned()];
    let answers = table.put_many(&records).await.unwrap();
    let said: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| answer.as_ref().unwrap_err().message()).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said.iter().any(|said| said.contains("38")), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_takes_nothing_for_absent_that_dynamodb_does_not_say_is() {
    let config = ledger::config("ledger-lies");
    let begun = run("first", "lies");
    assert!(Ledger::open(&config, &session(), Mode::ReadWrite).begin(&begun, None).await.unwrap());
    let proxy = Proxy::http(config.endpoint.as_deref().unwrap());
    let through = reindex::backend::dynamodb::LedgerConfig { endpoint: Some(proxy.url()), ..config };
    let ledger = Ledger::open(&through, &session(), Mode::ReadWrite);
    assert_eq!(ledger.progress(&begun).await.unwrap().len(), begun.steps() as usize + 1);
    // The ledger is patient, so a few have to do.
    let all = || strangers().into_iter().filter(|(name, _)| !name.contains("end"));
    let lies = json(&[(200, "{}"), (200, r#"{"Responses":{},"UnprocessedKeys":{}}"#)]).into_iter().chain(all());
    let at = Match::any().target("BatchGetItem");
    let found = disbelieves(&proxy, at, lies, async || ledger.find(&begun.id).await).await;
    assert_eq!(found.map(|run| run.id), Some(begun.id.clone()));
    assert!(ledger.find("nobody").await.unwrap().is_none());
    let lies = json(&[(200, "{}"), (200, r#"{"Items":[],"Count":2}"#)]).into_iter().chain(all());
    let at = Match::any().target("Query");
    assert_eq!(disbelieves(&proxy, at, lies, async || ledger.runs(&begun.recipe, 9).await).await.len(), 1);
    let lies = json(&[(200, "{}")]).into_iter().chain(all());
    disbelieves(&proxy, Match::any().target("UpdateItem"), lies, async || {
        ledger.claim(&begun.id, 0, None, "me", Duration::from_secs(9)).await
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_is_absent_only_if_s3_says_so() {
    make_bucket("lies").await;
    let proxy = Proxy::http(&shared(Server::S3).url());
    let config = s3::Config {
        bucket: "lies".to_owned(),
        prefix: String::new(),
        region: None,
        endpoint: Some(proxy.url()),
        path_style: None,
    };
    let bucket = s3::Bucket::open(&config, &session());
    let put = async |key: &str| {
        let content = futures::stream::once(async { Ok("content".into()) });
        bucket.write(key, &Put::default(), Box::pin(content)).await
    };
    put("there").await.unwrap().unwrap();
    let error = |code: &str| format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>");
    let gone = || [("no bucket", Fault::Status(404, error("NoSuchBucket")))].into_iter().chain(strangers());
    let keys = texts(&["there", "no"]);
    // What `GET` answers to an object is a stream, and is held to the object's length.
    let bounded = || gone().filter(|(name, _)| *name != "no end");
    let heads =
        disbelieves(&proxy, Match::any().prefix("/lies/"), bounded(), async || bucket.head_many(&keys).await).await;
    assert_eq!(heads.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
    for key in &keys {
        let at = Match::any().method("GET").prefix("/lies/");
        let read = async || match bucket.read(key).await? {
            Some((_, content)) => content.try_collect::<Vec<_>>().await.map(|parts| Some(parts.concat())),
            None => Ok(None),
        };
        let content = disbelieves(&proxy, at, gone(), read).await;
        assert_eq!(content.as_deref(), (key == "there").then_some(&b"content"[..]));
    }
    let listing = [
        "<ListBucketResult/>",
        "<ListBucketResult><KeyCount>2</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
    ];
    let lies = json(&listing.map(|body| (200, body))).into_iter().chain(gone());
    let at = Match::any().contains("list-type=2");
    let listed = disbelieves(&proxy, at, lies, async || bucket.list("", None, 50).await).await;
    assert_eq!(listed.objects.into_iter().map(|info| info.key).collect::<Vec<_>>(), ["there"]);
    let stored = disbelieves(&proxy, Match::any().method("PUT"), gone(), async || put("new").await).await;
    assert_eq!(stored.unwrap().size, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_is_empty_only_if_sqs_says_so() {
    sqs::make("lies").await;
    let proxy = Proxy::http(&shared(Server::Sqs).url());
    let config: Config = toml::from_str(&format!("[sqs]\nendpoint = '{}'\nqueue = 'lies'\n", proxy.url())).unwrap();
    let here = Path::new(".");
    let backends = Backends::new(here, here, Mode::ReadWrite, Arc::new(System)).with_aws(session());
    let queue = backends.queue("work", Some(&config)).unwrap();
    let message = r#"{"Messages":[{"Body":"b","MessageId":"m","MD5OfBody":"00","ReceiptHandle":"r"}]}"#;
    let lies = json(&[(200, message), (200, r#"{"Messages":[{}]}"#)]).into_iter().chain(strangers());
    let receive = async || queue.receive(1, Duration::from_secs(9), Duration::ZERO).await;
    assert!(disbelieves(&proxy, Match::any().target("ReceiveMessage"), lies, receive).await.is_empty());
    let lies = json(&[(200, "{}"), (200, r#"{"Attributes":{}}"#)]).into_iter().chain(strangers());
    let depth =
        disbelieves(&proxy, Match::any().target("GetQueueAttributes"), lies, async || queue.depth().await).await;
    assert_eq!(depth.waiting, 0);
}
