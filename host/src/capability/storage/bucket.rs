//! Objects by key: read and written as streams, so that none has to fit into memory.
//!
//! A backend brings reading, writing, describing, listing and deleting; what can be made of these is made here.

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

/// How many objects are read at a time, where a list of them is asked for.
const AT_ONCE: usize = 16;

/// How much user metadata an object has at most, names and values together: S3's own limit.
const METADATA_BYTES: usize = 2 << 10;

/// The bytes of an object as they come, in pieces of any length.
///
/// An error ends it; whoever reads to the end without one has seen the whole object.
pub type Chunks = BoxStream<'static, Result<Bytes>>;

/// Makes one piece of bytes a stream.
pub fn chunks(bytes: impl Into<Bytes>) -> Chunks {
    stream::iter([Ok(bytes.into())]).boxed()
}

/// What a bucket knows of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The object's key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Changes when the content does.
    pub etag: String,
    /// Its media type, if the bucket keeps one; a server may give one to an object that was given none. A listing may
    /// leave it out.
    pub content_type: Option<String>,
    /// What whoever wrote it noted down, by name. A listing may leave it out.
    pub metadata: BTreeMap<String, String>,
    /// When it was stored, as the bucket tells who describes or reads it: another time for the same bytes stored again.
    pub modified: Option<Timestamp>,
}

/// How an object is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Put {
    /// Its media type.
    pub content_type: Option<String>,
    /// What is noted down with it: names of small letters, digits, `-`, `_` and `.`; values of printable ASCII, with
    /// no space at either end; 2 KiB in all.
    pub metadata: BTreeMap<String, String>,
    /// When it is written at all.
    pub condition: Condition,
    /// How many bytes will come, if that is known: another number is an error, and nothing is stored.
    pub size: Option<u64>,
}

/// Where an object lies, in words that a bucket of the same kind understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The server: equal where one can copy without this process reading the content.
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

    /// Checks how many bytes came against how many were said to come.
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
/// *Shape*: a key has 1 to 1024 bytes of UTF-8. What a backend cannot store under a key it refuses in words; it never
/// stores it under another one. A key that cannot be stored is absent to whoever reads.
#[async_trait]
pub trait Bucket: Send + Sync {
    /// Describes objects, in the order asked.
    async fn head_many(&self, keys: &[String]) -> Result<Vec<Option<ObjectInfo>>>;

    /// Opens an object. Its stream is that one object to the end, whatever is written meanwhile, or an error.
    async fn read(&self, key: &str) -> Result<Option<(ObjectInfo, Chunks)>>;

    /// Stores an object whole or not at all, in place of any with its key; it survives the death of this process
    /// when it returns. None if the condition does not hold: nothing was written then.
    ///
    /// *Errors*: also those of `content`, unchanged. *Cancel*: safe; a dropped call stores nothing, or all of it.
    /// Where a reply was lost on the way, a conditional write that took effect may be answered as refused.
    async fn write(&self, key: &str, put: &Put, content: Chunks) -> Result<Option<ObjectInfo>>;

    /// Removes an object; it is no error if there is none.
    async fn delete(&self, key: &str) -> Result<()>;

    /// Removes an object while it has this etag, in one step. False if another one has its key; true if none has.
    ///
    /// *Errors*: a server that cannot decide and remove in one step; nothing was removed then.
    async fn delete_if(&self, key: &str, etag: &str) -> Result<bool>;

    /// Lists objects whose key starts with `prefix` and sorts after `after`, by key.
    ///
    /// At most `limit` entries are answered, at least 1, omitted ones included; fewer do not mean that it is the end, which
    /// [`Listing::next`] alone tells. Every object that is there all the time is listed once by following it; an entry
    /// that cannot be read is an omitted one.
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Listing>;

    /// Where an object of this key lies, for a server that can copy by itself; none if nobody else can use it.
    fn location(&self, _key: &str) -> Option<Location> {
        None
    }

    /// Reads whole objects, in the order asked; refuses one larger than `max_bytes` before its content is read.
    async fn get_many(&self, keys: &[String], max_bytes: u64) -> Result<Vec<Option<Vec<u8>>>> {
        let reads: Vec<_> = keys.iter().map(|key| whole(self, key, max_bytes)).collect();
        stream::iter(reads).buffered(AT_ONCE).try_collect().await
    }

    /// Stores bytes, whatever is there.
    async fn put(&self, key: &str, bytes: Vec<u8>, content_type: Option<&str>) -> Result<()> {
        let put = Put { content_type: content_type.map(str::to_owned), ..Put::default() };
        self.write(key, &put, chunks(bytes)).await.map(drop)
    }

    /// Copies an object of any bucket here, with its media type and its metadata; none if there is no such object.
    ///
    /// The server does it where it can; elsewhere the content passes through this process, never all of it at once.
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
        // One may grow while it is read.
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
