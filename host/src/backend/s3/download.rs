//! Reads an object to its end, also over a connection that breaks.

use std::time::Duration;

use aws_sdk_s3::{Client, primitives::ByteStream};
use bytes::Bytes;
use futures::{StreamExt as _, stream};

use super::{Bucket, fault::Fault as _, quoted, unquoted};
use crate::{
    backend::aws::incomplete,
    capability::storage::{Chunks, ObjectInfo},
    error::{Error, Kind, Result},
};

/// How often in a row a broken stream is resumed without a byte of progress.
const TRIES: u32 = 4;

const PAUSE: Duration = Duration::from_millis(200);

struct Download {
    client: Client,
    bucket: String,
    key: String,
    etag: String,
    size: u64,
    offset: u64,
    body: ByteStream,
    failures: u32,
}

impl Bucket {
    /// The content of an object whose first answer was received.
    pub(super) fn download(&self, key: &str, info: &ObjectInfo, body: ByteStream) -> Chunks {
        let download = Download {
            client: self.client.clone(),
            bucket: self.name.clone(),
            key: format!("{}{key}", self.prefix),
            etag: info.etag.clone(),
            size: info.size,
            offset: 0,
            body,
            failures: 0,
        };
        stream::try_unfold(download, Download::next).boxed()
    }
}

impl Download {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        loop {
            let why = match self.body.next().await {
                Some(Ok(bytes)) => {
                    self.offset += bytes.len() as u64;
                    if self.offset > self.size {
                        return Err(self.broken());
                    }
                    self.failures = 0;
                    return Ok(Some((bytes, self)));
                }
                None if self.offset >= self.size => return Ok(None),
                None => None,
                Some(Err(error)) => Some(error),
            };
            if self.failures >= TRIES || self.offset >= self.size {
                let broken = self.broken();
                return Err(match why {
                    Some(why) => broken.because(why),
                    None => broken,
                });
            }
            tokio::time::sleep(PAUSE * self.failures).await;
            self.failures += 1;
            self.take_up().await?;
        }
    }

    /// Resumes after the last byte, in the same object and no other.
    async fn take_up(&mut self) -> Result<()> {
        let call = self.client.get_object().bucket(&self.bucket).key(&self.key);
        let call = call.range(format!("bytes={}-", self.offset)).if_match(quoted(&self.etag));
        match call.send().await {
            Ok(rest) if self.is_rest(rest.content_range(), rest.e_tag()) => self.body = rest.body,
            Ok(_) => {
                let lacks = "it is not the rest that was asked for";
                let error = incomplete("the object cannot be read on", lacks).with("bucket", &self.bucket);
                return Err(error.with("key", &self.key));
            }
            Err(error) if error.raw_response().is_some_and(|raw| matches!(raw.status().as_u16(), 404 | 412)) => {
                return Err(Error::new(Kind::Unavailable, "the object was changed while it was read")
                    .of_item()
                    .with("bucket", &self.bucket)
                    .with("key", &self.key));
            }
            Err(error) => {
                return Err(error.explain("the object cannot be read on", &self.bucket).with("key", &self.key));
            }
        }
        Ok(())
    }

    /// Whether an answer continues at the offset of the break, and is of the same object.
    fn is_rest(&self, range: Option<&str>, etag: Option<&str>) -> bool {
        let begins = range.is_some_and(|range| range.starts_with(&format!("bytes {}-", self.offset)));
        begins && unquoted(etag) == self.etag
    }

    /// At the end of the object this means that its checksum differs.
    fn broken(&self) -> Error {
        let text = format!("the object broke off at byte {} of {}", self.offset, self.size);
        let error = Error::new(Kind::Unavailable, text);
        let error = if self.offset < self.size { error } else { error.of_item() };
        error
            .tried(self.failures + 1)
            .with("bucket", &self.bucket)
            .with("key", &self.key)
            .hint("check the network between here and the endpoint; what was done is kept")
    }
}
