//! Objects as files of a directory.
//!
//! What a file's content cannot say (media type, metadata, digest) stands in an extended attribute of the file, so
//! that one rename puts both in place; a file that people put there by hand has none, and is served all the same.
//! A key cannot be stored when another one uses it as a directory (`a` beside `a/b`): that is refused in words,
//! not renamed.

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
    capability::storage::{self, Chunks, ObjectInfo, Put},
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
    /// Serves a directory, which is made with its first object.
    pub fn open(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Lists objects as [`storage::Bucket::list`] does, and what lies among them without being one.
    pub(super) async fn walk(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<ObjectInfo>, Vec<PathBuf>)> {
        let directory = self.directory.clone();
        let (prefix, after) = (prefix.to_owned(), after.unwrap_or_default().to_owned());
        blocking(move || {
            let mut walk = Walk { prefix, after, limit, ..Walk::default() };
            walk.directory(&directory, "").map_err(|error| explain(error, &directory))?;
            let infos = walk.keys.iter().map(|key| object::head(&directory, key));
            // One that went away while the directory was read is not listed.
            let infos = infos.filter_map(Result::transpose).collect::<Result<_>>()?;
            Ok((infos, walk.strangers))
        })
        .await
    }
}

#[async_trait]
impl storage::Bucket for Bucket {
    async fn head_many(&self, keys: &[String]) -> Result<Vec<Option<ObjectInfo>>> {
        let (directory, keys) = (self.directory.clone(), keys.to_vec());
        blocking(move || keys.iter().map(|key| object::head(&directory, key)).collect()).await
    }

    async fn read(&self, key: &str) -> Result<Option<(ObjectInfo, Chunks)>> {
        let (directory, key) = (self.directory.clone(), key.to_owned());
        let opened = blocking(move || object::open(&directory, &key)).await?;
        Ok(opened.map(|opened| (opened.info, pieces(opened.file, opened.path))))
    }

    async fn write(&self, key: &str, put: &Put, mut content: Chunks) -> Result<Option<ObjectInfo>> {
        put.check()?;
        let path = key::path(&self.directory, key)?;
        let directory = self.directory.clone();
        let mut new = blocking(move || Unfinished::begin(directory)).await?;
        while let Some(chunk) = content.try_next().await? {
            new = blocking(move || new.append(&chunk)).await?;
        }
        put.check_size(new.size())?;
        let (key, put) = (key.to_owned(), put.clone());
        blocking(move || new.finish(&key, &path, put)).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let (directory, key) = (self.directory.clone(), key.to_owned());
        blocking(move || {
            // A key that cannot be stored is not there.
            let Ok(path) = key::path(&directory, &key) else { return Ok(()) };
            object::delete(&directory, &path).map_err(|error| explain(error, &path))
        })
        .await
    }

    async fn delete_if(&self, key: &str, etag: &str) -> Result<bool> {
        let (directory, key, etag) = (self.directory.clone(), key.to_owned(), etag.to_owned());
        blocking(move || {
            let Ok(path) = key::path(&directory, &key) else { return Ok(true) };
            object::delete_if(&directory, &path, &key, &etag)
        })
        .await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<ObjectInfo>> {
        Ok(self.walk(prefix, after, limit).await?.0)
    }
}

/// The content of an open file, which stays what it is when another one takes its name.
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
