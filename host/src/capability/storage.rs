//! Tables, buckets, and anything that can be scanned.

use async_trait::async_trait;

use crate::{error::Result, record::Form};

/// One segment of a scan: the `number`-th of `total` parts that neither overlap nor skip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Counted from 0.
    pub number: u32,
    /// How many there are; fixed for the life of a run.
    pub total: u32,
}

/// One record as a source holds it, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Resumes the scan right after this row, within the same segment of the same total.
    pub cursor: String,
    /// Finds this very row again: the key in a table, file and offset in a file.
    pub position: String,
    /// The record's bytes: JSON text in the source's [`Form`], or whatever else stood there.
    pub body: Vec<u8>,
}

/// Some rows of a segment.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// In the segment's order. May be empty although the segment goes on.
    pub rows: Vec<Row>,
    /// Where to go on; none when the segment is at its end.
    pub next: Option<String>,
}

/// What a source says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    /// Tells whether it is still the same source: a table's identity and creation time, a file's size and digest.
    pub fingerprint: String,
    /// How many records there are, if that is known without reading them.
    pub count: Option<u64>,
    /// The form its bodies are in.
    pub form: Form,
    /// How many segments it offers at most, where that is limited; a file that cannot be split offers 1.
    pub max_segments: Option<u32>,
    /// Whether its positions are its keys, so that records can be looked up by id.
    pub keyed: bool,
}

/// Something whose records can be read from end to end.
#[async_trait]
pub trait Scan: Send + Sync {
    /// Describes the source without reading its records.
    async fn info(&self) -> Result<SourceInfo>;

    /// Reads at most `limit` rows of a segment, after a cursor or from its start.
    ///
    /// All segments together yield every record that was there all the time exactly once. A line that is not
    /// JSON, or too long, is a row like any other: it is the caller's to refuse.
    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page>;

    /// Reads rows again by position, in the order asked; none where nothing is left.
    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>>;

    /// Learns how many workers read it now, this one included, so that all together keep to what may be read.
    fn share(&self, _workers: u32) {}
}

/// Records by key. A table's positions are its keys.
#[async_trait]
pub trait Table: Scan {
    /// The attributes that make the key; a composite key is the JSON array of their values.
    async fn key(&self) -> Result<Vec<String>>;

    /// Reads bodies by key, consistently, in the order asked.
    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>>;

    /// Puts records, each in place of any with its key; it survives the death of this process when it returns.
    ///
    /// *Shape*: each record is the text of one JSON object in the table's form, which contains the key.
    /// *Errors*: one answer per record, in order, so that a bad record costs only itself.
    async fn put_many(&self, records: &[String]) -> Result<Vec<Result<()>>>;
}

/// What a bucket knows of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The object's key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Changes when the content does.
    pub etag: String,
    /// Its media type, if the bucket keeps one.
    pub content_type: Option<String>,
}

/// Objects by key.
#[async_trait]
pub trait Bucket: Send + Sync {
    /// Reads whole objects, in the order asked; refuses one larger than `max_bytes`.
    async fn get_many(&self, keys: &[String], max_bytes: u64) -> Result<Vec<Option<Vec<u8>>>>;

    /// Describes objects, in the order asked.
    async fn head_many(&self, keys: &[String]) -> Result<Vec<Option<ObjectInfo>>>;

    /// Stores an object whole or not at all, in place of any with its key; it survives the death of this process
    /// when it returns.
    async fn put(&self, key: &str, bytes: Vec<u8>, content_type: Option<&str>) -> Result<()>;

    /// Removes an object; it is no error if there is none.
    async fn delete(&self, key: &str) -> Result<()>;

    /// Lists objects whose key starts with `prefix` and sorts after `after`, by key, at most `limit`.
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<ObjectInfo>>;
}
