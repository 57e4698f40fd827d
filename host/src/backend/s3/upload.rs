//! Stores an object: in one request if it is small, in parts if not. Only a few parts are held in memory at a time.

use std::{mem, time::Duration};

use aws_sdk_s3::{
    Client,
    error::ProvideErrorMetadata as _,
    primitives::ByteStream,
    types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart},
};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use tokio::task::JoinSet;

use super::{Bucket, fault::Fault as _, quoted, stored_etag};
use crate::{
    backend::aws::incomplete,
    capability::storage::{Chunks, Condition, Put},
    error::{Error, Result},
};

/// The size of a part, while that suffices; a smaller object is stored in one request.
const PART: usize = 8 << 20;

/// How many bytes of parts are in flight at a time, if that is more than one part.
const ON_THE_WAY: usize = 4 * PART;

/// How many parts S3 accepts for one object.
const MAX_PARTS: usize = 10_000;

/// If no size is known: this many parts have the first size, and then each group of this many is twice as large, which
/// suffices for the largest possible object.
const SAME: usize = 3_500;
const DOUBLING: usize = 650;

/// How often a conditional write that conflicts with another one is tried.
pub(super) const TRIES: u32 = 8;
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// The size of a part; parts are counted from 0.
fn part_size(n: usize, whole: Option<u64>) -> usize {
    match whole {
        Some(whole) => usize::try_from(whole.div_ceil(MAX_PARTS as u64)).unwrap_or(usize::MAX).max(PART),
        None if n < SAME => PART,
        None => PART << ((n - SAME) / DOUBLING + 1),
    }
}

/// The content, cut into parts.
struct Parts {
    content: Chunks,
    left: Bytes,
}

impl Parts {
    /// The next bytes, as many as asked for; fewer only at the end.
    async fn next(&mut self, size: usize) -> Result<Bytes> {
        if self.left.len() >= size {
            return Ok(self.left.split_to(size));
        }
        let mut part = BytesMut::from(mem::take(&mut self.left));
        while part.len() < size {
            let Some(mut chunk) = self.content.try_next().await? else { break };
            let fits = chunk.len().min(size - part.len());
            part.extend_from_slice(&chunk.split_to(fits));
            self.left = chunk;
        }
        Ok(part.freeze())
    }
}

impl Bucket {
    /// Stores an object and returns its etag and its size; none if the condition does not hold.
    pub(super) async fn upload(&self, key: &str, put: &Put, content: Chunks) -> Result<Option<(String, u64)>> {
        let mut parts = Parts { content, left: Bytes::new() };
        let first = parts.next(PART).await?;
        if first.len() < PART {
            put.check_size(first.len() as u64)?;
            return self.upload_whole(key, put, first).await;
        }
        let mut upload = Upload::begin(self, key, put).await?;
        match upload.all(put, first, parts).await {
            Ok(done) => upload.complete(put, done).await,
            Err(error) => {
                upload.abort().await;
                Err(error)
            }
        }
    }

    async fn upload_whole(&self, key: &str, put: &Put, bytes: Bytes) -> Result<Option<(String, u64)>> {
        let (if_match, if_none_match) = conditions(&put.condition);
        let size = bytes.len() as u64;
        for attempt in 1.. {
            let call = self
                .client
                .put_object()
                .bucket(&self.name)
                .key(key)
                .checksum_algorithm(ChecksumAlgorithm::Crc32)
                .set_content_type(put.content_type.clone())
                .set_metadata(Some(put.metadata.clone().into_iter().collect()))
                .set_if_match(if_match.clone())
                .set_if_none_match(if_none_match.clone())
                .body(ByteStream::from(bytes.clone()));
            match call.send().await {
                Ok(stored) => return Ok(Some((stored_etag(stored.e_tag())?, size))),
                Err(error) if is_refused(&put.condition, error.code()) => return Ok(None),
                Err(error) if error.code() == Some(CONFLICT) && attempt < TRIES => {
                    tokio::time::sleep(PAUSE * attempt).await;
                }
                Err(error) => return Err(self.fault("the object cannot be stored", &error)),
            }
        }
        Ok(None)
    }
}

/// Two conditional writes of one key conflicted; neither has been decided.
pub(super) const CONFLICT: &str = "ConditionalRequestConflict";

/// `If-Match` and `If-None-Match`.
fn conditions(condition: &Condition) -> (Option<String>, Option<String>) {
    match condition {
        Condition::Always => (None, None),
        Condition::Absent => (None, Some("*".to_owned())),
        Condition::Etag(etag) => (Some(quoted(etag)), None),
    }
}

fn is_refused(condition: &Condition, code: Option<&str>) -> bool {
    match condition {
        Condition::Always => false,
        Condition::Absent => code == Some("PreconditionFailed"),
        Condition::Etag(_) => matches!(code, Some("PreconditionFailed" | "NoSuchKey")),
    }
}

/// A multipart upload that has begun. Dropping it before its end aborts it, so that no part is stored for ever.
struct Upload {
    client: Client,
    bucket: String,
    key: String,
    id: String,
    /// The parts in flight.
    sending: JoinSet<Result<CompletedPart>>,
    ended: bool,
}

/// The finished parts, and their size in bytes.
struct Done {
    parts: Vec<CompletedPart>,
    size: u64,
}

impl Upload {
    async fn begin(bucket: &Bucket, key: &str, put: &Put) -> Result<Self> {
        let call = bucket
            .client
            .create_multipart_upload()
            .bucket(&bucket.name)
            .key(key)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .set_content_type(put.content_type.clone())
            .set_metadata(Some(put.metadata.clone().into_iter().collect()));
        let (client, bucket, key) = (bucket.client.clone(), bucket.name.clone(), key.to_owned());
        // If the caller were dropped while it waits, the id of the upload to abort would be lost.
        let begun = tokio::spawn(async move {
            let begun = call.send().await.map_err(|error| error.explain("the object cannot be stored", &bucket))?;
            let lacks = || incomplete("the object cannot be stored", "it names no upload");
            let (id, sending) = (begun.upload_id.ok_or_else(lacks)?, JoinSet::new());
            Ok(Self { client, bucket, key, id, sending, ended: false })
        });
        begun.await.map_err(|error| Error::bug("the beginning of an upload died").because(error))?
    }

    /// Sends every part, several at a time.
    async fn all(&mut self, put: &Put, first: Bytes, mut parts: Parts) -> Result<Done> {
        let mut done = Done { parts: Vec::new(), size: 0 };
        let mut part = first;
        for n in 0.. {
            let size = part_size(n, put.size);
            if n == 0 && size > part.len() {
                part = [part, parts.next(size - PART).await?].concat().into();
            }
            let last = part.len() < size;
            while self.sending.len() >= (ON_THE_WAY / size).max(1) {
                done.add(self.sending.join_next().await)?;
            }
            if !part.is_empty() {
                done.size += part.len() as u64;
                let sent = self.send(n, mem::take(&mut part));
                self.sending.spawn(sent);
            }
            if last {
                break;
            }
            part = parts.next(part_size(n + 1, put.size)).await?;
        }
        put.check_size(done.size)?;
        while !self.sending.is_empty() {
            done.add(self.sending.join_next().await)?;
        }
        done.parts.sort_by_key(|part| part.part_number);
        Ok(done)
    }

    fn send(&self, n: usize, part: Bytes) -> impl Future<Output = Result<CompletedPart>> + use<> {
        let number = i32::try_from(n + 1).unwrap_or(i32::MAX);
        let call = self.client.upload_part().bucket(&self.bucket).key(&self.key).upload_id(&self.id);
        let call = call.part_number(number).checksum_algorithm(ChecksumAlgorithm::Crc32).body(ByteStream::from(part));
        let bucket = self.bucket.clone();
        async move {
            let sent = call.send().await;
            let sent = sent.map_err(|error| error.explain("a part of the object cannot be stored", &bucket))?;
            stored_etag(sent.e_tag())?;
            let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
            Ok(part.set_checksum_crc32(sent.checksum_crc32).build())
        }
    }

    /// Completes the upload, if the condition holds.
    async fn complete(mut self, put: &Put, done: Done) -> Result<Option<(String, u64)>> {
        let (if_match, if_none_match) = conditions(&put.condition);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(done.parts)).build();
        let call = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .set_if_match(if_match)
            .set_if_none_match(if_none_match)
            .multipart_upload(parts);
        match call.send().await {
            Ok(stored) => {
                let etag = stored_etag(stored.e_tag())?;
                self.ended = true;
                Ok(Some((etag, done.size)))
            }
            Err(error) if is_refused(&put.condition, error.code()) => {
                self.abort().await;
                Ok(None)
            }
            Err(error) => {
                let explained = error.explain("the object cannot be stored", &self.bucket);
                self.abort().await;
                Err(explained)
            }
        }
    }

    /// Aborts it and removes its parts. If that fails, too, the bucket's lifecycle rule removes them.
    async fn abort(mut self) {
        self.giving_up().await;
        self.ended = true;
    }

    /// Waits for the parts in flight, then aborts: a part that arrived after the abort would stay.
    fn giving_up(&mut self) -> impl Future<Output = ()> + use<> {
        let mut sending = mem::take(&mut self.sending);
        let call = self.client.abort_multipart_upload().bucket(&self.bucket).key(&self.key).upload_id(&self.id);
        async move {
            while sending.join_next().await.is_some() {}
            drop(call.send().await);
        }
    }
}

impl Done {
    fn add(&mut self, sent: Option<Result<Result<CompletedPart>, tokio::task::JoinError>>) -> Result<()> {
        if let Some(sent) = sent {
            self.parts.push(sent.map_err(|error| Error::bug("the upload of a part died").because(error))??);
        }
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let runtime = tokio::runtime::Handle::try_current();
        if let (false, Ok(runtime)) = (self.ended, runtime) {
            runtime.spawn(self.giving_up());
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt as _, stream};

    use super::*;

    #[test]
    fn the_parts_of_the_largest_object_are_no_more_than_s3_takes() {
        const LARGEST: u64 = 5 << 40;
        const LARGEST_PART: u64 = 5 << 30;
        let known = part_size(0, Some(LARGEST)) as u64;
        assert!(known * MAX_PARTS as u64 >= LARGEST);
        let (mut stored, mut n) = (0, 0);
        while stored < LARGEST {
            let part = part_size(n, None) as u64;
            assert!(part <= LARGEST_PART);
            (stored, n) = (stored + part, n + 1);
        }
        assert!(n <= MAX_PARTS, "{n}");
        assert_eq!((part_size(0, None), part_size(9, Some(7))), (PART, PART));
    }

    #[tokio::test]
    async fn a_part_is_as_long_as_asked_for_whatever_the_pieces_are() {
        for piece in [1, 3, 7, 100] {
            let bytes: Vec<u8> = (0..50).collect();
            let pieces: Vec<_> = bytes.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
            let mut parts = Parts { content: stream::iter(pieces).boxed(), left: Bytes::new() };
            let mut found = Vec::new();
            loop {
                let part = parts.next(8).await.unwrap();
                found.extend_from_slice(&part);
                if part.len() < 8 {
                    break;
                }
            }
            assert_eq!(found, bytes, "{piece}");
        }
    }
}
