//! What the users of an image have made of it: the records of the other stores, merged into its document.

pub mod collections;
pub mod crops;
pub mod deletion;
pub mod edits;
pub mod leases;
pub mod metadata;
mod shape;
pub mod syndication_rights;
pub mod usages;

use serde_json::Value;

use crate::{Document, Failure, Settings, dates::DateTime, record::Record};

use crops::{Crop, CropObject};

/// What a store answered about an image.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Answer<T> {
    /// It has nothing.
    #[default]
    NotFound,
    /// It has this.
    Found(T),
    /// It said something else, in these words.
    Failed(String),
}

impl<T> Answer<T> {
    /// What was found, if anything was.
    ///
    /// *Errors*: [`Failure::Store`] where the store said something else.
    pub fn found(self, store: &'static str) -> Result<Option<T>, Failure> {
        match self {
            Self::NotFound => Ok(None),
            Self::Found(found) => Ok(Some(found)),
            Self::Failed(reason) => Err(Failure::Store { store, reason }),
        }
    }
}

/// What all stores answered about an image. The shapes of the records are those of the document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// What users changed.
    pub edits: Answer<Value>,
    /// The leases of the image: a list, or an object with it under `leases`.
    pub leases: Answer<Value>,
    /// The collections it is in: a list, or an object with it under `collections`.
    pub collections: Answer<Value>,
    /// Where it was used: a list, or an object with it under `usages`.
    pub usages: Answer<Value>,
    /// Who has it syndicated.
    pub syndication_rights: Answer<Value>,
    /// Whether it is deleted.
    pub deletion: Answer<Value>,
    /// The objects of its crops.
    pub crops: Answer<Vec<CropObject>>,
}

/// Merges what the stores answered into a base document. Leases are active that are so now.
///
/// *Errors*: [`Failure::Store`] or [`Failure::Record`] of the first store with a flaw.
pub fn merge(document: Document, answers: Answers, now: DateTime, settings: &Settings) -> Result<Document, Failure> {
    let edits = read(answers.edits, edits::STORE, edits::read)?;
    let leases = read(answers.leases, leases::STORE, |record| leases::read(record, now))?.unwrap_or_default();
    let collections = read(answers.collections, collections::STORE, collections::read)?.unwrap_or_default();
    let usages = read(answers.usages, usages::STORE, usages::read)?.unwrap_or_default();
    let syndication_rights = read(answers.syndication_rights, syndication_rights::STORE, syndication_rights::read)?;
    let deletion = read(answers.deletion, deletion::STORE, deletion::read)?.flatten();
    let objects = answers.crops.found(crops::STORE)?.unwrap_or_default();
    let exports = crops::read(&objects, &settings.stores)?;

    let crop_dates = exports.iter().map(Crop::date);
    let dates = [leases.last_modified, collections.last_modified, usages.last_modified].into_iter().chain(crop_dates);
    let edited = edits.as_ref().and_then(|edits| edits.last_modified);
    let last_modified = dates.chain([edited]).flatten().max_by_key(|date| date.millis());
    let edit = edits.as_ref().map(|edits| &edits.metadata);
    let rights = edits.as_ref().and_then(|edits| edits.usage_rights.clone());
    Ok(Document {
        soft_deleted_metadata: deletion,
        last_modified,
        metadata: metadata::merge(document.metadata, edit, settings.parity.into()),
        usage_rights: rights.unwrap_or(document.usage_rights),
        exports,
        usages: usages.records,
        leases,
        collections: collections.records,
        syndication_rights,
        user_metadata_last_modified: edited.or(last_modified),
        user_metadata: edits,
        ..document
    })
}

fn read<T>(
    answer: Answer<Value>,
    store: &'static str,
    read: impl FnOnce(&Record) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    answer.found(store)?.map(|value| read(&Record::of(store, &value))).transpose()
}

/// Records of which there are several, and when the last of them changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Records {
    /// The records, with the fields that documents have.
    pub records: Vec<serde_json::Map<String, Value>>,
    /// When the last of them changed.
    pub last_modified: Option<DateTime>,
}

/// The elements of a list that stands alone or in an object.
fn listed<'a>(record: &Record<'a>, name: &str) -> Result<Vec<Record<'a>>, Failure> {
    match record.value() {
        Value::Object(_) => record.optional(name)?.map_or(Ok(Vec::new()), |list| list.elements()),
        _ => record.elements(),
    }
}
