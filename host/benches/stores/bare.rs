//! The loops to compare with: a scan whose items are thrown away, and bulk bodies that were built beforehand.
//! They run as a process of their own, so that their time and memory can be told from the benchmark's.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
    sync::Arc,
};

use elasticsearch::http::{
    Method,
    headers::{CONTENT_TYPE, HeaderMap, HeaderValue},
    transport::Transport,
};
use serde_json::{Value, json};
use tokio::{sync::Mutex, task::JoinSet};

/// How large a prepared body is.
const BODY: usize = 5 << 20;
const PAGE: usize = 2_000;

/// Runs one of the loops, as the words after `--bare` say.
pub fn main(words: &[String]) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match words.as_slice() {
            ["copy", dynamodb, segments, url, bodies, connections] => {
                let scan = tokio::spawn(scan((*dynamodb).to_owned(), segments.parse().unwrap()));
                bulk(url, bodies, connections.parse().unwrap()).await;
                scan.await.unwrap();
            }
            ["bulk", url, bodies, connections] => bulk(url, bodies, connections.parse().unwrap()).await,
            ["single", url, bodies, count] => single(url, bodies, count.parse().unwrap()).await,
            other => panic!("no such loop: {other:?}"),
        }
    });
}

/// What the server says that reading all of `people` consumes.
pub async fn units(endpoint: String) -> f64 {
    let count = aws_sdk_dynamodb::types::ReturnConsumedCapacity::Total;
    let scan = client(endpoint).await.scan().table_name("people").return_consumed_capacity(count);
    let mut pages = scan.into_paginator().send();
    let mut units = 0.0;
    while let Some(page) = pages.next().await {
        units += page
            .unwrap()
            .consumed_capacity()
            .and_then(aws_sdk_dynamodb::types::ConsumedCapacity::capacity_units)
            .unwrap_or_default();
    }
    units
}

async fn client(endpoint: String) -> aws_sdk_dynamodb::Client {
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .region("eu-west-2")
        .credentials_provider(aws_sdk_dynamodb::config::Credentials::new("bench", "bench", None, None, "bench"))
        .load()
        .await;
    aws_sdk_dynamodb::Client::new(&config)
}

/// Reads every item of `people` in parallel segments and throws it away.
async fn scan(endpoint: String, segments: i32) {
    let client = client(endpoint).await;
    let mut all = JoinSet::new();
    for segment in 0..segments {
        let pages = client.scan().table_name("people").segment(segment).total_segments(segments);
        all.spawn(async move {
            let mut pages = pages.into_paginator().send();
            let mut count = 0;
            while let Some(page) = pages.next().await {
                count += page.unwrap().items().len();
            }
            count
        });
    }
    all.join_all().await;
}

/// Sends a file of prepared lines in large bodies over some connections.
async fn bulk(url: &str, bodies: &str, connections: usize) {
    let file = Arc::new(Mutex::new(BufReader::with_capacity(1 << 20, File::open(bodies).unwrap())));
    let mut all = JoinSet::new();
    for _ in 0..connections {
        let (file, url) = (file.clone(), url.to_owned());
        all.spawn(async move {
            let transport = Transport::single_node(&url).unwrap();
            loop {
                let body = next_body(&mut *file.lock().await);
                if body.is_empty() {
                    return;
                }
                let answer = send(&transport, Method::Post, "/bare/_bulk?filter_path=errors", Some(body)).await;
                assert_eq!(answer["errors"], false);
            }
        });
    }
    all.join_all().await;
}

async fn single(url: &str, bodies: &str, count: usize) {
    let transport = Transport::single_node(url).unwrap();
    let mut lines = BufReader::new(File::open(bodies).unwrap()).lines().map(Result::unwrap);
    for _ in 0..count {
        let (Some(action), Some(source)) = (lines.next(), lines.next()) else { return };
        let action: Value = serde_json::from_str(&action).unwrap();
        let path = format!("/bare/_doc/{}", action["index"]["_id"].as_str().unwrap());
        send(&transport, Method::Put, &path, Some(source)).await;
    }
}

fn next_body(file: &mut impl BufRead) -> String {
    let mut body = String::with_capacity(BODY + 4096);
    while body.len() < BODY {
        let read = file.read_line(&mut body).unwrap() + file.read_line(&mut body).unwrap();
        if read == 0 {
            break;
        }
    }
    body
}

/// Sends a request with a JSON body and parses the answer.
pub async fn send(transport: &Transport, method: Method, path: &str, body: Option<String>) -> Value {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let answer = transport.send(method, path, headers, None::<&()>, body, None).await.unwrap();
    let status = answer.status_code();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// Copies an index that a run filled into a file of bulk lines, and one as elasticdump reads them.
pub async fn finish(url: &str, bodies: &Path, dump: &Path) {
    let transport = Transport::single_node(url).unwrap();
    let (mut bodies, mut dump) =
        (BufWriter::new(File::create(bodies).unwrap()), BufWriter::new(File::create(dump).unwrap()));
    let search = json!({ "size": PAGE, "sort": ["_doc"], "version": true });
    let mut page = send(&transport, Method::Post, "/persons/_search?scroll=1m", Some(search.to_string())).await;
    assert_ne!(page["hits"]["total"]["value"], 0, "the run left documents that are not found");
    while let Some(hits) = page["hits"]["hits"].as_array().filter(|hits| !hits.is_empty()) {
        for hit in hits {
            let action =
                json!({ "index": { "_id": hit["_id"], "version": hit["_version"], "version_type": "external_gte" } });
            writeln!(bodies, "{action}\n{}", hit["_source"]).unwrap();
            writeln!(dump, "{}", json!({ "_index": "dump", "_id": hit["_id"], "_source": hit["_source"] })).unwrap();
        }
        let next = json!({ "scroll": "1m", "scroll_id": page["_scroll_id"] });
        page = send(&transport, Method::Post, "/_search/scroll", Some(next.to_string())).await;
    }
    bodies.flush().unwrap();
    dump.flush().unwrap();
}

/// Removes every index there is.
pub async fn remove_all(url: &str) {
    let transport = Transport::single_node(url).unwrap();
    let indexes = send(&transport, Method::Get, "/_cat/indices?h=index&format=json", None).await;
    for index in indexes.as_array().unwrap() {
        send(&transport, Method::Delete, &format!("/{}", index["index"].as_str().unwrap()), None).await;
    }
}

/// Makes an empty index with the mapping of the one a run filled, and its load settings.
pub async fn prepare(url: &str, name: &str) {
    let transport = Transport::single_node(url).unwrap();
    let definition: Value = serde_json::from_str(include_str!("../../../plugins/persons/index.json")).unwrap();
    let mut settings = definition["settings"].clone();
    settings["index.refresh_interval"] = json!("-1");
    settings["index.number_of_replicas"] = json!(0);
    let body = json!({ "settings": settings, "mappings": definition["mappings"] });
    send(&transport, Method::Put, &format!("/{name}"), Some(body.to_string())).await;
}
