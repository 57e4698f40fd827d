//! What a document says of an image: who took it, what it shows, and who is to be credited.

mod from_file;
mod subjects;

use serde::Serialize;
use serde_json::{Map, Value};

pub(crate) use from_file::country_candidates;
pub use from_file::from_file;

use crate::{Failure, dates::DateTime, record::Record};

/// The metadata of an image. Each field may be absent, which is not the same as empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the document")]
pub struct ImageMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_taken: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byline: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byline_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copyright: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppliers_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub special_instructions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keywords: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people_in_image: Option<Vec<String>>,
    /// Objects by the name of their domain.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub domain_metadata: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_type: Option<String>,
}

impl ImageMetadata {
    /// Reads the metadata of a record.
    ///
    /// *Errors*: [`Failure::Record`] for a field of another type.
    pub fn read(record: &Record) -> Result<Self, Failure> {
        let text = |name| record.optional_text(name).map(|text| text.map(str::to_owned));
        Ok(Self {
            date_taken: record.optional_date("dateTaken")?,
            description: text("description")?,
            credit: text("credit")?,
            credit_uri: text("creditUri")?,
            byline: text("byline")?,
            byline_title: text("bylineTitle")?,
            title: text("title")?,
            copyright: text("copyright")?,
            suppliers_reference: text("suppliersReference")?,
            source: text("source")?,
            special_instructions: text("specialInstructions")?,
            keywords: record.optional_texts("keywords")?,
            sub_location: text("subLocation")?,
            city: text("city")?,
            state: text("state")?,
            country: text("country")?,
            subjects: record.optional_texts("subjects")?,
            people_in_image: record.optional_texts("peopleInImage")?,
            domain_metadata: record
                .optional("domainMetadata")?
                .map_or(Ok(Map::new()), |domains| domains_of(&domains))?,
            image_type: text("imageType")?,
        })
    }
}

fn domains_of(record: &Record) -> Result<Map<String, Value>, Failure> {
    let domains = record.members()?.into_iter();
    domains.map(|(name, domain)| domain.members().map(|_| (name.to_owned(), domain.value().clone()))).collect()
}
