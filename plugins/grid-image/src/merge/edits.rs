//! What users changed about an image.

use serde::Serialize;

use crate::{Failure, ImageMetadata, UsageRights, dates::DateTime, record::Record};

/// The store, as failures name it.
pub const STORE: &str = "edits";

/// What users changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Edits {
    /// Whether the image is to be kept.
    pub archived: bool,
    /// Its labels.
    pub labels: Vec<String>,
    /// Fields of its metadata that they set.
    #[serde(skip_serializing_if = "is_empty")]
    pub metadata: ImageMetadata,
    /// Its rights, if they set them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_rights: Option<UsageRights>,
    /// The photoshoot that it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photoshoot: Option<Photoshoot>,
    /// When they last changed something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<DateTime>,
}

/// A photoshoot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Photoshoot {
    /// Its title.
    pub title: String,
}

fn is_empty(metadata: &ImageMetadata) -> bool {
    *metadata == ImageMetadata::default()
}

/// Reads the edits of an image.
///
/// *Errors*: [`Failure::Record`] for a record of another shape.
pub fn read(record: &Record) -> Result<Edits, Failure> {
    let metadata = record.optional("metadata")?.map(|metadata| ImageMetadata::read(&metadata)).transpose()?;
    let photoshoot = |photoshoot: Record| photoshoot.text("title").map(|title| Photoshoot { title: title.to_owned() });
    Ok(Edits {
        archived: record.optional_boolean("archived")?.unwrap_or_default(),
        labels: record.optional_texts("labels")?.unwrap_or_default(),
        metadata: metadata.unwrap_or_default(),
        usage_rights: record.optional("usageRights")?.map(|rights| UsageRights::read(&rights)).transpose()?,
        photoshoot: record.optional("photoshoot")?.map(photoshoot).transpose()?,
        last_modified: record.optional_date("lastModified")?,
    })
}
