//! Builders for effects and outcomes. The records behind them can also be written out in full.

use crate::{
    Condition, Content, DocumentDelete, DocumentWrite, Effect, MessageSend, ObjectCopy, ObjectDelete, ObjectWrite,
    Outcome, RecordWrite,
};

impl Effect {
    /// Puts a document into an index, in place of any document with its id. It takes the version of its item.
    pub fn put_document(index: &str, id: impl Into<String>, body: impl Into<String>) -> Self {
        Self::PutDocument(DocumentWrite { index: index.to_owned(), id: id.into(), version: None, body: body.into() })
    }

    /// Removes a document from an index. The deletion takes the version of its item.
    pub fn delete_document(index: &str, id: impl Into<String>) -> Self {
        Self::DeleteDocument(DocumentDelete { index: index.to_owned(), id: id.into(), version: None })
    }

    /// Gives a document that is put or deleted a version of its own; other effects stay as they are.
    pub fn with_version(mut self, own: u64) -> Self {
        if let Self::PutDocument(DocumentWrite { version, .. }) | Self::DeleteDocument(DocumentDelete { version, .. }) =
            &mut self
        {
            *version = Some(own);
        }
        self
    }

    /// Puts a record into a table; its body contains the key.
    pub fn put_record(table: &str, body: impl Into<String>) -> Self {
        Self::PutRecord(RecordWrite { table: table.to_owned(), body: body.into() })
    }

    /// Stores bytes as an object in a bucket, with their media type.
    pub fn put_object(bucket: &str, key: impl Into<String>, bytes: impl Into<Vec<u8>>, content_type: &str) -> Self {
        Self::PutObject(ObjectWrite {
            bucket: bucket.to_owned(),
            key: key.into(),
            content: Content::Bytes(bytes.into()),
            content_type: Some(content_type.to_owned()),
            metadata: Vec::new(),
            condition: Condition::Always,
        })
    }

    /// Copies an object from one bucket and key to another.
    pub fn copy_object(from: (&str, &str), to: (&str, &str)) -> Self {
        Self::CopyObject(ObjectCopy {
            source_bucket: from.0.to_owned(),
            source_key: from.1.to_owned(),
            bucket: to.0.to_owned(),
            key: to.1.to_owned(),
        })
    }

    /// Removes an object from a bucket.
    pub fn delete_object(bucket: &str, key: impl Into<String>) -> Self {
        Self::DeleteObject(ObjectDelete { bucket: bucket.to_owned(), key: key.into(), etag: None })
    }

    /// Sends a message of the usual priority to a queue.
    pub fn send_message(queue: &str, body: impl Into<String>) -> Self {
        Self::SendMessage(MessageSend { queue: queue.to_owned(), body: body.into(), priority: 0 })
    }
}

impl From<Effect> for Outcome {
    fn from(effect: Effect) -> Self {
        Self::Effects(vec![effect])
    }
}

impl From<Vec<Effect>> for Outcome {
    fn from(effects: Vec<Effect>) -> Self {
        Self::Effects(effects)
    }
}
