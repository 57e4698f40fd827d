//! An index that does not keep what it acknowledges, or in which others meddle before it is compared.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use reindex::{
    capability::index::{Alias, Concrete, Document, Documents, Index, List, Route, Stamp, Tune, Write, Written},
    error::Result,
};

pub struct Treacherous {
    inner: Arc<dyn Index>,
    /// The documents it acknowledges and does not write.
    pub loses: Mutex<BTreeSet<String>>,
    /// What somebody else writes when the index is refreshed for the first time, at the end of a run.
    pub meddling: Mutex<Vec<Write>>,
}

impl Treacherous {
    pub fn new(inner: Arc<dyn Index>) -> Arc<Self> {
        Arc::new(Self { inner, loses: Mutex::default(), meddling: Mutex::default() })
    }

    pub fn loses(&self, ids: impl IntoIterator<Item = String>) {
        *self.loses.lock().unwrap() = ids.into_iter().collect();
    }

    pub fn meddles(&self, writes: impl IntoIterator<Item = Write>) {
        *self.meddling.lock().unwrap() = writes.into_iter().collect();
    }
}

#[async_trait]
impl Documents for Treacherous {
    async fn write(&self, concrete: &str, writes: Vec<Write>) -> Result<Vec<Written>> {
        let loses = self.loses.lock().unwrap().clone();
        let (lost, kept): (Vec<_>, Vec<_>) = writes.iter().cloned().partition(|write| loses.contains(&write.id));
        let mut answers = self.inner.write(concrete, kept).await?.into_iter();
        assert!(lost.len() + answers.len() == writes.len());
        let answer = |write: &Write| if loses.contains(&write.id) { Written::Done } else { answers.next().unwrap() };
        Ok(writes.iter().map(answer).collect())
    }
    async fn get_many(&self, concrete: Option<&str>, ids: &[String]) -> Result<Vec<Option<Document>>> {
        self.inner.get_many(concrete, ids).await
    }
    async fn count(&self, concrete: &str) -> Result<u64> {
        self.inner.count(concrete).await
    }
    async fn refresh(&self, concrete: &str) -> Result<()> {
        let meddling = std::mem::take(&mut *self.meddling.lock().unwrap());
        for written in self.inner.write(concrete, meddling).await? {
            assert_eq!(written, Written::Done);
        }
        self.inner.refresh(concrete).await
    }
    async fn search(&self, query: &str, limit: usize) -> Result<(u64, Vec<Document>)> {
        self.inner.search(query, limit).await
    }
}

#[async_trait]
impl Alias for Treacherous {
    async fn cluster(&self) -> Result<Option<String>> {
        self.inner.cluster().await
    }
    async fn current(&self) -> Result<Option<Concrete>> {
        self.inner.current().await
    }
    fn contradictions(&self, found: &Concrete, definition: &str) -> Vec<String> {
        self.inner.contradictions(found, definition)
    }
    async fn create(&self, name: &str, definition: &str, stamp: &Stamp) -> Result<()> {
        self.inner.create(name, definition, stamp).await
    }
    async fn route(&self) -> Result<Route> {
        self.inner.route().await
    }
    async fn describe(&self, name: &str) -> Result<Concrete> {
        self.inner.describe(name).await
    }
    async fn announce(&self, name: &str) -> Result<()> {
        self.inner.announce(name).await
    }
    async fn swap(&self, from: Option<&str>, to: &str) -> Result<()> {
        self.inner.swap(from, to).await
    }
    async fn remove(&self, name: &str) -> Result<()> {
        self.inner.remove(name).await
    }
}

impl Index for Treacherous {
    fn lists(&self) -> Option<&dyn List> {
        self.inner.lists()
    }
    fn tunes(&self) -> Option<&dyn Tune> {
        None
    }
}
