//! Finds out how an image came about, by the terms of the IPTC.

use crate::{Settings, file_metadata::xmp_head, processors::Image};

/// The vocabulary of the terms, after `http` or `https`.
const VOCABULARY: &str = "://cv.iptc.org/newscodes/digitalsourcetype/";

const TYPES: [(&str, &[&str]); 3] = [
    ("Photograph", &["digitalCapture", "computationalCapture", "negativeFilm", "positiveFilm"]),
    (
        "Illustration",
        &[
            "compositeWithTrainedAlgorithmicMedia",
            "algorithmicallyEnhanced",
            "softwareImage",
            "digitalArt",
            "digitalCreation",
            "dataDrivenMedia",
            "trainedAlgorithmicMedia",
            "algorithmicMedia",
            "screenCapture",
            "compositeSynthetic",
        ],
    ),
    ("Composite", &["composite", "compositeCapture"]),
];

/// Sets the type of an image whose source type is known, and removes it where the source type says nothing about it.
pub fn clean(image: &mut Image, _: &Settings) {
    if let Some(source) = xmp_head(image.file, "Iptc4xmpExt:DigitalSourceType") {
        image.metadata.image_type = image_type(source).map(str::to_owned);
    }
}

fn image_type(source: &str) -> Option<&'static str> {
    let place = source.strip_prefix("https").or_else(|| source.strip_prefix("http"))?;
    let term = place.strip_prefix(VOCABULARY)?;
    TYPES.iter().find(|(_, terms)| terms.contains(&term)).map(|(name, _)| *name)
}
