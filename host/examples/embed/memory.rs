//! A search index in memory: the whole of what a program has to bring. Keeps one concrete index, and no versions.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use jiff::Timestamp;
use reindex::{
    capability::index::{Alias, Concrete, Document, Documents, Index, List, Place, Route, Stamp, Tune, Write, Written},
    error::{Error, Kind, Result},
};

/// Documents by id, and the index they are in.
#[derive(Default)]
pub struct Memory {
    documents: Mutex<BTreeMap<String, Document>>,
    concrete: Mutex<Option<Concrete>>,
}

impl Memory {
    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[async_trait]
impl Documents for Memory {
    async fn write(&self, _concrete: &str, writes: Vec<Write>) -> Result<Vec<Written>> {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let write = |Write { id, version, body }| {
            match body {
                Some(body) => documents.insert(id.clone(), Document { id, version, body }),
                None => documents.remove(&id),
            };
            Written::Done
        };
        Ok(writes.into_iter().map(write).collect())
    }

    async fn get_many(&self, _concrete: Option<&str>, ids: &[String]) -> Result<Vec<Option<Document>>> {
        let documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ids.iter().map(|id| documents.get(id).cloned()).collect())
    }

    async fn count(&self, _concrete: &str) -> Result<u64> {
        Ok(self.len() as u64)
    }

    async fn refresh(&self, _concrete: &str) -> Result<()> {
        Ok(())
    }

    async fn search(&self, _query: &str, limit: usize) -> Result<(u64, Vec<Document>)> {
        let documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((documents.len() as u64, documents.values().take(limit).cloned().collect()))
    }
}

#[async_trait]
impl Alias for Memory {
    async fn cluster(&self) -> Result<Option<String>> {
        Ok(None)
    }

    async fn current(&self) -> Result<Option<Concrete>> {
        Ok(self.concrete.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn route(&self) -> Result<Route> {
        Ok(Route { current: self.current().await?.as_ref().map(Place::from), filling: Vec::new() })
    }

    async fn describe(&self, name: &str) -> Result<Concrete> {
        let found = self.current().await?.filter(|current| current.name == name);
        found.ok_or_else(|| Error::new(Kind::NotFound, format!("there is no index `{name}`")))
    }

    async fn create(&self, name: &str, definition: &str, stamp: &Stamp) -> Result<()> {
        let (name, definition, stamp) = (name.to_owned(), definition.to_owned(), Some(stamp.clone()));
        let concrete = Concrete { name, definition, stamp, created: Timestamp::UNIX_EPOCH, identity: String::new() };
        *self.concrete.lock().unwrap_or_else(PoisonError::into_inner) = Some(concrete);
        Ok(())
    }

    async fn announce(&self, _name: &str) -> Result<()> {
        Ok(())
    }

    async fn swap(&self, _from: Option<&str>, _to: &str) -> Result<()> {
        Ok(())
    }

    async fn remove(&self, _name: &str) -> Result<()> {
        Ok(())
    }
}

impl Index for Memory {
    fn lists(&self) -> Option<&dyn List> {
        None
    }

    fn tunes(&self) -> Option<&dyn Tune> {
        None
    }
}
