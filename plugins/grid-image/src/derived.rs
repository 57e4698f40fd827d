//! What is to be done about the images that are made of an original: take the stored one, or make it, and how.
//!
//! Nothing is made here. The decisions are data, for a host to carry out.

use crate::{
    FileMetadata, MimeType, Parity, Settings,
    asset::{Dimensions, ExifOrientation},
};

/// The side of the box that a thumbnail fills.
const BOX: u32 = 256;

/// The colour models for which a standard profile can be assumed.
const STANDARD: [&str; 3] = ["RGB", "CMYK", "Greyscale"];

/// An original, as far as decisions depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Original<'a> {
    /// What it is.
    pub mime_type: MimeType,
    /// Its pixels as they are stored.
    pub dimensions: Dimensions,
    /// How the camera was held.
    pub orientation: Option<ExifOrientation>,
    /// What it says of itself.
    pub file: &'a FileMetadata,
}

/// What is to be done about a derived image.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision<T> {
    /// The stored one is taken; its type and size are read.
    Reuse,
    /// It is made.
    Make(T),
}

/// How a thumbnail is made of the [viewable image](viewable): in the order of the fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Thumbnail {
    /// Degrees to turn it clockwise.
    pub turn: u32,
    /// Whether it is also mirrored as its orientation says; `turn` is 0 then.
    pub orient: bool,
    /// The pixels that it is resized to.
    pub dimensions: Dimensions,
    /// The colour model whose standard profile takes the place of the embedded one.
    pub assumed_profile: Option<String>,
    /// Red, green and blue of the background.
    pub background: (u8, u8, u8),
    /// The unsharp mask.
    pub sharpen: Unsharp,
    /// The quality of the JPEG, which is progressive and has nothing but a small sRGB profile.
    pub quality: u8,
}

/// An unsharp mask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unsharp {
    /// How far it reaches, in pixels.
    pub radius: f64,
    /// How soft its edge is, in pixels.
    pub sigma: f64,
    /// How strong it is.
    pub amount: f64,
}

/// What an optimised PNG is made into.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimised {
    /// The viewable image with its colours reduced to a palette.
    Palette {
        /// The lowest quality that will do, of 100.
        least: u8,
        /// The quality aimed at.
        quality: u8,
        /// How much effort is saved, 1 to 11.
        speed: u8,
    },
    /// The viewable image as it is.
    Viewable,
}

/// The image that browsers can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewable {
    /// The original itself.
    Original,
    /// Its first page in small sRGB of 8 bits, without metadata, as PNG.
    Transcoded,
}

/// Whether browsers can show the original.
pub fn viewable(mime_type: MimeType, settings: &Settings) -> Viewable {
    let is_listed = |listed: &String| MimeType::named(listed) == Some(mime_type);
    if settings.transcoded_types.iter().any(is_listed) { Viewable::Transcoded } else { Viewable::Original }
}

/// Decides about the thumbnail.
pub fn thumbnail(original: Original, is_stored: bool, settings: &Settings) -> Decision<Thumbnail> {
    if is_stored {
        return Decision::Reuse;
    }
    let (viewable, parity) = (viewable(original.mime_type, settings), settings.parity);
    let orient = parity == Parity::Fixed;
    let turn = original.orientation.map_or(0, ExifOrientation::turn);
    let upright = match original.orientation {
        Some(tag) if orient => tag.oriented(original.dimensions, parity),
        _ if turn % 180 == 90 => original.dimensions.swapped(),
        _ => original.dimensions,
    };
    let is_plain_tiff = original.mime_type == MimeType::Tiff && viewable == Viewable::Original;
    Decision::Make(Thumbnail {
        turn: if orient { 0 } else { turn },
        orient,
        dimensions: if is_plain_tiff && parity == Parity::Grid { as_wide(upright) } else { fitted(upright) },
        assumed_profile: assumed_profile(original.file, viewable),
        background: (0x33, 0x33, 0x33),
        sharpen: Unsharp { radius: 0.5, sigma: 0.5, amount: 0.8 },
        quality: 85,
    })
}

/// Decides about the optimised PNG; none where there is to be none.
///
/// The colour type is that of the viewable image, if that is a PNG.
pub fn optimised(
    mime_type: MimeType,
    colour_type: Option<&str>,
    is_stored: bool,
    settings: &Settings,
) -> Option<Decision<Optimised>> {
    let viewable = viewable(mime_type, settings);
    let is_png = mime_type == MimeType::Png || viewable == Viewable::Transcoded;
    let is_true_colour = matches!(colour_type, Some("True Color" | "True Color with Alpha"));
    match viewable {
        Viewable::Transcoded if !is_true_colour => Some(Decision::Make(Optimised::Viewable)),
        Viewable::Original if mime_type != MimeType::Tiff && !(is_png && is_true_colour) => None,
        _ if is_stored => Some(Decision::Reuse),
        _ => Some(Decision::Make(Optimised::Palette { least: 1, quality: 85, speed: 10 })),
    }
}

/// The size of an image that fills the box. The smaller side is rounded to nearest, at least 1.
pub fn fitted(Dimensions { width, height }: Dimensions) -> Dimensions {
    if width >= height {
        as_wide(Dimensions { width, height })
    } else {
        as_wide(Dimensions { width: height, height: width }).swapped()
    }
}

/// The size of an image that is as wide as the box.
fn as_wide(Dimensions { width, height }: Dimensions) -> Dimensions {
    let width = u64::from(width.max(1));
    let scaled = (u64::from(height) * u64::from(BOX) * 2 + width) / (width * 2);
    Dimensions { width: BOX, height: u32::try_from(scaled).unwrap_or(u32::MAX).max(1) }
}

/// The colour model of an image whose profile is for other colours than it has.
fn assumed_profile(file: &FileMetadata, viewable: Viewable) -> Option<String> {
    let model = file.colour_model.as_deref().filter(|_| viewable == Viewable::Original)?;
    let space = file.icc.get("Color space").map(|space| if space == "GRAY" { "Greyscale" } else { space });
    (space != Some(model) && STANDARD.contains(&model)).then(|| model.to_owned())
}
