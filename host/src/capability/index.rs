//! Search indexes: documents with versions, behind an alias.
//!
//! A recipe names an alias. [`Index`] serves that alias; the concrete indexes behind it have names of their own.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    record::canonical,
};

/// One write to a concrete index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The document's id, 1 to [`MAX_ID_BYTES`] bytes.
    pub id: String,
    /// A write with a version replaces a document, or a deletion, of an equal or lower version; a write without one
    /// always wins. Either all writers of an index give versions, or none does.
    pub version: Option<u64>,
    /// The document's JSON text; none deletes.
    pub body: Option<String>,
}

/// The longest id a document may have, in bytes.
pub const MAX_ID_BYTES: usize = 512;

/// The largest version: versions are signed 64-bit integers to every engine.
pub const MAX_VERSION: u64 = i64::MAX as u64;

/// The result of one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is in the index.
    Done,
    /// A newer version was already there, and is kept.
    NewerThere,
    /// The engine refuses this document for this reason, and would refuse it again.
    Refused(String),
    /// It failed for a reason that may pass, after the index retried it.
    Failed(String),
}

/// A document as an index holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The document's id.
    pub id: String,
    /// Its version, if it was written with one.
    pub version: Option<u64>,
    /// Its JSON text.
    pub body: String,
}

/// A concrete index, as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concrete {
    /// Its own name, such as `persons_20261120t101500_a1b2c3`.
    pub name: String,
    /// Its settings and mappings as JSON text.
    pub definition: String,
    /// Where its versions come from.
    pub stamp: Option<Stamp>,
    /// When it was created.
    pub created: Timestamp,
    /// Distinguishes it from another index that is created or restored under its name; empty if the engine has none.
    pub identity: String,
}

/// A concrete index that writes through an alias reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Its [identity](Concrete::identity).
    pub identity: String,
}

impl From<&Concrete> for Place {
    fn from(concrete: &Concrete) -> Self {
        Self { name: concrete.name.clone(), identity: concrete.identity.clone() }
    }
}

/// The concrete indexes that a write through an alias has to reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// The one that the alias names.
    pub current: Option<Place>,
    /// Those that rebuilds [fill](Alias::announce) to replace it, by name.
    pub filling: Vec<Place>,
}

/// What `reindex` writes into an index it creates (`_meta.reindex` of a mapping).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Stamp {
    /// The attribute every writer takes its version from, or `none`.
    pub version: String,
}

/// A document of a concrete index, as [`list`](List::list) returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The document's id.
    pub id: String,
    /// Shows whether it was written since, in the engine's own format.
    pub guard: String,
}

/// A part of the documents of a concrete index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The documents. There may be none, or few, although more follow.
    pub documents: Vec<Listed>,
    /// Where the next part begins; none after the last one.
    pub next: Option<String>,
}

/// The documents of concrete indexes.
///
/// A call that names a concrete index fails with [`Kind::NotFound`](crate::error::Kind::NotFound) if there is none.
/// Repeating any call after its reply was lost is safe. The same is true of [`Alias`], [`List`] and [`Tune`].
#[async_trait]
pub trait Documents: Send + Sync {
    /// Writes documents into a concrete index, in order; they are durable when the call returns. One answer per write.
    async fn write(&self, concrete: &str, writes: Vec<Write>) -> Result<Vec<Written>>;

    /// Reads documents by id, in the order asked, from a concrete index, or through the alias.
    async fn get_many(&self, concrete: Option<&str>, ids: &[String]) -> Result<Vec<Option<Document>>>;

    /// Counts the documents of a concrete index, with everything written before the call.
    async fn count(&self, concrete: &str) -> Result<u64>;

    /// Makes everything written to a concrete index countable and findable.
    async fn refresh(&self, concrete: &str) -> Result<()>;

    /// Finds documents through the alias: best first, at most `limit`, with the count of all that match.
    ///
    /// The query is words that must all occur, `"phrases"` and `prefix*`; an empty query, or `*` alone, finds everything.
    async fn search(&self, query: &str, limit: usize) -> Result<(u64, Vec<Document>)>;
}

/// An alias, and the concrete indexes that it names or may name.
#[async_trait]
pub trait Alias: Send + Sync {
    /// The identity of the server's cluster, if there is a server.
    async fn cluster(&self) -> Result<Option<String>>;

    /// Returns the concrete index that the alias names now, if any; an index that has the alias's own name is used as
    /// it is. An alias that names several is an error.
    async fn current(&self) -> Result<Option<Concrete>>;

    /// Returns the concrete indexes that a write through the alias has to reach now, in one consistent read. An alias
    /// that names several is an error.
    async fn route(&self) -> Result<Route>;

    /// A concrete index as it is now.
    async fn describe(&self, name: &str) -> Result<Concrete>;

    /// Lists differences between an existing and a wanted definition, a sentence fragment each. What an engine adds or
    /// spells differently is not a difference; a field that the index lacks is one, since the existing documents could
    /// not be found by it.
    fn contradictions(&self, found: &Concrete, definition: &str) -> Vec<String> {
        match (canonical(&found.definition), canonical(definition)) {
            (Ok(found), Ok(wanted)) if found == wanted => Vec::new(),
            _ => vec!["it was made from another definition".to_owned()],
        }
    }

    /// Creates an empty concrete index. It is not found through the alias yet. If it exists, and the definition and the
    /// stamp do not contradict it, nothing changes.
    async fn create(&self, name: &str, definition: &str, stamp: &Stamp) -> Result<()>;

    /// Puts a concrete index on the [`route`](Self::route) of the alias: every writer of the alias also writes to it,
    /// until it takes the alias or is removed. Does nothing for an index that the alias names.
    ///
    /// *Errors*: an alias whose properties a [`swap`](Self::swap) cannot carry over.
    async fn announce(&self, name: &str) -> Result<()>;

    /// Points the alias from one concrete index, or from none, at another, in one step: a search sees the old or the
    /// new one. The alias keeps its properties, such as a filter. Does nothing if the alias names the new one already.
    ///
    /// *Errors*: the alias names another index than `from`; or an index has the alias's own name, so that nothing can
    /// be swapped.
    async fn swap(&self, from: Option<&str>, to: &str) -> Result<()>;

    /// Points the alias at a concrete index, unless it already names one. False if it names another. If several callers
    /// ask at one moment, at most one gets true; perhaps none.
    async fn claim(&self, to: &str) -> Result<bool> {
        match self.current().await? {
            Some(current) => Ok(current.name == to),
            None => self.swap(None, to).await.map(|()| true),
        }
    }

    /// Removes a concrete index that the alias does not name; it is not an error if there is none.
    async fn remove(&self, name: &str) -> Result<()>;
}

/// Lists the documents of a concrete index, so that those whose item is gone can be removed.
#[async_trait]
pub trait List: Send + Sync {
    /// The highest sequence number of a write so far; later writes get a higher one. None if the engine does not number
    /// writes, or nothing was written.
    async fn watermark(&self, concrete: &str) -> Result<Option<u64>>;

    /// Reads the ids of a concrete index in parts of about `limit`: of all documents, or of those that a query in the
    /// engine's own language (JSON text) selects, as of its first part; with a [`watermark`](Self::watermark), at least
    /// those last written before it. `after` is the `next` of the part before, and stays valid after a crash. A
    /// document that is written meanwhile may be returned again.
    async fn list(
        &self,
        concrete: &str,
        query: Option<&str>,
        until: Option<u64>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listing>;

    /// Removes each of these documents unless it was written since it was listed. Returns which were removed; a
    /// document that was already gone was not.
    async fn remove_listed(&self, concrete: &str, documents: &[Listed]) -> Result<Vec<bool>>;
}

/// Settings of a concrete index that a load changes.
#[async_trait]
pub trait Tune: Send + Sync {
    /// The settings that [`tune`](Self::tune) changes, as JSON text for [`restore`](Self::restore).
    async fn load_settings(&self, concrete: &str) -> Result<String>;

    /// Prepares a concrete index for a load: no refreshing, no replicas.
    async fn tune(&self, concrete: &str) -> Result<()>;

    /// Restores the settings that [`load_settings`](Self::load_settings) returned.
    async fn restore(&self, concrete: &str, before: &str) -> Result<()>;
}

/// The index behind one alias, with the capabilities of its engine.
pub trait Index: Documents + Alias {
    /// Its [`List`], if its documents can be listed.
    fn lists(&self) -> Option<&dyn List>;

    /// Its [`Tune`], if a load changes its settings.
    fn tunes(&self) -> Option<&dyn Tune>;

    /// Returns its [`List`], for a caller that needs one.
    ///
    /// *Errors*: [`Kind::Usage`](crate::error::Kind::Usage) if it has none.
    fn listed(&self) -> Result<&dyn List> {
        self.lists()
            .ok_or_else(|| Error::usage("this index cannot list its documents, so nothing can be pruned from it"))
    }
}

/// The error of a [`swap`](Alias::swap) whose alias names another index now.
pub fn moved(alias: &str, from: Option<&str>, now: Option<&str>) -> Error {
    let (from, now) = (from.unwrap_or("no index"), now.unwrap_or("no index"));
    Error::usage(format!("`{alias}` named {from} when this rebuild began, and now names {now}, so it was not swapped"))
        .hint("another rebuild took the alias, or it was moved by hand; `reindex run RECIPE --rebuild --fresh` gives this rebuild up and fills a new index")
}
