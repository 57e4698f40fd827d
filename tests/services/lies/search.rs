//! OpenSearch and Elasticsearch.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use proxy::{Fault, Match, Proxy};
use reindex::capability::index::{Index, Stamp, Write, Written};
use servers::{Server, shared};

use super::{disbelieves, json, strangers};
use crate::{contract::texts, index::opened};

const NAME: &str = "lies_1";
const DOCUMENTS: usize = 5;

fn put(id: &str) -> Write {
    Write { id: id.to_owned(), version: Some(1), body: Some("{\"a\":1}".to_owned()) }
}

/// A little that unfolds to a lot.
fn bomb() -> (&'static str, Fault) {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let blanks = vec![b' '; 1 << 20];
    (0..300).for_each(|_| packed.write_all(&blanks).unwrap());
    let headers = vec![("content-encoding".to_owned(), "gzip".to_owned())];
    ("a bomb", Fault::Reply(200, headers, packed.finish().unwrap()))
}

fn lies(own: &[(u16, &'static str)]) -> Vec<(&'static str, Fault)> {
    json(own).into_iter().chain(strangers()).chain([bomb()]).collect()
}

async fn believes_no_lie(engine: Server) {
    let proxy = Proxy::http(&shared(engine).url());
    let index = &*opened(engine, &proxy.url(), "lies", "").unwrap();
    let stamp = Stamp { version: "v".to_owned() };
    index.create(NAME, "{}", &stamp).await.unwrap();
    index.swap(None, NAME).await.unwrap();
    let documents: Vec<_> = (0..DOCUMENTS).map(|n| put(&format!("d{n}"))).collect();
    let written = index.write(NAME, documents.clone()).await.unwrap();
    assert!(written.iter().all(|written| *written == Written::Done), "{written:?}");

    let found = disbelieves(&proxy, Match::any().prefix("/lies"), lies(&[(200, "{}"), (404, "{}")]), async || {
        index.current().await
    })
    .await;
    assert_eq!(found.unwrap().name, NAME);
    reads(&proxy, index).await;
    counts(&proxy, index).await;
    let at = || Match::any().contains("_bulk");
    let writes = async || {
        let written = index.write(NAME, documents.clone()).await?;
        Ok(written.into_iter().filter(|written| *written != Written::Done).collect::<Vec<_>>())
    };
    // One that is too large for whoever stands in between costs itself alone.
    let bulk = lies(&[(200, "{}"), (200, "")]).into_iter().filter(|(name, _)| *name != "413");
    assert_eq!(disbelieves(&proxy, at(), bulk, writes).await, []);
    index.refresh(NAME).await.unwrap();
    assert_eq!(index.count(NAME).await.unwrap(), DOCUMENTS as u64);
}

async fn reads(proxy: &Proxy, index: &dyn Index) {
    let ids = texts(&["d0", "no"]);
    let own = [
        (200, "{}"),
        (200, r#"{"docs":[]}"#),
        (404, r#"{"error":"no","status":404}"#),
        (200, r#"{"docs":[{"_index":"lies_1","_id":"d0","found":false}]}"#),
        (200, r#"{"docs":[{"_index":"lies_1","_id":"d0"},{"_index":"lies_1","_id":"no"}]}"#),
        (
            200,
            r#"{"docs":[{"_index":"lies_1","_id":"no","found":false},{"_index":"lies_1","_id":"d0","found":false}]}"#,
        ),
        (200, r#"{"docs":[{"_index":"lies_1","_id":"d0","found":true},{"_index":"lies_1","_id":"no","found":false}]}"#),
    ];
    let at = || Match::any().contains("_mget");
    for concrete in [None, Some(NAME)] {
        let found = disbelieves(proxy, at(), lies(&own), async || index.get_many(concrete, &ids).await).await;
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
    }
    let own = r#"{"docs":[{"_index":"other","_id":"d0","found":false},{"_index":"other","_id":"no","found":false}]}"#;
    disbelieves(proxy, at(), json(&[(200, own)]), async || index.get_many(Some(NAME), &ids).await).await;
}

async fn counts(proxy: &Proxy, index: &dyn Index) {
    let at = |part: &str| Match::any().contains(part);
    let own = [
        (200, "{}"),
        (200, r#"{"_shards":{"total":2,"successful":1,"failed":1}}"#),
        (404, r#"{"error":"no","status":404}"#),
    ];
    disbelieves(proxy, at("_refresh"), lies(&own), async || index.refresh(NAME).await).await;
    let own = [(200, "{}"), (200, r#"{"count":0}"#), (200, r#"{"count":0,"_shards":{"total":2,"failed":1}}"#)];
    let count = disbelieves(proxy, at("_count"), lies(&own), async || index.count(NAME).await).await;
    assert_eq!(count, DOCUMENTS as u64);
    let own = [
        (200, "{}"),
        (200, r#"{"hits":{"total":{"value":0},"hits":[]}}"#),
        (200, r#"{"timed_out":true,"_shards":{"failed":0},"hits":{"total":{"value":0},"hits":[]}}"#),
        (200, r#"{"timed_out":false,"_shards":{"failed":1},"hits":{"total":{"value":0},"hits":[]}}"#),
    ];
    let listed = disbelieves(proxy, at("_search"), lies(&own), async || {
        index.listed().unwrap().list(NAME, None, None, None, 100).await
    })
    .await;
    assert_eq!(listed.documents.len(), DOCUMENTS);
    let (total, _) = disbelieves(proxy, at("_search"), lies(&own), async || index.search("", 10).await).await;
    assert_eq!(total, DOCUMENTS as u64);
    let own = [(200, "{}"), (200, r#"{"lies_1":{}}"#)];
    let settings =
        disbelieves(proxy, at("_settings"), lies(&own), async || index.tunes().unwrap().load_settings(NAME).await)
            .await;
    disbelieves(proxy, at("_settings"), lies(&[(200, "{}")]), async || {
        index.tunes().unwrap().restore(NAME, &settings).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opensearch_is_not_taken_for_whoever_answers_in_its_place() {
    believes_no_lie(Server::Opensearch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elasticsearch_is_not_taken_for_whoever_answers_in_its_place() {
    believes_no_lie(Server::Elasticsearch).await;
}

/// What was checked is one cluster; what a redirect names may be any.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_writes_nothing_into_another_cluster() {
    let (proxy, other) =
        (Proxy::http(&shared(Server::Opensearch).url()), Proxy::http(&shared(Server::Opensearch).url()));
    let index = opened(Server::Opensearch, &proxy.url(), "redirected", "").unwrap();
    index.create("redirected_1", "{}", &Stamp { version: "v".to_owned() }).await.unwrap();
    for status in [301, 302, 307, 308] {
        let location = vec![("location".to_owned(), format!("{}/redirected_1/_bulk", other.url()))];
        let rule = proxy.add(proxy::Rule::new(Match::any().contains("_bulk"), Fault::Reply(status, location, vec![])));
        let error = index.write("redirected_1", vec![put("d")]).await.unwrap_err();
        proxy.remove(rule);
        assert!(error.report().contains(&other.address().to_string()) && !error.may_retry(), "{error:?}");
    }
    assert_eq!((proxy.fired(), other.requests()), (4, Vec::new()));
}
