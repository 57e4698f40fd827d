//! Documents: writing, reading by id, counting, searching.

use std::collections::HashMap;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    Index,
    client::Method,
    concrete::{check_name, no_index},
    fault::{self, Said, Shards},
    search,
};
use crate::{
    backend::reply::{is_too_long, words},
    capability::index::{Document, Documents, Stamp, Write, Written},
    error::{Error, Kind, Result},
};

/// How many documents are read in one request.
const TOGETHER: usize = 500;

/// How many bytes the documents of one request may have together; a single one may be as long as a write allows.
const MOST_BYTES: usize = 64 << 20;

#[derive(Deserialize)]
struct Answer {
    docs: Vec<Found>,
}

/// A document in an answer of the engines.
#[derive(Deserialize)]
pub(super) struct Found {
    _index: String,
    _id: String,
    #[serde(default)]
    _version: Option<u64>,
    #[serde(default)]
    _source: Option<Box<RawValue>>,
    /// Whether the document exists, in an answer to a request by id.
    #[serde(default)]
    found: Option<bool>,
    #[serde(default)]
    error: Option<Value>,
}

impl Found {
    pub(super) fn has_source(&self) -> bool {
        self._source.is_some()
    }

    /// Whether it answers a request for this document, in this index if one was named.
    fn answers(&self, concrete: Option<&str>, id: &str) -> bool {
        let told = self.error.is_some() || self.found == Some(self.has_source());
        told && self._id == id && concrete.is_none_or(|concrete| concrete == self._index)
    }
}

#[derive(Deserialize)]
struct Shown {
    _shards: Shards,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
    _shards: Shards,
}

#[async_trait]
impl Documents for Index {
    async fn write(&self, concrete: &str, writes: Vec<Write>) -> Result<Vec<Written>> {
        let write_alias = self.known(concrete).await?.write_alias;
        self.bulk.write(&write_alias, &writes).await
    }

    async fn get_many(&self, concrete: Option<&str>, ids: &[String]) -> Result<Vec<Option<Document>>> {
        if let Some(concrete) = concrete {
            self.known(concrete).await?;
        }
        let mut documents = Vec::with_capacity(ids.len());
        // Large documents are read in smaller groups.
        let mut parts: Vec<&[String]> = ids.chunks(TOGETHER).rev().collect();
        while let Some(part) = parts.pop() {
            match (self.fetch_part(concrete, part, MOST_BYTES).await, part.len()) {
                (Err(error), 2..) if is_too_long(&error) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                (Err(error), _) if is_too_long(&error) => {
                    documents.extend(self.fetch_part(concrete, part, self.client.longest().await?).await?);
                }
                (some, _) => documents.extend(some?),
            }
        }
        Ok(documents)
    }

    async fn count(&self, concrete: &str) -> Result<u64> {
        check_name(concrete)?;
        self.refresh(concrete).await?;
        let operation = "documents cannot be counted";
        let reply = self.on(concrete, operation, Method::Get, &format!("{concrete}/_count"), None).await?;
        let Count { count, _shards } = reply.json()?;
        fault::complete(operation, false, &_shards).map_err(|error| error.with("index", concrete))?;
        Ok(count)
    }

    async fn refresh(&self, concrete: &str) -> Result<()> {
        check_name(concrete)?;
        let path = format!("{concrete}/_refresh");
        let operation = "it cannot be refreshed";
        let said: Shown = self.on(concrete, operation, Method::Post, &path, None).await?.json()?;
        fault::complete(operation, false, &said._shards).map_err(|error| error.with("index", concrete))
    }

    async fn search(&self, query: &str, limit: usize) -> Result<(u64, Vec<Document>)> {
        search::search(self, query, limit).await
    }
}

impl Index {
    /// The documents of one request, in an answer of at most `most` bytes.
    async fn fetch_part(&self, concrete: Option<&str>, ids: &[String], most: usize) -> Result<Vec<Option<Document>>> {
        let operation = "documents cannot be read";
        let path = format!("{}/_mget", concrete.unwrap_or(&self.alias));
        let body = json!({ "ids": ids });
        let reply = self.client.call_within(operation, Method::Post, &path, Some(&body), most).await?;
        match (reply.status, concrete) {
            (200, _) => {}
            (404, None) if Said::of(&reply).is_no_index() => return Ok(vec![None; ids.len()]),
            (404, Some(concrete)) if Said::of(&reply).is_no_index() => return Err(no_index(concrete)),
            _ => return Err(fault::answered(operation, self.client.engine(), &reply).with("index", self.alias.clone())),
        }
        let Answer { docs } = reply.json()?;
        let answered = docs.iter().zip(ids).filter(|(found, id)| found.answers(concrete, id)).count();
        if answered != ids.len() || docs.len() != ids.len() {
            let lacks = format!("{answered} of {} documents are answered for", ids.len());
            return Err(fault::incomplete(operation, &lacks).with("index", self.alias.clone()));
        }
        self.documents(docs, |error| match (error["type"].as_str(), concrete) {
            (Some("index_not_found_exception"), None) => Ok(()),
            (Some("index_not_found_exception"), Some(concrete)) => Err(no_index(concrete)),
            _ => {
                let reason = error["reason"].as_str().unwrap_or_default();
                Err(Error::new(Kind::Unavailable, format!("{operation}: {}", words(reason))))
            }
        })
        .await
    }

    /// The documents that the engine found. `forgive` decides about an error of one of them.
    pub(super) async fn documents(
        &self,
        found: Vec<Found>,
        forgive: impl Fn(&Value) -> Result<()>,
    ) -> Result<Vec<Option<Document>>> {
        let mut versioned = HashMap::new();
        for Found { _index, error, .. } in &found {
            error.as_ref().map_or(Ok(()), &forgive)?;
            if error.is_none() && !versioned.contains_key(_index) {
                versioned.insert(_index.clone(), is_versioned(self.known(_index).await?.stamp.as_ref()));
            }
        }
        let document = |found: Found| {
            let version = found._version.filter(|_| versioned.get(&found._index).is_some_and(|versioned| *versioned));
            let body = found._source.map(|source| Box::<str>::from(source).into_string());
            body.map(|body| Document { id: found._id, version, body })
        };
        Ok(found.into_iter().map(document).collect())
    }
}

/// Every document of the engines has a version; in an index whose stamp is `none`, it is the engine's own and not an
/// item's.
fn is_versioned(stamp: Option<&Stamp>) -> bool {
    stamp.is_none_or(|stamp| stamp.version != "none")
}
