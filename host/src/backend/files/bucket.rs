//! Objects as files of a directory.
//!
//! The media type, the metadata and the digest are in an extended attribute of the file, so that one rename stores them
//! with the content; a file that a user put there by hand has none, and is served all the same. A key cannot be stored
//! if another one uses it as a directory (`a` beside `a/b`): that is refused with a reason, not renamed. Objects are
//! regular files; no link is followed, neither to a file nor to a folder, so none leads out of the directory.

use std::{fs, path::PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    blocking, explain, key,
    object::{self, Unfinished},
    walk::Walk,
};
use crate::{
    capability::storage::{self, Chunks, Listing, ObjectInfo, Put},
    error::Result,
};

/// How much of a file is read at a time.
const PIECE: usize = 256 << 10;

/// A bucket in a directory.
#[derive(Debug, Clone)]
pub struct Bucket {
    directory: PathBuf,
}

impl Bucket {
    /// Serves a directory, which is created with its first object.
    pub fn open(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Describes objects, each with an error of its own.
    pub(super) async fn heads(&self, keys: &[String]) -> Result<Vec<Result<Option<ObjectInfo>>>> {
        let (directory, keys) = (self.directory.clone(), keys.to_vec());
        blocking(move || Ok(keys.iter().map(|key| object::head(&directory, key)).collect())).await
    }
}

#[async_trait]
impl storage::Bucket for Bucket {
    async fn head_many(&self, keys: &[String]) -> Result<Vec<Option<ObjectInfo>>> {
        self.heads(keys).await?.into_iter().collect()
    }

    async fn read(&self, key: &str) -> Result<Option<(ObjectInfo, Chunks)>> {
        let (directory, key) = (self.directory.clone(), key.to_owned());
        let opened = blocking(move || object::open(&directory, &key)).await?;
        Ok(opened.map(|opened| (opened.info, pieces(opened.file, opened.path))))
    }

    async fn write(&self, key: &str, put: &Put, mut content: Chunks) -> Result<Option<ObjectInfo>> {
        put.check()?;
        let names = key::names(key)?;
        let directory = self.directory.clone();
        let mut new = blocking(move || Unfinished::begin(directory)).await?;
        while let Some(chunk) = content.try_next().await? {
            new = blocking(move || new.append(&chunk)).await?;
        }
        put.check_size(new.size())?;
        let (key, put) = (key.to_owned(), put.clone());
        blocking(move || new.finish(&key, &names, put)).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let (directory, key) = (self.directory.clone(), key.to_owned());
        blocking(move || {
            // A key that cannot be stored does not exist.
            let Ok(names) = key::names(&key) else { return Ok(()) };
            object::delete(&directory, &names)
        })
        .await
    }

    async fn delete_if(&self, key: &str, etag: &str) -> Result<bool> {
        let (directory, key, etag) = (self.directory.clone(), key.to_owned(), etag.to_owned());
        blocking(move || {
            let Ok(names) = key::names(&key) else { return Ok(true) };
            object::delete_if(&directory, &names, &key, &etag)
        })
        .await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Listing> {
        let directory = self.directory.clone();
        let (prefix, after) = (prefix.to_owned(), after.unwrap_or_default().to_owned());
        let walk = Walk { prefix, after, limit: limit.max(1), ..Walk::default() };
        blocking(move || walk.through(&directory).map_err(|error| explain(error, &directory))).await
    }
}

/// The content of an open file, which stays the same when another file takes its name.
pub(in crate::backend) fn pieces(file: fs::File, path: PathBuf) -> Chunks {
    stream::try_unfold((file, path), |(mut file, path)| {
        blocking(move || {
            let mut piece = Vec::with_capacity(PIECE);
            let read = std::io::Read::read_to_end(&mut std::io::Read::take(&mut file, PIECE as u64), &mut piece);
            read.map_err(|error| explain(error, &path))?;
            Ok((!piece.is_empty()).then(|| (Bytes::from(piece), (file, path))))
        })
    })
    .boxed()
}
