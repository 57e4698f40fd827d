//! Tables, buckets, and anything that can be scanned.

mod bucket;
mod listing;
mod watch;

use async_trait::async_trait;
#[cfg(feature = "s3")]
pub(crate) use bucket::stream_over;
pub use bucket::{Bucket, Chunks, Condition, Location, ObjectInfo, Put, chunks};
pub use listing::{Listing, Omission, Omissions, Omitted};
pub use watch::Watch;

use crate::{
    error::{Error, Result},
    record::Form,
};

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
    /// Finds this row again: the key in a table, file and offset in a file.
    pub position: String,
    /// The record's bytes: JSON text in the source's [`Form`], or any other text that the source has there.
    pub body: Vec<u8>,
}

/// Some rows of a segment.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// In the segment's order. May be empty although more rows follow.
    pub rows: Vec<Row>,
    /// Where to resume; none when the segment is at its end.
    pub next: Option<String>,
}

/// What a source knows about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    /// Shows whether it is still the same source: a table's identity and creation time, a file's size and digest.
    pub fingerprint: String,
    /// How many records there are, if that is known without reading them. May be hours old: it is only displayed.
    pub count: Option<u64>,
    /// The form its bodies are in.
    pub form: Form,
    /// Into how many segments it is best cut by default; none means one per core.
    pub segments: Option<u32>,
    /// How many segments it offers at most, if that is limited; a file that cannot be split offers 1.
    pub max_segments: Option<u32>,
    /// The attributes of its key, if records can be read by id. A table's positions are ids.
    pub key: Option<Vec<String>>,
    /// Whether its records are work to do, removed when it is done; else it holds all data permanently.
    pub passing: bool,
}

/// How a source compares with what it was when a run began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sameness {
    /// It is the same, as far as a run depends on it.
    Same,
    /// It changed; the text says how, such as "it has 60 bytes and had 120".
    Changed(String),
    /// It holds only what is left to do, so removed records show nothing.
    Unknown,
}

impl Sameness {
    /// Compares two fingerprints without reading the source.
    pub fn of(now: &str, then: &str) -> Self {
        if now == then { Self::Same } else { Self::Changed(format!("it is {now} and was {then}")) }
    }
}

/// How a table is scanned. A backend ignores the options it does not support.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScanOptions {
    /// The attributes that are fetched, key and version among them; empty means all. This only saves traffic:
    /// [`crate::record::Shape`] decides what an item has.
    pub attributes: Vec<String>,
    /// Whether the scan is strongly consistent: it sees everything written before it, at twice the price.
    pub consistent: bool,
    /// How much of the table's capacity it may use; unlimited without it.
    pub rate: Option<Rate>,
}

/// How much of a table's capacity a scan may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// A share of the provisioned capacity, above 0 and up to 1.
    Share(f64),
    /// Capacity units per second.
    Units(u32),
}

/// A source whose records can be read from start to end.
#[async_trait]
pub trait Scan: Send + Sync {
    /// Describes the source without reading its records.
    async fn info(&self) -> Result<SourceInfo>;

    /// Reads some rows of a segment, after a cursor or from its start.
    ///
    /// `limit` is how many rows are wanted at a time. A source that reads its own pages may return a whole page, which
    /// is bounded in bytes. All segments together return every record that was there all the time exactly once. A
    /// source whose positions move when it changes, such as a file, returns nothing that was read after it changed. A
    /// line that is not JSON, or too long, is a row like any other: the caller refuses it.
    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page>;

    /// Reads rows again by position, in the order asked; none for a row that is gone.
    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>>;

    /// Compares the source with its state when [`Scan::info`] gave this fingerprint. A run asks this once everything is
    /// read, and uses nothing it read if the source changed; a retry asks it before it reads again.
    ///
    /// *Errors*: those of the comparison; a source that is gone is an error, not a change.
    async fn compare(&self, fingerprint: &str) -> Result<Sameness>;

    /// Tells it how many workers read it now, this one included, so that all together keep to the limit.
    fn share(&self, _workers: u32) {}
}

/// Attributes of a record to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The record's key, as [`Table::get_many`] takes it.
    pub key: String,
    /// The text of one plain JSON object without the key's attributes; a table of another form converts it.
    pub attributes: String,
}

/// Records by key. A table's positions are its keys.
#[async_trait]
pub trait Table: Scan {
    /// The attributes that make the key; a composite key is the JSON array of their values.
    async fn key(&self) -> Result<Vec<String>>;

    /// Reads bodies by key, consistently, in the order asked.
    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>>;

    /// Writes records; each replaces a record of the same key. They are durable when the call returns.
    ///
    /// *Shape*: each record is the text of one JSON object in the table's form, which contains the key.
    /// *Errors*: one answer per record, in order, so that a bad record affects only itself.
    async fn put_many(&self, records: &[String]) -> Result<Vec<Result<()>>>;

    /// Sets attributes of existing records, each in one step: concurrent writes to other attributes are kept. False if
    /// there is no such record.
    ///
    /// *Errors*: one answer per update, in order.
    async fn update_many(&self, updates: &[Update]) -> Result<Vec<Result<bool>>>;

    /// Removes records by key. False if there is none; one answer per key, in order. No run removes records: this is
    /// for a user who experiments.
    async fn remove_many(&self, _keys: &[String]) -> Result<Vec<bool>> {
        Err(Error::usage("this table removes no records"))
    }
}
