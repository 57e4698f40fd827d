//! Indexes in OpenSearch and Elasticsearch: the contract, and what only a cluster can do to them.

mod believed;
mod deletions;
mod housing;
mod pressure;
mod routes;
mod strangers;
mod whole;

use std::{path::Path, sync::Arc};

use reindex::{
    backend::{Backends, Config, Mode},
    capability::index::{Index, Stamp, Write},
    clock::System,
    error::Result,
};
use serde_json::Value;
use servers::{Running, Server, shared};

use super::contract;

/// An index of a server, with more keys of an environment file.
pub fn open(server: &Running, alias: &str, more: &str) -> Result<Arc<dyn Index>> {
    opened(server.server(), &server.url(), alias, more)
}

pub fn opened(engine: Server, url: &str, alias: &str, more: &str) -> Result<Arc<dyn Index>> {
    let text = format!("[{engine}]\nurl = '{url}'\n{more}");
    let config: Config = toml::from_str(&text).unwrap();
    let here = Path::new(env!("CARGO_TARGET_TMPDIR"));
    Backends::new(here, here, Mode::ReadWrite, Arc::new(System)).index(alias, Some(&config))
}

fn stamp() -> Stamp {
    Stamp { version: "v".to_owned() }
}

fn put(id: &str, version: u64, body: &str) -> Write {
    Write { id: id.to_owned(), version: Some(version), body: Some(body.to_owned()) }
}

/// Some documents of about a kilobyte.
pub fn documents(from: usize, to: usize) -> Vec<Write> {
    let filler = "word ".repeat(200);
    (from..to).map(|n| put(&format!("d-{n}"), 1, &format!("{{\"n\":{n},\"text\":\"{filler}\"}}"))).collect()
}

/// Says something to a server in its own words.
pub async fn say(server: &Running, method: &str, path: &str, body: &str) -> Value {
    use elasticsearch::http::{Method, headers::HeaderMap, transport::Transport};
    let method = match method {
        "PUT" => Method::Put,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        _ => Method::Get,
    };
    let transport = Transport::single_node(&server.url()).unwrap();
    let body = (!body.is_empty()).then(|| body.to_owned());
    let reply = transport.send(method, path, HeaderMap::new(), None::<&()>, body, None).await.unwrap();
    serde_json::from_str(&reply.text().await.unwrap()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_in_opensearch_keeps_its_promises() {
    contract::index::index(open(shared(Server::Opensearch), "contract", "").unwrap(), "opensearch index").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_in_elasticsearch_keeps_its_promises() {
    contract::index::index(open(shared(Server::Elasticsearch), "contract", "").unwrap(), "elasticsearch index").await;
}
