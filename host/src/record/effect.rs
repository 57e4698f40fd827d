//! What a plugin answers: one outcome per item, and the effects that the host carries out for it.
//!
//! `wit/types.wit` documents the fields.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Rendition;

/// A plugin's answer to one item.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// These effects, in this order.
    Effects(Vec<Effect>),
    /// The plugin skips the item, with the reason.
    Skip(String),
    /// The object behind the item does not exist.
    NotFound(String),
    /// Broken, and will be broken again.
    Invalid(String),
    /// Larger than its sink allows.
    TooBig(String),
    /// Cannot be decided now; may succeed later.
    Retry(String),
}

/// One change, carried out by the host. Plain data, so that it can be logged, compared and replayed.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each field is documented once, in `wit/types.wit`")]
pub enum Effect {
    /// Puts a document into an index; `body` is the text of a JSON object.
    PutDocument { index: String, id: String, version: Option<u64>, body: String },
    /// Removes a document from an index.
    DeleteDocument { index: String, id: String, version: Option<u64> },
    /// Puts a record into a table; `body` is the text of a JSON object that contains the key.
    PutRecord { table: String, body: String },
    /// Sets attributes of an existing record; `attributes` is the text of a JSON object without the key.
    UpdateRecord { table: String, key: String, attributes: String, timed: Option<String> },
    /// Stores an object in a bucket.
    PutObject {
        bucket: String,
        key: String,
        content: Content,
        content_type: Option<String>,
        metadata: BTreeMap<String, String>,
        condition: Condition,
    },
    /// Copies an object.
    CopyObject { source_bucket: String, source_key: String, bucket: String, key: String },
    /// Removes an object, if it still has the etag.
    DeleteObject { bucket: String, key: String, etag: Option<String> },
    /// Sends a message; a higher priority is delivered earlier.
    SendMessage { queue: String, body: String, priority: u8 },
}

/// What an object contains.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A rendition that the host makes of an image.
    Rendition(Rendition),
}

/// On which condition an object is written. Checked and written in one step, also across processes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Always, also over an existing object.
    #[default]
    Always,
    /// Only if no object has the key.
    Absent,
    /// Only as a replacement of the object with this etag.
    Etag(String),
}
