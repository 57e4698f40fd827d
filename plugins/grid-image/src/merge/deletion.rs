//! Whether an image is deleted, though not yet gone.

use serde::Serialize;

use crate::{Failure, dates::DateTime, record::Record};

/// The store, as failures name it.
pub const STORE: &str = "soft deletions";

/// Who deleted an image, and when.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// When.
    pub delete_time: DateTime,
    /// Who.
    pub deleted_by: String,
}

/// Reads whether an image is deleted; none where the record says that it is no more.
///
/// *Errors*: [`Failure::Record`] for a record of another shape.
pub fn read(record: &Record) -> Result<Option<Deletion>, Failure> {
    if record.optional_boolean("isDeleted")? != Some(true) {
        return Ok(None);
    }
    let deletion =
        Deletion { delete_time: record.date("deleteTime")?, deleted_by: record.text("deletedBy")?.to_owned() };
    Ok(Some(deletion))
}
