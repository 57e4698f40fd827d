//! The colour model of the pixels; the colour profile is not considered.

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
    /// Whether the last number of a pixel says how transparent it is.
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

#[cfg(test)]
mod tests {
    use super::{Picture, information, model};
    use crate::block::{Block, Format};

    fn picture(interpretation: &str) -> Picture<'_> {
        Picture { interpretation, alpha: false }
    }

    #[test]
    fn a_model_is_one_that_its_format_can_have() {
        for (format, interpretation, expected) in [
            (Format::Jpeg, "srgb", "RGB"),
            (Format::Jpeg, "b-w", "Greyscale"),
            (Format::Jpeg, "cmyk", "CMYK"),
            (Format::Jpeg, "lab", "RGB"),
            (Format::Tiff, "grey16", "Greyscale"),
            (Format::Tiff, "lab", "LAB"),
            (Format::Tiff, "cmyk", "CMYK"),
            (Format::Png, "cmyk", "RGB"),
        ] {
            assert_eq!(model(format, &picture(interpretation)), expected, "{format:?} {interpretation}");
        }
    }

    #[test]
    fn a_png_says_its_colour_type_and_whether_it_is_transparent() {
        let header = Block { name: "png:IHDR", data: &[0, 0, 0, 9, 0, 0, 0, 9, 4, 3, 0, 0, 0] };
        let transparency = Block { name: "png:tRNS", data: &[0] };
        let texts = information(Format::Png, &picture("srgb"), &[header, transparency], &[].into());
        let expected = [("bitsPerSample", "4"), ("colorType", "Indexed Color"), ("hasAlpha", "true")];
        assert!(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).eq(expected));
    }

    #[test]
    fn a_tiff_has_the_bits_of_its_first_sample() {
        let exif = [("Bits Per Sample", "8 8 8 bits/component/pixel"), ("Photometric Interpretation", "CMYK")];
        let exif = exif.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let texts = information(Format::Tiff, &picture("cmyk"), &[], &exif);
        let expected = [
            ("bitsPerSample", "8"),
            ("colorType", "ColorSeparation"),
            ("hasAlpha", "false"),
            ("photometricInterpretation", "CMYK"),
        ];
        assert!(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).eq(expected));
    }
}
