//! Builders for effects and outcomes. The records behind them can also be written out in full.

use crate::{
    Condition, Content, DocumentDelete, DocumentWrite, Effect, MessageSend, ObjectCopy, ObjectDelete, ObjectWrite,
    Outcome, RecordUpdate, RecordWrite, Rendition,
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

    /// Sets attributes of a record that is there; they are the text of a JSON object that does not contain the key.
    pub fn update_record(table: &str, key: impl Into<String>, attributes: impl Into<String>) -> Self {
        Self::UpdateRecord(RecordUpdate {
            table: table.to_owned(),
            key: key.into(),
            attributes: attributes.into(),
            timed: None,
        })
    }

    /// Lets an attribute of a record that is updated take the time of the update; other effects stay as they are.
    pub fn with_time(mut self, attribute: &str) -> Self {
        if let Self::UpdateRecord(update) = &mut self {
            update.timed = Some(attribute.to_owned());
        }
        self
    }

    /// Stores bytes as an object in a bucket, with their media type.
    pub fn put_object(bucket: &str, key: impl Into<String>, bytes: impl Into<Vec<u8>>, content_type: &str) -> Self {
        Self::store(bucket, key.into(), Content::Bytes(bytes.into()), content_type)
    }

    /// Stores what the host makes of an image as an object in a bucket.
    pub fn put_rendition(bucket: &str, key: impl Into<String>, rendition: Rendition) -> Self {
        let content_type = rendition.format.media_type();
        Self::store(bucket, key.into(), rendition.into(), content_type)
    }

    fn store(bucket: &str, key: String, content: Content, content_type: &str) -> Self {
        Self::PutObject(ObjectWrite {
            bucket: bucket.to_owned(),
            key,
            content,
            content_type: Some(content_type.to_owned()),
            metadata: Vec::new(),
            condition: Condition::Always,
        })
    }

    /// Notes something down with an object that is put; other effects stay as they are.
    pub fn with_metadata(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Self::PutObject(write) = &mut self {
            write.metadata.push((name.to_owned(), value.into()));
        }
        self
    }

    /// Puts an object only where none has its key; else the item is tried again. Other effects stay as they are.
    pub fn only_if_absent(self) -> Self {
        self.only_if(Condition::Absent)
    }

    /// Puts an object only in place of the one with this etag; else the item is tried again. Other effects stay as they
    /// are.
    pub fn only_in_place_of(self, etag: impl Into<String>) -> Self {
        self.only_if(Condition::Etag(etag.into()))
    }

    fn only_if(mut self, condition: Condition) -> Self {
        if let Self::PutObject(write) = &mut self {
            write.condition = condition;
        }
        self
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

    /// Removes an object from a bucket while it has this etag; one that took its place stays.
    pub fn delete_object_if(bucket: &str, key: impl Into<String>, etag: impl Into<String>) -> Self {
        Self::DeleteObject(ObjectDelete { bucket: bucket.to_owned(), key: key.into(), etag: Some(etag.into()) })
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
