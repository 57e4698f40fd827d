//! What the tests have in common: a small image, and its settings.

use grid_image::{
    FileMetadata, ImageId, ImageMetadata, Input, Json, MimeType, Settings, Texts, UsageRights,
    asset::Dimensions,
    dates::DateTime,
    merge::Answers,
    processors::{Image, Rule},
};
use serde_json::Value;

pub const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

pub fn at(text: &str) -> DateTime {
    DateTime::from_iso(text).unwrap()
}

pub fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

pub fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// Settings with the buckets of the examples.
pub fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.stores.image_bucket = "pics".to_owned();
    settings.stores.thumbnail_bucket = "thumbs".to_owned();
    settings
}

/// An upright landscape JPEG that says nothing, and that no one has touched.
pub fn plain() -> Input {
    Input {
        id: ImageId::new(ID).unwrap(),
        user_metadata: Vec::new(),
        last_modified: at("2021-03-06T08:00:00Z"),
        size: 1,
        mime_type: MimeType::Jpeg,
        dimensions: Dimensions { width: 64, height: 48 },
        orientation: None,
        file: FileMetadata::default(),
        thumbnail: None,
        optimised_png: None,
        answers: Answers::default(),
        now: at("2022-01-01T00:00:00Z"),
    }
}

/// Sends metadata through rules.
pub fn through(
    rules: &[Rule],
    metadata: &ImageMetadata,
    file: &FileMetadata,
    settings: &Settings,
) -> (ImageMetadata, UsageRights) {
    let upload_time = at("2021-03-06T08:00:00Z");
    let mut image = Image { file, upload_time, metadata: metadata.clone(), usage_rights: UsageRights::default() };
    rules.iter().for_each(|rule| rule(&mut image, settings));
    (image.metadata, image.usage_rights)
}

/// A file with these properties of XMP and nothing else.
pub fn xmp(properties: &Value) -> FileMetadata {
    let properties = properties.as_object().unwrap().iter().map(|(name, value)| (name.clone(), property(value)));
    FileMetadata { xmp: properties.collect(), ..FileMetadata::default() }
}

fn property(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::Text(text.clone()),
        Value::Array(values) => Json::List(values.iter().map(property).collect()),
        other => panic!("{other} is no property of XMP"),
    }
}

/// The metadata of a file as documents have it.
pub fn file_metadata(document: &Value) -> FileMetadata {
    let texts = |name: &str| serde_json::from_value(document[name].clone()).unwrap();
    FileMetadata {
        iptc: texts("iptc"),
        exif: texts("exif"),
        exif_sub: texts("exifSub"),
        icc: texts("icc"),
        getty: texts("getty"),
        colour_model: document["colourModel"].as_str().map(str::to_owned),
        colour_model_information: texts("colourModelInformation"),
        ..xmp(&document["xmp"])
    }
}
