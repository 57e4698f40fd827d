//! Objects by key: read and written as streams, so that an object need not fit into memory.
//!
//! A backend implements reading, writing, describing, listing and deleting; the other methods are built on these here.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use jiff::Timestamp;

use super::Listing;
use crate::error::{Error, Result};
pub use crate::record::Condition;

/// How many objects of a list are read at a time.
const AT_ONCE: usize = 16;

/// The most user metadata of an object, names and values together: S3's own limit.
const METADATA_BYTES: usize = 2 << 10;

/// The bytes of an object as they come, in pieces of any length.
///
/// An error ends the stream; a reader that reaches the end without one has read the whole object.
pub type Chunks = BoxStream<'static, Result<Bytes>>;

/// Makes one piece of bytes a stream.
pub fn chunks(bytes: impl Into<Bytes>) -> Chunks {
    stream::iter([Ok(bytes.into())]).boxed()
}

/// A bucket's description of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The object's key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Changes when the content does.
    pub etag: String,
    /// Its media type, if the bucket keeps one; a server may set one for an object that was stored without. A listing
    /// may leave it out.
    pub content_type: Option<String>,
    /// The metadata that its writer set, by name. A listing may leave it out.
    pub metadata: BTreeMap<String, String>,
    /// When it was stored, as returned by describing, reading or listing: storing the same bytes again changes it.
    pub modified: Option<Timestamp>,
}

/// How an object is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Put {
    /// Its media type.
    pub content_type: Option<String>,
    /// The metadata to store: names of small letters, digits, `-`, `_` and `.`; values of printable ASCII, with no
    /// space at either end; 2 KiB in all.
    pub metadata: BTreeMap<String, String>,
    /// On which condition it is written.
    pub condition: Condition,
    /// How many bytes the stream has, if known: another number is an error, and nothing is stored.
    pub size: Option<u64>,
}

/// Where an object is, for a bucket of the same kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The server: equal if it can copy without this process reading the content.
    pub server: String,
    /// The bucket's own name there.
    pub bucket: String,
    /// The object's whole key there.
    pub key: String,
}

impl Put {
    /// Refuses metadata that not every bucket can keep.
    ///
    /// *Errors*: [`crate::error::Kind::Usage`].
    pub fn check(&self) -> Result<()> {
        let refuse = |name: &str, reason: &str| {
            let shown: String = name.chars().take(80).collect();
            Err(Error::usage(format!("the object's metadata `{shown}` {reason}")))
        };
        for (name, value) in &self.metadata {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
            if name.is_empty() || !name.bytes().all(fits) {
                return refuse(name, "has a name of more than small letters, digits, `-`, `_` and `.`");
            }
            if value.trim() != value || !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                return refuse(name, "has a value of more than printable ASCII without spaces at its ends");
            }
        }
        let bytes: usize = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > METADATA_BYTES {
            return Err(Error::usage(format!(
                "the object's metadata has {bytes} bytes, but can have {METADATA_BYTES}"
            )));
        }
        Ok(())
    }

    /// Checks the number of bytes that were read against the announced size.
    pub fn check_size(&self, came: u64) -> Result<()> {
        match self.size {
            Some(said) if said != came => {
                Err(Error::usage(format!("the object's content has {came} bytes where {said} were to come")))
            }
            _ => Ok(()),
        }
    }
}

/// Objects by key.
///
/// *Shape*: a key has 1 to 1024 bytes of UTF-8. A backend that cannot store a key refuses it with a reason; it never
/// stores under another key. Reading a key that cannot be stored finds nothing.
#[async_trait]
pub trait Bucket: Send + Sync {
    /// Describes objects, in the order asked.
    async fn head_many(&self, keys: &[String]) -> Result<Vec<Option<ObjectInfo>>>;

    /// Opens an object. Its stream is that one object to the end, even if it is overwritten meanwhile, or an error.
    async fn read(&self, key: &str) -> Result<Option<(ObjectInfo, Chunks)>>;

    /// Stores an object whole or not at all, and replaces one of the same key; it is durable when the call returns.
    /// None if the condition does not hold: nothing was written then.
    ///
    /// *Errors*: also those of `content`, unchanged. *Cancel*: safe; a dropped call stores nothing, or the whole
    /// object. If the reply is lost, a conditional write that took effect may be returned as refused.
    async fn write(&self, key: &str, put: &Put, content: Chunks) -> Result<Option<ObjectInfo>>;

    /// Removes an object; it is not an error if there is none.
    async fn delete(&self, key: &str) -> Result<()>;

    /// Removes an object while it has this etag, in one step. False if another object has its key; true if none has.
    ///
    /// *Errors*: a server that cannot compare and remove in one step; nothing was removed then.
    async fn delete_if(&self, key: &str, etag: &str) -> Result<bool>;

    /// Lists objects whose key starts with `prefix` and sorts after `after`, by key.
    ///
    /// Returns at most `limit` entries, at least 1, omitted ones included; fewer do not mean the end: only
    /// [`Listing::next`] shows that. Following it lists every object that is there all the time once; an entry that
    /// cannot be read is an omitted one.
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Listing>;

    /// Returns where an object of this key is, for a server that can copy by itself; none if only this process can read
    /// it.
    fn location(&self, _key: &str) -> Option<Location> {
        None
    }

    /// Reads whole objects, in the order asked; refuses one larger than `max_bytes` before its content is read.
    async fn get_many(&self, keys: &[String], max_bytes: u64) -> Result<Vec<Option<Vec<u8>>>> {
        let reads: Vec<_> = keys.iter().map(|key| whole(self, key, max_bytes)).collect();
        stream::iter(reads).buffered(AT_ONCE).try_collect().await
    }

    /// Stores bytes, and replaces an existing object.
    async fn put(&self, key: &str, bytes: Vec<u8>, content_type: Option<&str>) -> Result<()> {
        let put = Put { content_type: content_type.map(str::to_owned), ..Put::default() };
        self.write(key, &put, chunks(bytes)).await.map(drop)
    }

    /// Copies an object of any bucket, with its media type and its metadata; none if there is no such object.
    ///
    /// The server copies it if it can; else the content streams through this process.
    async fn copy(&self, from: (&dyn Bucket, &str), to: &str) -> Result<Option<ObjectInfo>> {
        stream_over(self, from, to).await
    }
}

/// Copies by reading and writing.
pub(crate) async fn stream_over<B: Bucket + ?Sized>(
    target: &B,
    from: (&dyn Bucket, &str),
    to: &str,
) -> Result<Option<ObjectInfo>> {
    let Some((info, content)) = from.0.read(from.1).await? else { return Ok(None) };
    let size = Some(info.size);
    let put = Put { content_type: info.content_type, metadata: info.metadata, condition: Condition::Always, size };
    target.write(to, &put, content).await
}

async fn whole<B: Bucket + ?Sized>(bucket: &B, key: &str, max_bytes: u64) -> Result<Option<Vec<u8>>> {
    let refuse = |size: u64| {
        Error::usage(format!("the object has {size} bytes, more than the limit of {max_bytes}")).with("key", key)
    };
    let Some((info, mut content)) = bucket.read(key).await? else { return Ok(None) };
    if info.size > max_bytes {
        return Err(refuse(info.size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(info.size).unwrap_or(0));
    while let Some(chunk) = content.try_next().await? {
        bytes.extend_from_slice(&chunk);
        // An object may grow while it is read.
        if bytes.len() as u64 > max_bytes {
            return Err(refuse(bytes.len() as u64));
        }
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(name: &str, value: &str) -> Put {
        Put { metadata: BTreeMap::from([(name.to_owned(), value.to_owned())]), ..Put::default() }
    }

    #[test]
    fn metadata_that_a_header_cannot_carry_is_refused() {
        assert!(noted("page-1_a.b", "a b ~").check().is_ok());
        assert!(noted("a", "").check().is_ok());
        let bad = [("", "x"), ("A", "x"), ("a b", "x"), ("ä", "x"), ("a", "ä"), ("a", " x"), ("a", "x\r\nevil: 1")];
        for (name, value) in bad {
            assert!(noted(name, value).check().is_err(), "{name:?} {value:?}");
        }
        assert!(noted("a", &"x".repeat(METADATA_BYTES - 1)).check().is_ok());
        assert!(noted("a", &"x".repeat(METADATA_BYTES)).check().is_err());
    }

    #[test]
    fn a_stream_of_another_length_than_said_is_an_error() {
        let put = |size| Put { size, ..Put::default() };
        assert!(put(None).check_size(7).is_ok() && put(Some(7)).check_size(7).is_ok());
        assert!(put(Some(8)).check_size(7).is_err());
    }
}
