//! What a plugin answers: one outcome an item, and the effects the host carries out for it.
//!
//! The fields mean what `wit/types.wit` says of them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Rendition;

/// A plugin's answer to one item.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// These effects, in this order.
    Effects(Vec<Effect>),
    /// None of the plugin's business, with the reason.
    Skip(String),
    /// The object behind the item does not exist.
    NotFound(String),
    /// Broken, and will be broken again.
    Invalid(String),
    /// Larger than its sink allows.
    TooBig(String),
    /// Undecidable now; may succeed later.
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
    /// Sets attributes of a record that is there; `attributes` is the text of a JSON object without the key.
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
    /// What the host makes of an image.
    Rendition(Rendition),
}

/// When an object is written at all. Decided and done in one step, also among processes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Whatever is there.
    #[default]
    Always,
    /// Only where no object has the key.
    Absent,
    /// Only in place of the object with this etag.
    Etag(String),
}
