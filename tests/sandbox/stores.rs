//! Small stores in memory that are slow, large or down when a test wants them to be.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use reindex::{
    capability::{
        Resources,
        queue::{Delivery, Depth, Message, Queue},
        storage::{
            Bucket, Chunks, Listing, ObjectInfo, Page, Put, Row, Sameness, Scan, Segment, SourceInfo, Table, Update,
        },
    },
    error::{Error, Kind, Result},
    record::Form,
};

/// A table that has a record for every key but `none`.
pub struct Store {
    pub form: Form,
    pub pause: Duration,
    pub bytes: usize,
    /// How many reads fail before one succeeds.
    pub down: AtomicU32,
    /// How many keys were read.
    pub reads: AtomicU32,
}

impl Default for Store {
    fn default() -> Self {
        Self { form: Form::Plain, pause: Duration::ZERO, bytes: 0, down: AtomicU32::new(0), reads: AtomicU32::new(0) }
    }
}

/// A bucket with one object, `a`, of so many bytes, and a queue of so many messages.
pub struct Pile(pub usize);

/// Resources with a pile for the bucket `images` and the queue `work`.
pub fn pile(size: usize) -> Resources {
    let mut resources = Resources::default();
    resources.buckets.insert("images".to_owned(), Arc::new(Pile(size)));
    resources.queues.insert("work".to_owned(), Arc::new(Pile(size)));
    resources
}

#[async_trait]
impl Bucket for Pile {
    async fn get_many(&self, keys: &[String], max_bytes: u64) -> Result<Vec<Option<Vec<u8>>>> {
        assert!(self.0 as u64 <= max_bytes, "the object was asked for although it is too large");
        Ok(keys.iter().map(|key| (key == "a").then(|| vec![7; self.0])).collect())
    }

    async fn head_many(&self, keys: &[String]) -> Result<Vec<Option<ObjectInfo>>> {
        let info = |key: &String| ObjectInfo {
            key: key.clone(),
            size: self.0 as u64,
            etag: "e".to_owned(),
            content_type: None,
            metadata: std::collections::BTreeMap::new(),
            modified: None,
        };
        Ok(keys.iter().map(|key| (key == "a").then(|| info(key))).collect())
    }

    async fn read(&self, _: &str) -> Result<Option<(ObjectInfo, Chunks)>> {
        Ok(None)
    }

    async fn write(&self, _: &str, _: &Put, _: Chunks) -> Result<Option<ObjectInfo>> {
        Ok(None)
    }

    async fn delete(&self, _: &str) -> Result<()> {
        Ok(())
    }

    async fn delete_if(&self, _: &str, _: &str) -> Result<bool> {
        Ok(true)
    }

    async fn list(&self, _: &str, _: Option<&str>, _: usize) -> Result<Listing> {
        Ok(Listing::default())
    }
}

#[async_trait]
impl Queue for Pile {
    async fn send(&self, messages: &[Message]) -> Result<Vec<Result<()>>> {
        Ok(messages.iter().map(|_| Ok(())).collect())
    }

    async fn receive(&self, _: usize, _: Duration, _: Duration) -> Result<Vec<Delivery>> {
        Ok(Vec::new())
    }

    async fn acknowledge(&self, _: &[String]) -> Result<Vec<bool>> {
        Ok(Vec::new())
    }

    async fn extend(&self, _: &[String], _: Duration) -> Result<Vec<bool>> {
        Ok(Vec::new())
    }

    async fn peek(&self, _: usize) -> Result<Vec<Message>> {
        Ok(Vec::new())
    }

    async fn depth(&self) -> Result<Depth> {
        Ok(Depth { waiting: self.0 as u64, ..Depth::default() })
    }
}

/// These resources with `people` for a table.
pub fn with(store: Arc<Store>) -> Resources {
    let mut resources = Resources::default();
    resources.tables.insert("people".to_owned(), store);
    resources
}

pub fn slow(pause: Duration) -> Resources {
    with(Arc::new(Store { pause, ..Store::default() }))
}

pub fn large(bytes: usize) -> Resources {
    with(Arc::new(Store { bytes, ..Store::default() }))
}

impl Store {
    fn body(&self, key: &str) -> Option<Vec<u8>> {
        let padding = "x".repeat(self.bytes);
        let body = match self.form {
            _ if key == "none" => return None,
            Form::Plain if self.bytes == 0 => format!(r#"{{ "n": 1, "id": "{key}" }}"#),
            Form::Plain => format!(r#"{{"n":1,"id":"{key}","padding":"{padding}"}}"#),
            Form::DynamodbJson => format!(r#"{{"n":{{"N":"1"}},"id":{{"S":"{key}"}}}}"#),
        };
        Some(body.into_bytes())
    }
}

#[async_trait]
impl Scan for Store {
    async fn info(&self) -> Result<SourceInfo> {
        let key = Some(vec!["id".to_owned()]);
        Ok(SourceInfo {
            fingerprint: String::new(),
            count: None,
            form: self.form,
            segments: None,
            max_segments: None,
            key,
            passing: false,
        })
    }

    async fn compare(&self, _: &str) -> Result<Sameness> {
        Ok(Sameness::Same)
    }

    async fn read(&self, _: Segment, _: Option<&str>, _: usize) -> Result<Page> {
        Ok(Page::default())
    }

    async fn reread(&self, _: &[String]) -> Result<Vec<Option<Row>>> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Table for Store {
    async fn key(&self) -> Result<Vec<String>> {
        Ok(vec!["id".to_owned()])
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        tokio::time::sleep(self.pause).await;
        if self.down.load(SeqCst) > 0 {
            self.down.fetch_sub(1, SeqCst);
            return Err(Error::new(Kind::Unavailable, "the table is down"));
        }
        self.reads.fetch_add(u32::try_from(keys.len()).unwrap_or(u32::MAX), SeqCst);
        Ok(keys.iter().map(|key| self.body(key)).collect())
    }

    async fn update_many(&self, _: &[Update]) -> Result<Vec<Result<bool>>> {
        Ok(Vec::new())
    }

    async fn put_many(&self, _: &[String]) -> Result<Vec<Result<()>>> {
        Ok(Vec::new())
    }
}
