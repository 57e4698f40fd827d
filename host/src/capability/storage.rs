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
    /// How many records there are, if that is known without reading them. May be hours old: it is shown, and
    /// nothing relies on it.
    pub count: Option<u64>,
    /// The form its bodies are in.
    pub form: Form,
    /// Into how many segments it is best cut where nobody says; none means one a core.
    pub segments: Option<u32>,
    /// How many segments it offers at most, where that is limited; a file that cannot be split offers 1.
    pub max_segments: Option<u32>,
    /// The attributes of its key, where records can be looked up by id. A table's positions are ids.
    pub key: Option<Vec<String>>,
    /// Whether its records are what is to be done, and go away when it is; else it holds everything there is.
    pub passing: bool,
}

/// How a source compares with what it was when a run began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sameness {
    /// It is the same, as far as a run relies on it.
    Same,
    /// It is not; this says how, such as "it has 60 bytes and had 120".
    Changed(String),
    /// It holds only what is left to do, so what went away tells nothing.
    Unknown,
}

impl Sameness {
    /// Compares two fingerprints that need no reading.
    pub fn of(now: &str, then: &str) -> Self {
        if now == then { Self::Same } else { Self::Changed(format!("it is {now} and was {then}")) }
    }
}

/// How a table is scanned. What a backend knows nothing of, it ignores.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScanOptions {
    /// The attributes that are fetched, key and version among them; none of them means all. Only saves traffic:
    /// [`crate::record::Shape`] decides what an item has.
    pub attributes: Vec<String>,
    /// Whether everything that was written before the scan is seen for certain, at twice the price.
    pub consistent: bool,
    /// How much it may take of the table; without it, as much as it can.
    pub rate: Option<Rate>,
}

/// How much a scan may take of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// A share of the capacity that is provisioned, above 0 and up to 1.
    Share(f64),
    /// Units of capacity a second.
    Units(u32),
}

/// Something whose records can be read from end to end.
#[async_trait]
pub trait Scan: Send + Sync {
    /// Describes the source without reading its records.
    async fn info(&self) -> Result<SourceInfo>;

    /// Reads some rows of a segment, after a cursor or from its start.
    ///
    /// `limit` is how many rows are wanted at a time. A source that is read by pages of its own may hand out a whole
    /// page, which is bounded in bytes.
    /// All segments together yield every record that was there all the time exactly once. A source whose places move
    /// when it changes, such as a file, hands out nothing that was read after it changed. A line that is not
    /// JSON, or too long, is a row like any other: it is the caller's to refuse.
    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page>;

    /// Reads rows again by position, in the order asked; none where nothing is left.
    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>>;

    /// Compares the source with what it was when [`Scan::info`] gave this fingerprint. A run asks this once everything
    /// is read, and relies on nothing it read if the source changed; a retry asks it before it reads again.
    ///
    /// *Errors*: those of looking; a source that is gone is an error, not a change.
    async fn compare(&self, fingerprint: &str) -> Result<Sameness>;

    /// Learns how many workers read it now, this one included, so that all together keep to what may be read.
    fn share(&self, _workers: u32) {}
}

/// Attributes of a record to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The record's key, as [`Table::get_many`] takes it.
    pub key: String,
    /// The text of one plain JSON object that contains none of the key's attributes; a table of another form turns it
    /// into its own.
    pub attributes: String,
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

    /// Sets attributes of records that are there, each in one step: what others write to other attributes stays. False
    /// where there is no such record.
    ///
    /// *Errors*: one answer per update, in order.
    async fn update_many(&self, updates: &[Update]) -> Result<Vec<Result<bool>>>;

    /// Removes records by key. False where there is none; one answer per key, in order. No run removes records: this is
    /// for a person who tries things out.
    async fn remove_many(&self, _keys: &[String]) -> Result<Vec<bool>> {
        Err(Error::usage("this table removes no records"))
    }
}
