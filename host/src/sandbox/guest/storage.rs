//! The bridge to tables and buckets.

use wasmtime::component::Resource;

use super::{Guest, reindex::plugin::storage};
use crate::{
    capability::{Capability, grant::Access, storage as promised},
    sandbox::reads::Refused,
};
use storage::{ObjectInfo, StorageError};

/// A table a plugin has opened. The grant is checked again at each read.
pub struct TableHandle {
    name: String,
}

/// A bucket a plugin has opened. The grant is checked again at each read.
pub struct BucketHandle {
    name: String,
}

type Answer<T> = wasmtime::Result<Result<T, StorageError>>;

fn answer<T>(read: Result<T, Refused>) -> Answer<T> {
    Ok(Err(match read {
        Ok(answer) => return Ok(Ok(answer)),
        Err(Refused::Denied(text)) => StorageError::Denied(text),
        Err(Refused::Unavailable(text)) => StorageError::Unavailable(text),
        Err(Refused::TooLarge(text)) => StorageError::TooLarge(text),
        Err(Refused::Other(text)) => StorageError::Other(text),
        Err(Refused::Call(exceeded)) => return Err(exceeded.into()),
    }))
}

fn info(head: promised::ObjectInfo) -> ObjectInfo {
    ObjectInfo {
        key: head.key,
        size: head.size,
        etag: head.etag,
        content_type: head.content_type,
        metadata: head.metadata.into_iter().collect(),
    }
}

impl Guest {
    fn may_read(&self, name: &str) -> Result<(), Refused> {
        Ok(self.services.check(Capability::Storage, name, Access::Read)?)
    }
}

impl storage::Host for Guest {}

impl storage::HostTable for Guest {
    async fn open(&mut self, name: String) -> Answer<Resource<TableHandle>> {
        match self.may_read(&name) {
            Ok(()) => Ok(Ok(self.handles.push(TableHandle { name })?)),
            Err(refused) => answer(Err(refused)),
        }
    }

    async fn get_many(&mut self, table: Resource<TableHandle>, keys: Vec<String>) -> Answer<Vec<Option<String>>> {
        let name = &self.handles.get(&table)?.name;
        answer(self.reads.records(&self.services, name, &keys).await)
    }

    async fn drop(&mut self, table: Resource<TableHandle>) -> wasmtime::Result<()> {
        self.handles.delete(table)?;
        Ok(())
    }
}

impl storage::HostBucket for Guest {
    async fn open(&mut self, name: String) -> Answer<Resource<BucketHandle>> {
        match self.may_read(&name) {
            Ok(()) => Ok(Ok(self.handles.push(BucketHandle { name })?)),
            Err(refused) => answer(Err(refused)),
        }
    }

    async fn get_many(&mut self, bucket: Resource<BucketHandle>, keys: Vec<String>) -> Answer<Vec<Option<Vec<u8>>>> {
        let name = &self.handles.get(&bucket)?.name;
        answer(self.reads.objects(&self.services, name, &keys).await)
    }

    async fn head_many(
        &mut self,
        bucket: Resource<BucketHandle>,
        keys: Vec<String>,
    ) -> Answer<Vec<Option<ObjectInfo>>> {
        let name = &self.handles.get(&bucket)?.name;
        let heads = self.reads.heads(&self.services, name, &keys).await;
        answer(heads.map(|heads| heads.into_iter().map(|head| head.map(info)).collect()))
    }

    async fn list_many(
        &mut self,
        bucket: Resource<BucketHandle>,
        prefixes: Vec<String>,
    ) -> Answer<Vec<Vec<ObjectInfo>>> {
        let name = &self.handles.get(&bucket)?.name;
        let lists = self.reads.lists(&self.services, name, &prefixes).await;
        answer(lists.map(|lists| lists.into_iter().map(|list| list.into_iter().map(info).collect()).collect()))
    }

    async fn drop(&mut self, bucket: Resource<BucketHandle>) -> wasmtime::Result<()> {
        self.handles.delete(bucket)?;
        Ok(())
    }
}
