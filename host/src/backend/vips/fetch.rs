//! Fetches an image to a file, so that memory does not grow with it.

use std::{fs::File, io::Write as _, path::Path, slice, sync::Arc};

use bytesize::ByteSize;
use futures::TryStreamExt as _;

use super::{
    super::files::{blocking, explain},
    scratch::{Claim, Held, Identity, Loose, Reserved, Scratch},
};
use crate::{
    capability::{
        image::{Answer, Flaw, Origin},
        storage::{Chunks, chunks},
    },
    error::Result,
};

/// An image that was found.
pub(super) struct Wanted<'a> {
    origin: &'a Origin,
    /// Its identity, if it is an object.
    identity: Option<Identity>,
    size: u64,
}

impl<'a> Wanted<'a> {
    /// Finds an image, without its content. An object must have the etag, if one is given.
    pub(super) async fn find(origin: &'a Origin, etag: Option<&str>, most: ByteSize) -> Result<Answer<Self>> {
        let (identity, size) = match origin {
            Origin::Bytes(bytes) => (None, bytes.len() as u64),
            Origin::Object { bucket, name, key } => {
                let Some(info) = bucket.head_many(slice::from_ref(key)).await?.into_iter().next().flatten() else {
                    return Ok(Err(Flaw::Missing));
                };
                if etag.is_some_and(|etag| etag != info.etag) {
                    return Ok(Err(Flaw::Changed));
                }
                (Some(Identity { bucket: name.clone(), key: key.clone(), etag: info.etag }), info.size)
            }
        };
        Ok(if size > most.as_u64() {
            let size = ByteSize(size);
            Err(Flaw::Refused(format!("it has {size}; raise `max-bytes` under `[image]`, which is {most}")))
        } else {
            Ok(Self { origin, identity, size })
        })
    }

    /// Its size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Its file, fetched unless it is still there, and room for at most `made` bytes of output.
    pub(super) async fn fetch(&self, scratch: &Arc<Scratch>, made: u64) -> Result<Answer<(Held, Reserved)>> {
        let mut room = match scratch.claim(self.identity.as_ref(), self.size, made).await {
            Ok(Claim { found: Some(found), room }) => return Ok(Ok((found, room))),
            Ok(claim) => claim.room,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let file = Loose::new(scratch.fresh(), room.split(self.size));
        let content = match self.content().await? {
            Ok(content) => content,
            Err(flaw) => return Ok(Err(flaw)),
        };
        if !download(&file.path, content, self.size).await? {
            return Ok(Err(Flaw::Changed));
        }
        Ok(Ok((scratch.keep(self.identity.clone(), file), room)))
    }

    async fn content(&self) -> Result<Answer<Chunks>> {
        match self.origin {
            Origin::Bytes(bytes) => Ok(Ok(chunks(bytes.clone()))),
            Origin::Object { bucket, key, .. } => Ok(match bucket.read(key).await? {
                None => Err(Flaw::Missing),
                Some((info, _)) if self.identity.as_ref().is_none_or(|wanted| wanted.etag != info.etag) => {
                    Err(Flaw::Changed)
                }
                Some((_, content)) => Ok(content),
            }),
        }
    }
}

/// Writes a stream to a file. False if its length differs from the announced one.
async fn download(path: &Path, mut content: Chunks, size: u64) -> Result<bool> {
    let (to, mut written) = (path.to_owned(), 0);
    let mut file = blocking(move || File::create_new(&to).map_err(|error| explain(error, &to))).await?;
    while let Some(chunk) = content.try_next().await? {
        written += chunk.len() as u64;
        if written > size {
            return Ok(false);
        }
        let to = path.to_owned();
        file = blocking(move || {
            file.write_all(&chunk).map_err(|error| explain(error, &to))?;
            Ok(file)
        })
        .await?;
    }
    Ok(written == size)
}
