//! What the file of an image says of itself, and how a property of XMP is taken from it.

pub use image_metadata::{FileMetadata, Json, Texts};

/// The head of an XMP property: its text, or the first text of its array.
pub(crate) fn xmp_head<'a>(file: &'a FileMetadata, name: &str) -> Option<&'a str> {
    match file.xmp.get(name)? {
        Json::Text(text) => Some(text),
        Json::List(values) => texts(values).next(),
    }
}

/// The texts of an array, without the arrays in it.
pub(crate) fn texts(values: &[Json]) -> impl Iterator<Item = &str> {
    values.iter().filter_map(|value| match value {
        Json::Text(text) => Some(text.as_str()),
        Json::List(_) => None,
    })
}
