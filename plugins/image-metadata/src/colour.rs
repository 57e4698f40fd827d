//! The colour model of the pixels, whatever the colour profile says.

use crate::{
    block::{Block, Format, named},
    metadata::Texts,
    png,
};

/// What the image capability tells of the pixels of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture<'a> {
    /// How the numbers are meant: `srgb`, `rgb16`, `b-w`, `grey16`, `cmyk`, `lab`, ….
    pub interpretation: &'a str,
    /// How many numbers a pixel has, transparency included.
    pub bands: u32,
    /// Whether the last of them says how transparent it is.
    pub alpha: bool,
}

/// Names the colour model: `Greyscale`, `CMYK`, `LAB` or `RGB`. A JPEG is never `LAB`, a PNG neither that nor `CMYK`.
pub(crate) fn model(format: Format, picture: &Picture) -> &'static str {
    match (picture.interpretation, format) {
        ("b-w" | "grey16", _) => "Greyscale",
        ("cmyk", Format::Jpeg | Format::Tiff) => "CMYK",
        ("lab" | "labq" | "labs", Format::Tiff) => "LAB",
        _ => "RGB",
    }
}

/// How colours are stored. `exif` is the first directory of the EXIF data.
pub(crate) fn information(format: Format, picture: &Picture, blocks: &[Block], exif: &Texts) -> Texts {
    let photometric = ("photometricInterpretation", exif.get("Photometric Interpretation").cloned());
    let entries = match format {
        Format::Jpeg => vec![
            ("hasAlpha", Some("false".to_owned())),
            ("colorType", Some(kind(picture, false).to_owned())),
            photometric,
            ("bitsPerSample", Some("8".to_owned())),
        ],
        Format::Png => {
            let header = png::header(blocks);
            let is_transparent = picture.alpha || named(blocks, "png:tRNS").next().is_some();
            vec![
                ("hasAlpha", Some(is_transparent.to_string())),
                ("colorType", header.and_then(|(_, kind)| png_kind(kind)).map(str::to_owned)),
                ("bitsPerSample", header.map(|(bits, _)| bits.to_string())),
            ]
        }
        Format::Tiff => {
            let bits = exif.get("Bits Per Sample").and_then(|text| text.split(' ').next());
            let is_palette = exif.get("Photometric Interpretation").is_some_and(|text| text == "RGB Palette");
            vec![
                ("hasAlpha", Some(picture.alpha.to_string())),
                ("colorType", Some(kind(picture, is_palette).to_owned())),
                photometric,
                ("bitsPerSample", bits.map(str::to_owned)),
            ]
        }
    };
    entries.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))).collect()
}

/// The image type in the words of GraphicsMagick, which also looks at the pixels: an RGB picture without colours is
/// `Grayscale` there, and one in black and white `Bilevel`.
fn kind(picture: &Picture, is_palette: bool) -> &'static str {
    match (picture.interpretation, picture.alpha) {
        _ if is_palette && picture.alpha => "PaletteMatte",
        _ if is_palette => "Palette",
        ("b-w" | "grey16", false) => "Grayscale",
        ("b-w" | "grey16", true) => "GrayscaleMatte",
        ("cmyk", false) => "ColorSeparation",
        ("cmyk", true) => "ColorSeparationMatte",
        (_, false) => "TrueColor",
        (_, true) => "TrueColorMatte",
    }
}

/// Names a colour type of a PNG's header.
fn png_kind(kind: u8) -> Option<&'static str> {
    match kind {
        0 => Some("Greyscale"),
        2 => Some("True Color"),
        3 => Some("Indexed Color"),
        4 => Some("Greyscale with Alpha"),
        6 => Some("True Color with Alpha"),
        _ => None,
    }
}
