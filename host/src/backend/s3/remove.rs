//! Removes an object: unconditionally, or only while it has an etag.

use aws_sdk_s3::error::ProvideErrorMetadata as _;

use super::{
    Bucket, quoted,
    upload::{CONFLICT, PAUSE, TRIES},
};
use crate::error::{Error, Kind, Result, Retry};

impl Bucket {
    /// Removes an object; with an etag only while it has that one. False if another object has its key.
    pub(super) async fn remove(&self, key: &str, etag: Option<&str>) -> Result<bool> {
        let Some(whole) = self.whole_key(key) else { return Ok(true) };
        // MinIO, for example, ignores the condition here: an object that was replaced before this call has to be kept
        // there, too.
        if let Some(etag) = etag {
            match self.head(key).await? {
                None => return Ok(true),
                Some(info) if info.etag != etag => return Ok(false),
                Some(_) => {}
            }
        }
        for attempt in 1.. {
            let call = self.client.delete_object().bucket(&self.name).key(&whole).set_if_match(etag.map(quoted));
            let Err(error) = call.send().await else { return Ok(true) };
            match error.code() {
                Some("NoSuchKey") => return Ok(true),
                // Some servers return this error for a missing object, too.
                Some("PreconditionFailed") => return Ok(self.head(key).await?.is_none()),
                Some(CONFLICT) if attempt < TRIES => tokio::time::sleep(PAUSE * attempt).await,
                Some("NotImplemented") if etag.is_some() => return Err(not_implemented().with("key", key)),
                _ => return Err(self.fault("the object cannot be removed", &error).with("key", key)),
            }
        }
        Ok(false)
    }
}

fn not_implemented() -> Error {
    Error::new(Kind::Unavailable, "the server does not remove objects by their etag")
        .retry(Retry::Never)
        .hint("use a server that takes `If-Match` when an object is removed, as S3 does since 2025")
}
