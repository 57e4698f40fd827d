//! Where an image was used.

use super::{
    Records, listed,
    shape::{Field, Kind, list, optional, required, shaped},
};
use crate::{Failure, record::Record};

/// The store, as failures name it.
pub const STORE: &str = "usages";

const PLATFORM: Kind = Kind::OneOf(&["print", "digital", "syndication", "download", "derivative", "replaced"]);

const STATUS: Kind = Kind::OneOf(&[
    "pending",
    "published",
    "removed",
    "syndicated",
    "downloaded",
    "derivative",
    "replaced",
    "failed",
    "unknown",
]);

const REFERENCE: &[Field] = &[required("type", Kind::Text), optional("uri", Kind::Text), optional("name", Kind::Text)];

const SIZE: &[Field] = &[required("x", Kind::Whole), required("y", Kind::Whole)];

const PRINT: &[Field] = &[
    required("sectionName", Kind::Text),
    required("issueDate", Kind::Date),
    required("pageNumber", Kind::Whole),
    required("storyName", Kind::Text),
    required("publicationCode", Kind::Text),
    required("publicationName", Kind::Text),
    optional("layoutId", Kind::Whole),
    optional("edition", Kind::Whole),
    optional("size", Kind::Object(SIZE)),
    optional("orderedBy", Kind::Text),
    required("sectionCode", Kind::Text),
    optional("notes", Kind::Text),
    optional("source", Kind::Text),
];

const DIGITAL: &[Field] = &[
    required("webUrl", Kind::Text),
    required("webTitle", Kind::Text),
    required("sectionId", Kind::Text),
    optional("composerUrl", Kind::Text),
];

const SYNDICATION: &[Field] = &[required("partnerName", Kind::Text), optional("syndicatedBy", Kind::Text)];
const FRONT: &[Field] = &[required("addedBy", Kind::Text), required("front", Kind::Text)];
const DOWNLOAD: &[Field] = &[required("downloadedBy", Kind::Text)];
const CHILD: &[Field] = &[required("addedBy", Kind::Text), required("childMediaId", Kind::Text)];

const USAGE: &[Field] = &[
    required("id", Kind::Text),
    list("references", Kind::List(&Kind::Object(REFERENCE))),
    required("platform", PLATFORM),
    required("media", Kind::Text),
    required("status", STATUS),
    optional("dateAdded", Kind::Date),
    optional("dateRemoved", Kind::Date),
    required("lastModified", Kind::Date),
    optional("printUsageMetadata", Kind::Object(PRINT)),
    optional("digitalUsageMetadata", Kind::Object(DIGITAL)),
    optional("syndicationUsageMetadata", Kind::Object(SYNDICATION)),
    optional("frontUsageMetadata", Kind::Object(FRONT)),
    optional("downloadUsageMetadata", Kind::Object(DOWNLOAD)),
    optional("childUsageMetadata", Kind::Object(CHILD)),
];

/// Reads the usages of an image.
///
/// *Errors*: [`Failure::Record`] for a usage of another shape.
pub fn read(record: &Record) -> Result<Records, Failure> {
    let mut usages = Records::default();
    for usage in listed(record, "usages")? {
        usages.records.push(shaped(&usage, USAGE)?);
        let changed = usage.date("lastModified")?;
        usages.last_modified = usages.last_modified.into_iter().chain([changed]).max_by_key(|date| date.millis());
    }
    Ok(usages)
}
