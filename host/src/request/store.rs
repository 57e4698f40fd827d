//! Where requests are kept: one file per object, so that a second request for it replaces the first.

use std::{collections::BTreeMap, sync::Arc};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use super::{Request, notice::Unreadable};
use crate::{
    capability::storage::{Bucket, Condition, Put, chunks},
    error::{Error, Result},
};

/// How many requests are read or written at a time.
pub(super) const AT_ONCE: usize = 16;

/// The largest request that is read before another one replaces it; requests written here are far smaller.
const MAX_BYTES: u64 = 1 << 20;

/// A bucket whose objects are requested.
#[derive(Clone)]
pub struct Served {
    /// The recipe's name for it.
    pub name: String,
    /// The bucket.
    pub bucket: Arc<dyn Bucket>,
}

/// The requests of a recipe, as files of a bucket.
pub struct Requests {
    /// Where the requests are.
    pub(super) bucket: Served,
    pub(super) prefix: String,
    /// The bucket whose objects they name.
    pub(super) objects: Served,
    /// How many bytes of a request are read at most; a longer one is cut.
    pub(super) max_bytes: usize,
}

impl Served {
    /// Returns the recipe's key for a key of a server's bucket; none if it is another bucket, or outside the part that
    /// is served.
    pub fn key_of(&self, bucket: &str, key: &str) -> Option<String> {
        // If the bucket does not know the server's name of it, every event is about this bucket.
        let Some(own) = self.bucket.location("x") else { return Some(key.to_owned()) };
        let inside = key.strip_prefix(own.key.strip_suffix('x')?)?;
        (own.bucket == bucket && !inside.is_empty()).then(|| inside.to_owned())
    }

    /// Translates a request into the recipe's names: it may contain the server's name of the bucket, or none. A request
    /// for another bucket is kept as it is, and the plugin refuses it.
    pub(super) fn asked(&self, bucket: &str, key: &str) -> Request {
        if bucket.is_empty() || bucket == self.name {
            return Request::new(&self.name, key);
        }
        match self.key_of(bucket, key) {
            Some(key) => Request::new(&self.name, &key),
            None => Request::new(bucket, key),
        }
    }
}

impl Requests {
    /// Keeps requests for `objects` under a prefix of a bucket; the run refuses one longer than `max_bytes`.
    pub fn new(bucket: Served, prefix: &str, objects: Served, max_bytes: usize) -> Self {
        Self { bucket, prefix: prefix.to_owned(), objects, max_bytes }
    }

    /// The bucket whose objects are requested.
    pub fn objects(&self) -> &Served {
        &self.objects
    }

    /// Makes a request for an object by its key.
    pub fn ask(&self, key: &str) -> Request {
        Request::new(&self.objects.name, key)
    }

    /// Writes requests, several at a time; they are durable when the call returns. Of several for one object, the one
    /// of the latest event wins, else the last.
    pub async fn write(&self, requests: Vec<Request>) -> Result<()> {
        let writes = latest(requests).into_values().map(|request| self.write_one(request));
        let writes: Vec<_> = writes.collect();
        stream::iter(writes).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Writes an event that cannot be read as a request, so that a run reports it.
    pub async fn write_unreadable(&self, Unreadable { text, reason }: &Unreadable) -> Result<()> {
        let name = blake3::hash(text.as_bytes()).to_hex();
        let body = json!({ "message": text, "unreadable": reason });
        self.put(&format!("{}message-{}.json", self.prefix, &name[..32]), body.to_string(), Condition::Always)
            .await
            .map(drop)
    }

    /// The key under which the request for an object is written.
    pub(super) fn key_of(&self, request: &Request) -> String {
        format!("{}{}", self.prefix, request.file_name())
    }

    /// Replaces the request that is there; repeats that if another writer changed it in between.
    async fn write_one(&self, request: Request) -> Result<()> {
        let key = self.key_of(&request);
        loop {
            let found = self.bucket.bucket.head_many(std::slice::from_ref(&key)).await?.pop().flatten();
            let (request, condition) = match found {
                None => (request.clone(), Condition::Absent),
                Some(info) => match self.earlier(&key).await? {
                    None => (request.clone(), Condition::Etag(info.etag)),
                    Some(earlier) => match request.over(&earlier) {
                        None => return Ok(()),
                        Some(request) => (request, Condition::Etag(info.etag)),
                    },
                },
            };
            let body = serde_json::to_string(&request)
                .map_err(|error| Error::bug("a request cannot be written down").because(error))?;
            if self.put(&key, body, condition).await? {
                return Ok(());
            }
        }
    }

    /// The request that is there; none if the file is not a request.
    async fn earlier(&self, key: &str) -> Result<Option<Request>> {
        let bytes = self.bucket.bucket.get_many(&[key.to_owned()], MAX_BYTES).await?.pop().flatten();
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    async fn put(&self, key: &str, body: String, condition: Condition) -> Result<bool> {
        let content_type = Some("application/json".to_owned());
        let put = Put { content_type, condition, size: Some(body.len() as u64), ..Put::default() };
        Ok(self.bucket.bucket.write(key, &put, chunks(body)).await?.is_some())
    }
}

/// Keeps one request per object.
fn latest(requests: Vec<Request>) -> BTreeMap<String, Request> {
    let mut latest: BTreeMap<String, Request> = BTreeMap::new();
    for request in requests {
        let name = request.file_name();
        match latest.get(&name).map(|earlier| request.over(earlier)) {
            Some(None) => {}
            Some(Some(request)) => drop(latest.insert(name, request)),
            None => drop(latest.insert(name, request)),
        }
    }
    latest
}
