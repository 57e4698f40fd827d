//! The maps of a file, and how they come of its blocks.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    block::{Block, Format},
    colour::{self, Picture},
    found::Found,
    getty, jpeg,
    orientation::Orientation,
    png, tiff,
    xmp::{self, Flat, Json},
};

/// Texts by name.
pub type Texts = BTreeMap<String, String>;

/// What a file says of itself, by where it says so.
///
/// As JSON, every map is always there, and `colourModel` only if it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileMetadata {
    /// IPTC datasets.
    pub iptc: Texts,
    /// Tags of the first directory of the EXIF data.
    pub exif: Texts,
    /// Tags of the EXIF sub-directory.
    pub exif_sub: Texts,
    /// XMP properties by `prefix:name`, folded.
    pub xmp: BTreeMap<String, Json>,
    /// Header fields and tags of the colour profile.
    pub icc: Texts,
    /// Properties of Getty Images, from XMP.
    pub getty: Texts,
    /// `RGB`, `CMYK`, `Greyscale`, `LAB`, ….
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour_model: Option<String>,
    /// How colours are stored.
    pub colour_model_information: Texts,
}

/// Reads all metadata of a file from its blocks.
///
/// `picture` is what the image capability tells of the pixels.
#[must_use]
pub fn read(blocks: &[Block], picture: &Picture) -> FileMetadata {
    let format = Format::of(blocks);
    let mut found = find(format, blocks);
    let flat = xmp::join(std::mem::take(&mut found.xmp));
    let exif = found.exif.unwrap_or_default();
    FileMetadata {
        getty: getty::texts(&flat),
        xmp: xmp::fold(flat),
        colour_model: format.map(|format| colour::model(format, picture).to_owned()),
        colour_model_information: format
            .map(|format| colour::information(format, picture, blocks, &exif))
            .unwrap_or_default(),
        iptc: found.iptc.unwrap_or_default(),
        exif_sub: found.exif_sub.unwrap_or_default(),
        icc: found.icc.unwrap_or_default(),
        exif,
    }
}

/// The orientation that a file asks for; none if it asks for none or for the usual one.
#[must_use]
pub fn orientation(blocks: &[Block]) -> Option<Orientation> {
    Orientation::new(find(Format::of(blocks), blocks).orientation?)
}

/// The XMP packets of a file as they are, in the order in which they are read. [`read`] joins and folds them.
#[must_use]
pub fn packets(blocks: &[Block]) -> Vec<Flat> {
    find(Format::of(blocks), blocks).xmp
}

fn find(format: Option<Format>, blocks: &[Block]) -> Found {
    let mut found = Found::new(blocks.iter().map(|block| block.data.len()).sum());
    match format {
        Some(Format::Jpeg) => jpeg::read(blocks, &mut found),
        Some(Format::Png) => png::read(blocks, &mut found),
        Some(Format::Tiff) => tiff::read(blocks, &mut found),
        None => {}
    }
    found
}
