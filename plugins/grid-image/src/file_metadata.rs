//! What the file of an image says of itself, as the document keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Texts by the names of their tags.
pub type Texts = BTreeMap<String, String>;

/// The metadata embedded in a file, by kind of block. All maps are written, also empty ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FileMetadata {
    /// IPTC-IIM datasets.
    pub iptc: Texts,
    /// EXIF tags of the first directory.
    pub exif: Texts,
    /// EXIF tags of the EXIF directory.
    pub exif_sub: Texts,
    /// XMP properties: a text, or an array of texts and arrays.
    pub xmp: Map<String, Value>,
    /// Fields of the colour profile.
    pub icc: Texts,
    /// What Getty Images notes down in XMP.
    pub getty: Texts,
    /// `RGB`, `CMYK`, `Greyscale`, `LAB` or another name; none where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour_model: Option<String>,
    /// How the pixels are stored.
    pub colour_model_information: Texts,
}

impl FileMetadata {
    /// The head of an XMP property: its text, or the first text of its array.
    pub fn xmp_head(&self, name: &str) -> Option<&str> {
        match self.xmp.get(name)? {
            Value::String(text) => Some(text),
            Value::Array(values) => values.iter().find_map(Value::as_str),
            _ => None,
        }
    }
}

impl From<image_metadata::FileMetadata> for FileMetadata {
    fn from(read: image_metadata::FileMetadata) -> Self {
        Self {
            iptc: read.iptc,
            exif: read.exif,
            exif_sub: read.exif_sub,
            xmp: read.xmp.into_iter().map(|(name, value)| (name, json(value))).collect(),
            icc: read.icc,
            getty: read.getty,
            colour_model: read.colour_model,
            colour_model_information: read.colour_model_information,
        }
    }
}

fn json(value: image_metadata::Json) -> Value {
    match value {
        image_metadata::Json::Text(text) => text.into(),
        image_metadata::Json::List(values) => values.into_iter().map(json).collect::<Vec<_>>().into(),
    }
}
