//! Answers that DynamoDB Local never gives: throttling, pages without items, unprocessed keys and items. They follow
//! the service's documentation; the SDK that reads them is the real one.

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;

use super::{Config, Table};
use crate::{
    backend::aws::Session,
    capability::storage::{Scan, Segment, Table as _},
    error::Kind,
};

const KEYED: &str = r#"{"Table":{"TableName":"t","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
    "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}}"#;
const THROTTLED: &str =
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}"#;
const WHOLE: Segment = Segment { number: 0, total: 1 };

/// Gives these answers in order, and records the requests.
#[derive(Debug, Clone, Default)]
struct Canned {
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        self.asked.lock().unwrap().push(asked);
        let (status, body) = self.answers.lock().unwrap().remove(0);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
    }
}

impl HttpClient for Canned {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn table(answers: &[(u16, &str)]) -> (Table, Canned) {
    let answers = answers.iter().map(|(status, body)| (*status, (*body).to_owned()));
    let canned = Canned { answers: Arc::new(Mutex::new(answers.collect())), ..Canned::default() };
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(canned.clone())
        .region(Region::new("eu-west-2"))
        .retry_config(RetryConfig::standard().with_initial_backoff(std::time::Duration::from_millis(1)))
        .sleep_impl(aws_sdk_dynamodb::config::SharedAsyncSleep::new(Now))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "tests")))
        .build();
    (Table::open("t", &Config::default(), &Session::new(config)), canned)
}

/// A clock whose sleeps end at once.
#[derive(Debug)]
struct Now;

impl aws_sdk_dynamodb::config::AsyncSleep for Now {
    fn sleep(&self, _: std::time::Duration) -> aws_sdk_dynamodb::config::Sleep {
        aws_sdk_dynamodb::config::Sleep::new(std::future::ready(()))
    }
}

#[tokio::test]
async fn a_page_without_items_goes_on_where_its_key_says() {
    let empty = r#"{"Items":[],"Count":0,"ScannedCount":0,"LastEvaluatedKey":{"id":{"S":"a\/b"}}}"#;
    let (table, canned) = table(&[(200, KEYED), (200, empty), (200, r#"{"Items":[{"id":{"S":"c"}}],"Count":1}"#)]);
    let page = table.read(WHOLE, None, 7).await.unwrap();
    assert_eq!((page.rows.len(), page.next.as_deref()), (0, Some(r#"{"id":{"S":"a/b"}}"#)));
    let page = table.read(WHOLE, page.next.as_deref(), 7).await.unwrap();
    assert_eq!((page.rows[0].position.as_str(), page.next), ("c", None));
    assert!(canned.asked.lock().unwrap()[2].contains(r#""ExclusiveStartKey":{"id":{"S":"a/b"}}"#));
}

#[tokio::test]
async fn throttling_is_tried_again_and_then_said_to_pass() {
    let page = (200, r#"{"Items":[],"Count":0}"#);
    let (scanned, _) = table(&[(200, KEYED), (400, THROTTLED), (400, THROTTLED), page]);
    assert!(scanned.read(WHOLE, None, 7).await.is_ok());
    let (scanned, canned) = table(&[(200, KEYED), (400, THROTTLED), (400, THROTTLED), (400, THROTTLED)]);
    let error = scanned.read(WHOLE, None, 7).await.unwrap_err();
    assert_eq!((error.kind(), error.may_retry()), (Kind::Unavailable, true), "{error:?}");
    assert_eq!(canned.asked.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn an_answer_that_is_cut_off_or_no_json_is_worth_another_try() {
    for body in ["", r#"{"Items":[{"id":{"S":"#, "<html>", "{}", r#"{"Items":[]}"#, r#"{"Items":[],"Count":1}"#] {
        let (table, _) = table(&[(200, KEYED), (200, body), (200, body), (200, body)]);
        assert!(table.read(WHOLE, None, 7).await.unwrap_err().may_retry(), "{body}");
    }
}

#[tokio::test]
async fn what_the_sdk_tried_is_counted() {
    let (table, canned) = table(&[(200, KEYED), (400, THROTTLED), (400, THROTTLED), (400, THROTTLED)]);
    let error = table.read(WHOLE, None, 7).await.unwrap_err();
    assert_eq!(error.tries() as usize, canned.asked.lock().unwrap().len() - 1);
}

#[tokio::test]
async fn what_refuses_a_read_says_nothing_of_what_is_there() {
    let refusal = r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"no"}"#;
    for (status, body) in [(400, "<html>"), (404, "<html>"), (413, ""), (307, ""), (400, refusal), (200, "{}")] {
        let (table, _) = table(&[(200, KEYED), (status, body)]);
        let error = table.get_many(&["a".to_owned()]).await.unwrap_err();
        assert_ne!(error.kind(), Kind::NotFound, "{status} {body}");
    }
}

#[tokio::test]
async fn keys_and_items_left_undone_are_asked_for_again() {
    let some = r#"{"Responses":{"t":[{"id":{"S":"a"}}]},"UnprocessedKeys":{"t":{"Keys":[{"id":{"S":"b"}}],"ConsistentRead":true}}}"#;
    let rest = r#"{"Responses":{"t":[{"id":{"S":"b"}}]},"UnprocessedKeys":{}}"#;
    let (read, canned) = table(&[(200, KEYED), (200, some), (200, rest)]);
    let found = read.get_many(&["b".to_owned(), "a".to_owned(), "b".to_owned()]).await.unwrap();
    assert!(found.iter().all(Option::is_some));
    assert!(canned.asked.lock().unwrap()[2].contains(r#""Keys":[{"id":{"S":"b"}}]"#));

    let left = r#"{"UnprocessedItems":{"t":[{"PutRequest":{"Item":{"id":{"S":"b"}}}}]}}"#;
    let (written, canned) = table(&[(200, KEYED), (200, left), (200, r#"{"UnprocessedItems":{}}"#)]);
    let records = ["a", "b"].map(|id| format!(r#"{{"id":{{"S":"{id}"}}}}"#));
    assert!(written.put_many(&records).await.unwrap().iter().all(Result::is_ok));
    assert!(!canned.asked.lock().unwrap()[2].contains(r#""S":"a""#));
}

#[tokio::test]
async fn a_refused_batch_is_halved_until_the_bad_item_stands_alone() {
    let refused = (400, r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"Item size"}"#);
    let fine = (200, r#"{"UnprocessedItems":{}}"#);
    let (table, _) = table(&[(200, KEYED), refused, fine, refused]);
    let records = ["a", "b"].map(|id| format!(r#"{{"id":{{"S":"{id}"}}}}"#));
    let answers = table.put_many(&records).await.unwrap();
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false]);
}
