//! What Getty Images writes into XMP about its pictures.

use crate::{metadata::Texts, xmp::Flat};

const PREFIX: &str = "GettyImagesGIFT:";

/// Name, and the properties it is read from; the first that is there counts.
const NAMES: [(&str, &[&str]); 11] = [
    ("Asset ID", &["AssetId", "AssetID"]),
    ("Call For Image", &["CallForImage"]),
    ("Camera Filename", &["CameraFilename"]),
    ("Camera Make Model", &["CameraMakeModel"]),
    ("Composition", &["Composition"]),
    ("Exclusive Coverage", &["ExclusiveCoverage"]),
    ("Image Rank", &["ImageRank"]),
    ("Original Create Date Time", &["OriginalCreateDateTime"]),
    ("Original Filename", &["OriginalFilename"]),
    ("Personality", &["Personality"]),
    ("Time Shot", &["TimeShot"]),
];

/// The texts of the simple properties that are there.
pub(crate) fn texts(flat: &Flat) -> Texts {
    let text = |property: &&str| flat.get(&format!("{PREFIX}{property}"));
    let texts = NAMES.iter().filter_map(|(name, properties)| Some((*name, properties.iter().find_map(text)?)));
    texts.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::texts;

    #[test]
    fn a_name_is_read_from_the_first_of_its_properties_that_is_simple() {
        let flat = [("GettyImagesGIFT:AssetID", "7"), ("GettyImagesGIFT:Personality[1]", "Ada"), ("q:ImageRank", "3")];
        let flat = flat.into_iter().map(|(path, value)| (path.to_owned(), value.to_owned())).collect();
        assert_eq!(texts(&flat), [("Asset ID".to_owned(), "7".to_owned())].into());
    }
}
