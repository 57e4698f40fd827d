//! Objects in S3, and in servers with the same protocol.
//!
//! Every object passes as a stream. An error that S3 gives no reason for (on HEAD it never does) is requested again
//! with GET, so that the user gets the reason. Buckets themselves are neither created nor changed here.

mod download;
mod fault;
mod list;
mod remove;
mod upload;

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    error::ProvideErrorMetadata as _,
    primitives::{ByteStream, DateTime},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::aws::{Session, incomplete};
use crate::{
    capability::storage::{self, Chunks, Condition, Listing, Location, ObjectInfo, Put, stream_over},
    error::{Error, Result},
};

use fault::Fault;

/// `[backend.<name>.s3]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The bucket.
    pub bucket: String,
    /// The prefix of every key there, such as `masters/`.
    #[serde(default)]
    pub prefix: String,
    /// The AWS region; without it, the one the standard chain finds.
    pub region: Option<String>,
    /// The address of a server other than AWS.
    pub endpoint: Option<String>,
    /// Whether the bucket's name is in the path of an address, not in its host; by default, if the endpoint is not AWS.
    pub path_style: Option<bool>,
}

/// How many objects are described at a time.
const AT_ONCE: usize = 16;

/// The longest key, in bytes, the bucket's own prefix included.
const MAX_KEY_BYTES: usize = 1024;

/// The largest object that a server copies in one request; larger ones stream through this process.
const MAX_COPY_BYTES: u64 = 5 << 30;

/// The characters that are literal in the address of an object.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A bucket in S3, or the part of one under a prefix.
#[derive(Debug)]
pub struct Bucket {
    client: Client,
    name: String,
    prefix: String,
    /// Two buckets of one server can copy without this process.
    server: String,
}

impl Bucket {
    /// Opens a bucket; makes no request yet.
    pub fn open(config: &Config, session: &Session) -> Self {
        let sdk = session.at(config.region.as_deref(), config.endpoint.as_deref());
        let path_style = config.path_style.unwrap_or(sdk.endpoint_url().is_some());
        let server = format!("{} {}", sdk.endpoint_url().unwrap_or("aws"), sdk.region().map_or("", AsRef::as_ref));
        let config_s3 = aws_sdk_s3::config::Builder::from(&sdk).force_path_style(path_style).build();
        Self {
            client: Client::from_conf(config_s3),
            name: config.bucket.clone(),
            prefix: config.prefix.clone(),
            server,
        }
    }

    /// The whole key of an object there; none for a key that cannot exist.
    fn whole_key(&self, key: &str) -> Option<String> {
        let whole = format!("{}{key}", self.prefix);
        (!key.is_empty() && whole.len() <= MAX_KEY_BYTES && !climbs(key)).then_some(whole)
    }

    fn storable(&self, key: &str) -> Result<String> {
        self.whole_key(key).ok_or_else(|| {
            let (shown, bytes) = (key.chars().take(80).collect::<String>(), self.prefix.len() + key.len());
            let reason = if climbs(key) {
                "the object's key has a part `.` or `..`, by which some servers find another object".to_owned()
            } else {
                format!("the object's key has {bytes} bytes with its prefix, not 1 to {MAX_KEY_BYTES}")
            };
            Error::usage(reason).with("key", shown)
        })
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>> {
        let Some(whole) = self.whole_key(key) else { return Ok(None) };
        match self.client.head_object().bucket(&self.name).key(whole).send().await {
            Ok(found) => {
                let modified = found.last_modified;
                let about = (found.content_length, found.e_tag, found.content_type, found.metadata);
                info(key, about, modified).map(Some)
            }
            // Only GET shows what is missing, object or bucket, or that another server answered.
            Err(error) if error.raw_response().is_some() => Ok(self.get(key).await?.map(|(info, _)| info)),
            Err(error) => Err(self.fault("the object cannot be described", &error).with("key", key)),
        }
    }

    async fn get(&self, key: &str) -> Result<Option<(ObjectInfo, ByteStream)>> {
        let Some(whole) = self.whole_key(key) else { return Ok(None) };
        match self.client.get_object().bucket(&self.name).key(whole).send().await {
            Ok(found) => {
                let modified = found.last_modified;
                let about = (found.content_length, found.e_tag, found.content_type, found.metadata);
                Ok(Some((info(key, about, modified)?, found.body)))
            }
            Err(error) if error.code() == Some("NoSuchKey") => Ok(None),
            Err(error) => Err(self.fault("the object cannot be read", &error).with("key", key)),
        }
    }

    fn fault<E: Fault>(&self, operation: &str, error: &E) -> Error {
        error.explain(operation, &self.name)
    }

    /// Copies on the server; none if the object no longer exists.
    async fn copy_there(&self, info: ObjectInfo, from: &Location, to: &str) -> Result<Option<ObjectInfo>> {
        let source = utf8_percent_encode(&format!("{}/{}", from.bucket, from.key), &PLAIN).to_string();
        let call = self.client.copy_object().bucket(&self.name).key(self.storable(to)?).copy_source(source);
        match call.send().await {
            Ok(copied) => {
                let etag = copied.copy_object_result.and_then(|result| result.e_tag);
                let etag = stored_etag(etag.as_deref()).map_err(|error| error.with("key", to))?;
                Ok(Some(ObjectInfo { key: to.to_owned(), etag, modified: None, ..info }))
            }
            Err(error) if error.code() == Some("NoSuchKey") => Ok(None),
            Err(error) => Err(self.fault("the object cannot be copied", &error).with("key", to)),
        }
    }
}

#[async_trait]
impl storage::Bucket for Bucket {
    async fn head_many(&self, keys: &[String]) -> Result<Vec<Option<ObjectInfo>>> {
        let heads: Vec<_> = keys.iter().map(|key| self.head(key)).collect();
        stream::iter(heads).buffered(AT_ONCE).try_collect().await
    }

    async fn read(&self, key: &str) -> Result<Option<(ObjectInfo, Chunks)>> {
        let Some((info, body)) = self.get(key).await? else { return Ok(None) };
        let content = self.download(key, &info, body);
        Ok(Some((info, content)))
    }

    async fn write(&self, key: &str, put: &Put, content: Chunks) -> Result<Option<ObjectInfo>> {
        put.check()?;
        let whole = self.storable(key)?;
        if matches!(&put.condition, Condition::Etag(etag) if !is_etag(etag)) {
            return Ok(None);
        }
        let stored = self.upload(&whole, put, content).await.map_err(|error| error.with("key", key))?;
        Ok(stored.map(|(etag, size)| ObjectInfo {
            key: key.to_owned(),
            size,
            etag,
            content_type: put.content_type.clone(),
            metadata: put.metadata.clone(),
            modified: None,
        }))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.remove(key, None).await.map(drop)
    }

    async fn delete_if(&self, key: &str, etag: &str) -> Result<bool> {
        self.remove(key, Some(etag)).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Listing> {
        self.listed(prefix, after, limit).await
    }

    fn location(&self, key: &str) -> Option<Location> {
        let key = self.whole_key(key)?;
        Some(Location { server: self.server.clone(), bucket: self.name.clone(), key })
    }

    async fn copy(&self, from: (&dyn storage::Bucket, &str), to: &str) -> Result<Option<ObjectInfo>> {
        let Some(there) = from.0.location(from.1).filter(|there| there.server == self.server) else {
            return stream_over(self, from, to).await;
        };
        let Some(info) = from.0.head_many(&[from.1.to_owned()]).await?.pop().flatten() else { return Ok(None) };
        if self.location(to).as_ref() == Some(&there) {
            return Ok(Some(info));
        }
        if info.size > MAX_COPY_BYTES {
            return stream_over(self, from, to).await;
        }
        self.copy_there(info, &there, to).await
    }
}

/// Whether a server that keeps its objects in directories would read another path, perhaps outside the prefix.
fn climbs(key: &str) -> bool {
    key.split('/').any(|part| part == "." || part == "..")
}

/// S3's description of an object: size, etag, media type, metadata.
type About = (Option<i64>, Option<String>, Option<String>, Option<HashMap<String, String>>);

/// A time of the server; none that lies beyond what a [`Timestamp`] holds.
fn timestamp(time: DateTime) -> Option<Timestamp> {
    Timestamp::from_nanosecond(time.as_nanos()).ok()
}

/// *Errors*: an answer without size or etag, which does not come from S3.
fn info(key: &str, (size, etag, content_type, metadata): About, modified: Option<DateTime>) -> Result<ObjectInfo> {
    let (Some(size), Some(etag)) = (size.and_then(|size| u64::try_from(size).ok()), etag) else {
        return Err(incomplete("the object cannot be described", "it has no length or no etag").with("key", key));
    };
    Ok(ObjectInfo {
        key: key.to_owned(),
        size,
        etag: unquoted(Some(&etag)),
        content_type,
        metadata: metadata.map(BTreeMap::from_iter).unwrap_or_default(),
        modified: modified.and_then(timestamp),
    })
}

/// The etag of the object that was just stored. Without one, nothing shows that it was.
fn stored_etag(etag: Option<&str>) -> Result<String> {
    let lacks = || incomplete("the object cannot be stored", "it has no etag");
    etag.filter(|etag| !etag.is_empty()).map(|etag| unquoted(Some(etag))).ok_or_else(lacks)
}

/// An etag without quotes, which not every server sends.
fn unquoted(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

/// Whether an object can have this etag. Servers interpret an impossible one as another condition, or as none.
fn is_etag(etag: &str) -> bool {
    !matches!(etag, "" | "*") && etag.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",".contains(&byte))
}

fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}
