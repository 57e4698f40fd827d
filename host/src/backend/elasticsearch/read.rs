//! Documents by id, and how many there are.

use std::collections::HashMap;

use elasticsearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    Index,
    alias::{check_name, no_index},
    fault,
};
use crate::{
    capability::index::{Document, Stamp},
    error::{Error, Kind, Result},
};

/// How many documents are read in one request.
const TOGETHER: usize = 500;

#[derive(Deserialize)]
struct Answer {
    docs: Vec<Found>,
}

/// A document as the engines answer it.
#[derive(Deserialize)]
pub(super) struct Found {
    _index: String,
    _id: String,
    #[serde(default)]
    _version: Option<u64>,
    #[serde(default)]
    _source: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Value>,
}

impl Index {
    /// Documents in the order of their ids.
    pub(super) async fn fetch(&self, concrete: Option<&str>, ids: &[String]) -> Result<Vec<Option<Document>>> {
        if let Some(concrete) = concrete {
            self.known(concrete).await?;
        }
        let mut documents = Vec::with_capacity(ids.len());
        for part in ids.chunks(TOGETHER) {
            documents.extend(self.fetch_part(concrete, part).await?);
        }
        Ok(documents)
    }

    async fn fetch_part(&self, concrete: Option<&str>, ids: &[String]) -> Result<Vec<Option<Document>>> {
        let operation = "documents cannot be read";
        let path = format!("{}/_mget", concrete.unwrap_or(&self.alias));
        let reply = self.client.call(operation, Method::Post, &path, Some(&json!({ "ids": ids }))).await?;
        match (reply.status, concrete) {
            (200, _) => {}
            (404, None) => return Ok(vec![None; ids.len()]),
            (404, Some(concrete)) => return Err(no_index(concrete)),
            _ => return Err(fault::answered(operation, self.client.engine(), &reply).with("index", self.alias.clone())),
        }
        let Answer { docs } = reply.json()?;
        if docs.len() != ids.len() {
            return Err(Error::new(
                Kind::Unavailable,
                format!("{operation}: {} of {} were answered", docs.len(), ids.len()),
            ));
        }
        self.documents(docs, |error| match (error["type"].as_str(), concrete) {
            (Some("index_not_found_exception"), None) => Ok(()),
            (Some("index_not_found_exception"), Some(concrete)) => Err(no_index(concrete)),
            _ => {
                let reason = error["reason"].as_str().unwrap_or_default();
                Err(Error::new(Kind::Unavailable, format!("{operation}: {reason}")))
            }
        })
        .await
    }

    /// What the engine found, as documents. `forgive` decides about an error of one of them.
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

    /// How many documents there are, with all that was written before.
    pub(super) async fn tally(&self, concrete: &str) -> Result<u64> {
        check_name(concrete)?;
        self.show(concrete).await?;
        let reply =
            self.on(concrete, "documents cannot be counted", Method::Get, &format!("{concrete}/_count"), None).await?;
        let said: Value = reply.json()?;
        said["count"].as_u64().ok_or_else(|| Error::new(Kind::Unavailable, "the cluster's answer holds no count"))
    }
}

/// Every document of the engines has a version; in an index of which it is said, it is none of ours.
fn is_versioned(stamp: Option<&Stamp>) -> bool {
    stamp.is_none_or(|stamp| stamp.version != "none")
}
