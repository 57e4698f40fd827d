//! Requests as a source of runs, in the order of their keys.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{json, value::RawValue};

use super::{Request, Requests, store::AT_ONCE};
use crate::{
    capability::storage::{Listing, ObjectInfo, Omitted, Page, Row, Sameness, Scan, Segment, SourceInfo},
    error::{Error, Result},
    record::Form,
};

/// How many keys are listed at a time.
const PAGE: usize = 1000;

/// How many bytes of requests a page holds at most, not counting its last request.
const PAGE_BYTES: usize = 4 << 20;

#[async_trait]
impl Scan for Requests {
    async fn info(&self) -> Result<SourceInfo> {
        Ok(SourceInfo {
            fingerprint: self.fingerprint(),
            count: None,
            form: Form::Plain,
            segments: None,
            max_segments: None,
            key: Some(["bucket", "key"].map(str::to_owned).into()),
            passing: true,
        })
    }

    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        Ok(match Sameness::of(&self.fingerprint(), fingerprint) {
            // Requests come, and go when they are done.
            Sameness::Same => Sameness::Unknown,
            changed => changed,
        })
    }

    async fn read(&self, segment: Segment, after: Option<&str>, _: usize) -> Result<Page> {
        let Listing { objects, omitted, mut next } = self.bucket.bucket.list(&self.prefix, after, PAGE).await?;
        let own: Vec<_> = objects.into_iter().filter(|info| is_in(segment, &info.key)).map(|info| info.key).collect();
        let strange = omitted.into_iter().filter(|omitted| is_in(segment, &omitted.name));
        let strange =
            strange.map(|Omitted { name, reason }| self.unreadable(&name, reason)).collect::<Result<Vec<_>>>()?;
        let (mut rows, mut bytes) = (strange, 0);
        let mut keys = own.chunks(AT_ONCE);
        while let Some(some) = keys.next() {
            let found = self.rows(some).await?;
            bytes += found.iter().flatten().map(|row| row.body.len()).sum::<usize>();
            rows.extend(found.into_iter().flatten());
            if bytes > PAGE_BYTES && keys.len() > 0 {
                next = some.last().cloned();
                // Rows after this key are read again in the next page.
                rows.retain(|row| Some(&row.cursor) <= next.as_ref());
                break;
            }
        }
        rows.sort_by(|one, other| one.cursor.cmp(&other.cursor));
        Ok(Page { rows, next })
    }

    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        let keys: Vec<_> = positions.iter().map(|position| self.key_at(position)).collect();
        let rows = self.rows(&keys).await?.into_iter().zip(positions);
        Ok(rows.map(|(row, position)| row.map(|row| Row { position: position.clone(), ..row })).collect())
    }
}

impl Requests {
    fn fingerprint(&self) -> String {
        format!("requests {:?} of bucket {:?}", self.prefix, self.bucket.name)
    }

    /// The key of a request. A position is the key itself; the id of an object gives the key of its request.
    fn key_at(&self, position: &str) -> String {
        match serde_json::from_str::<[String; 2]>(position) {
            Ok([bucket, key]) => self.key_of(&Request::new(&bucket, &key)),
            Err(_) => position.to_owned(),
        }
    }

    async fn rows(&self, keys: &[String]) -> Result<Vec<Option<Row>>> {
        let rows: Vec<_> = keys.iter().map(|key| self.row(key)).collect();
        stream::iter(rows).buffered(AT_ONCE).try_collect().await
    }

    /// A request; one that cannot be read fails with its reason, and the others are not affected.
    async fn row(&self, key: &str) -> Result<Option<Row>> {
        match self.read_one(key).await {
            Err(error) if error.concerns_item() && !error.may_retry() => {
                self.unreadable(key, error.message()).map(Some)
            }
            row => row,
        }
    }

    async fn read_one(&self, key: &str) -> Result<Option<Row>> {
        let Some((info, mut content)) = self.bucket.bucket.read(key).await? else { return Ok(None) };
        let mut bytes = Vec::new();
        // One byte beyond the limit shows that it is too long.
        while bytes.len() <= self.max_bytes
            && let Some(chunk) = content.try_next().await?
        {
            bytes.extend_from_slice(&chunk);
        }
        let body = self.body(&info, &bytes)?.unwrap_or(bytes);
        Ok(Some(Row { cursor: key.to_owned(), position: key.to_owned(), body }))
    }

    /// The row of a request that cannot be read. Its id is its own name.
    fn unreadable(&self, name: &str, reason: &str) -> Result<Row> {
        let body = json!({
            "bucket": self.objects.name, "key": name, "unreadable": format!("the request cannot be read: {reason}"),
            "request": { "bucket": self.bucket.name, "key": name },
        });
        Ok(Row { cursor: name.to_owned(), position: name.to_owned(), body: body.to_string().into_bytes() })
    }

    /// What a plugin is given of a request; none if it is not a JSON object, or too long.
    fn body(&self, info: &ObjectInfo, bytes: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut fields: BTreeMap<String, Box<RawValue>> = match serde_json::from_slice(bytes) {
            Ok(fields) if bytes.len() <= self.max_bytes => fields,
            _ => return Ok(None),
        };
        let told = |name: &str| fields.get(name).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
        let (bucket, key) = (told("bucket").unwrap_or_default(), told("key"));
        let unreadable = !fields.contains_key("key") && fields.contains_key("unreadable");
        let mut say = |name: &str, value: serde_json::Value| {
            let raw = serde_json::value::to_raw_value(&value)
                .map_err(|error| Error::bug("a request cannot be handed on").because(error))?;
            fields.insert(name.to_owned(), raw);
            Ok::<_, Error>(())
        };
        // The time distinguishes a request that was written again from the one that was looked at.
        let modified = info.modified.map(|time| time.to_string());
        say(
            "request",
            json!({ "bucket": self.bucket.name, "key": info.key, "eTag": info.etag, "modified": modified }),
        )?;
        match key {
            Some(key) => {
                let Request { bucket, key, path, .. } = self.objects.asked(&bucket, &key);
                say("bucket", json!(bucket))?;
                say("key", json!(key))?;
                say("path", json!(path))?;
            }
            // An event that cannot be read names no object. Its own key is its id, so that a plugin is given it and
            // reports what is wrong.
            None => {
                say("bucket", json!(self.objects.name))?;
                if unreadable {
                    say("key", json!(info.key))?;
                }
            }
        }
        serde_json::to_vec(&fields)
            .map(Some)
            .map_err(|error| Error::bug("a request cannot be handed on").because(error))
    }
}

/// Whether a request belongs to a segment, by a hash of its key.
fn is_in(segment: Segment, key: &str) -> bool {
    let hash = blake3::hash(key.as_bytes());
    let number = hash.as_bytes()[..8].iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    number % u64::from(segment.total.max(1)) == u64::from(segment.number)
}
