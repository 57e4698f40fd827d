//! The description of a rendition, as plain data, and the size it will have. Pure: nothing here opens an image.
//!
//! `wit/types.wit` documents the fields.

use serde::{Deserialize, Serialize};

/// The largest side of a picture, in pixels: libvips' own limit.
pub const MAX_SIDE: u32 = 10_000_000;

/// A page of an image, changed in steps, in a format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rendition {
    /// The page it is made of.
    pub picture: Picture,
    /// The steps, in this order.
    pub steps: Vec<Step>,
    /// The format of the file.
    pub format: Format,
}

/// A page of an image in a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Picture {
    /// The recipe's name of the bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// The object must still have this etag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Which page, counted from 0.
    #[serde(default)]
    pub page: u32,
    /// Dots per inch at which vector pages are rendered to pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density: Option<f64>,
}

/// A change of an image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Turned and mirrored as its EXIF orientation says.
    Orient,
    /// Turned clockwise by 90, 180 or 270 degrees.
    Turn(u32),
    /// Shrunk to fit into a box, from all of its pixels; never enlarged.
    Reduce(Size),
    /// Scaled to fit into a box, as fast as its format allows.
    Thumbnail {
        /// The box.
        bounds: Size,
        /// Whether a smaller image is enlarged, too.
        enlarge: bool,
    },
    /// Converts its colours to another space.
    #[serde(rename_all = "kebab-case")]
    Colour {
        /// The new space.
        space: Space,
        /// Whether a standard profile is used instead of the one in the image.
        ignore_profile: bool,
    },
    /// Laid on a background: red, green, blue.
    Flatten([u8; 3]),
    /// Its edges sharpened.
    Sharpen {
        /// The radius, in pixels.
        sigma: f64,
        /// The strength.
        amount: f64,
    },
}

/// A size in pixels: of a picture, or of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// A colour space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Space {
    /// The colours of screens.
    Srgb,
    /// Shades of grey.
    Grey,
    /// Four inks.
    Cmyk,
}

/// The file format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// TIFF.
    Tiff(Tiff),
    /// JPEG.
    #[serde(rename_all = "kebab-case")]
    Jpeg {
        /// 1 to 100.
        quality: u8,
        /// Whether the file shows a coarse picture first.
        progressive: bool,
        /// What is kept.
        keep: Kept,
    },
    /// PNG.
    #[serde(rename_all = "kebab-case")]
    Png {
        /// The effort, 0 to 9.
        compression: u8,
        /// Reduces the colours to a palette of this quality, 1 to 100.
        palette: Option<u8>,
        /// What is kept.
        keep: Kept,
    },
}

/// What is kept of an image's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// Everything.
    All,
    /// The colour profile alone.
    Profile,
    /// Nothing.
    Nothing,
}

/// How TIFF is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Not at all.
    None,
    /// Deflate, with the horizontal predictor.
    Deflate,
    /// LZW, with the horizontal predictor.
    Lzw,
    /// JPEG.
    Jpeg,
    /// Zstandard, with the horizontal predictor.
    Zstd,
    /// WebP.
    Webp,
}

/// TIFF.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tiff {
    /// Whether smaller copies follow, each half as large as the one before.
    pub pyramid: bool,
    /// The side of a tile in pixels; 0 means strips.
    pub tile: u32,
    /// The compression.
    pub compression: Compression,
    /// 1 to 100.
    pub quality: u8,
    /// Whether the smaller copies are in sub-directories instead of pages.
    pub subifd: bool,
    /// Whether the file may become larger than 4 GiB.
    pub bigtiff: bool,
    /// Whether JPEG tiles are kept in RGB.
    pub rgb_jpeg: bool,
    /// Pixels per millimetre on both axes; without it, the resolution of the image.
    pub resolution: Option<f64>,
    /// What is kept.
    pub keep: Kept,
}

impl Size {
    /// Returns the number of pixels.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Returns the size with width and height exchanged.
    #[must_use]
    pub fn turned(self) -> Self {
        Self { width: self.height, height: self.width }
    }

    /// Returns the size that fits into a box and keeps the ratio: the side that is longer in relation to the box fits
    /// exactly, the other is rounded to nearest, at least 1.
    #[must_use]
    pub fn fitted(self, bounds: Self, enlarge: bool) -> Self {
        let Self { width, height } = bounds;
        if !enlarge && self.width <= width && self.height <= height {
            return self;
        }
        // height / bounds.height against width / bounds.width, in whole numbers.
        let is_tall = u64::from(self.height) * u64::from(width) >= u64::from(self.width) * u64::from(height);
        if is_tall {
            Self { width: scaled(self.width, height, self.height), height }
        } else {
            Self { width, height: scaled(self.height, width, self.width) }
        }
    }
}

/// `side × to / from`, rounded to nearest, at least 1.
fn scaled(side: u32, to: u32, from: u32) -> u32 {
    let (to, from) = (u64::from(to), u64::from(from.max(1)));
    let rounded = (2 * u64::from(side) * to + from) / (2 * from);
    u32::try_from(rounded).unwrap_or(u32::MAX).max(1)
}

impl Rendition {
    /// Returns the size of the rendition of a picture of this size and EXIF orientation.
    pub fn measure(&self, picture: Size, orientation: u8) -> Size {
        let mut orientation = orientation;
        self.steps.iter().fold(picture, |size, step| match step {
            Step::Orient => match std::mem::replace(&mut orientation, 1) {
                5..=8 => size.turned(),
                _ => size,
            },
            Step::Turn(90 | 270) => size.turned(),
            Step::Reduce(bounds) => size.fitted(*bounds, false),
            Step::Thumbnail { bounds, enlarge } => size.fitted(*bounds, *enlarge),
            Step::Turn(_) | Step::Colour { .. } | Step::Flatten(_) | Step::Sharpen { .. } => size,
        })
    }

    /// Returns why the rendition cannot be made of any image; none if it can.
    pub fn flaw(&self) -> Option<String> {
        let density = self.picture.density.filter(|density| !(1.0..=10_000.0).contains(density));
        density
            .map(|density| format!("asks for {density} dots an inch, not 1 to 10000"))
            .or_else(|| self.steps.iter().find_map(Step::flaw))
            .or_else(|| self.format.flaw())
    }
}

impl Step {
    fn flaw(&self) -> Option<String> {
        let side = |side: u32| (1..=MAX_SIDE).contains(&side);
        match *self {
            Self::Turn(degrees) if !matches!(degrees, 90 | 180 | 270) => {
                Some(format!("turns by {degrees} degrees, not 90, 180 or 270"))
            }
            Self::Reduce(bounds) | Self::Thumbnail { bounds, .. } if !(side(bounds.width) && side(bounds.height)) => {
                Some(format!("fits into {} × {} pixels, not 1 to {MAX_SIDE} each", bounds.width, bounds.height))
            }
            Self::Sharpen { sigma, amount } if !((0.01..=10.0).contains(&sigma) && (0.0..=100.0).contains(&amount)) => {
                Some(format!("sharpens by sigma {sigma} and amount {amount}, not 0.01 to 10 and 0 to 100"))
            }
            _ => None,
        }
    }
}

impl Format {
    fn flaw(&self) -> Option<String> {
        let quality =
            |quality: u8| (!(1..=100).contains(&quality)).then(|| format!("has a quality of {quality}, not 1 to 100"));
        match self {
            Self::Tiff(tiff) if tiff.tile % 16 != 0 || tiff.tile > 8192 => {
                Some(format!("has tiles of {} pixels, not a multiple of 16 up to 8192", tiff.tile))
            }
            Self::Tiff(Tiff { resolution: Some(dots), .. }) if !(0.001..=1_000_000.0).contains(dots) => {
                Some(format!("has {dots} pixels a millimetre, not 0.001 to 1000000"))
            }
            Self::Tiff(tiff) => quality(tiff.quality),
            Self::Jpeg { quality: asked, .. } => quality(*asked),
            Self::Png { compression: 10.., .. } => Some("has an effort of more than 9".to_owned()),
            Self::Png { palette, .. } => palette.and_then(quality),
        }
    }

    /// Returns the media type of the format.
    pub fn media_type(&self) -> &'static str {
        match self {
            Self::Tiff(_) => "image/tiff",
            Self::Jpeg { .. } => "image/jpeg",
            Self::Png { .. } => "image/png",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    #[test]
    fn the_sizes_of_the_specification_come_out_to_the_pixel() {
        let usual = |width, height| size(width, height).fitted(size(4000, 4000), false);
        assert_eq!(usual(8000, 6000), size(4000, 3000));
        assert_eq!(usual(6000, 8000), size(3000, 4000));
        assert_eq!(usual(4001, 4000), size(4000, 3999));
        assert_eq!(usual(4096, 300), size(4000, 293));
        assert_eq!(usual(4000, 4000), size(4000, 4000));
        let protected = |width, height| size(width, height).fitted(size(843, 560), false);
        assert_eq!(protected(8000, 6000), size(747, 560));
        assert_eq!(protected(900, 700), size(720, 560));
        assert_eq!(protected(700, 900), size(436, 560));
        assert_eq!(protected(800, 600), size(747, 560));
        assert_eq!(protected(843, 560), size(843, 560));
        assert_eq!(protected(560, 843), size(372, 560));
    }

    #[test]
    fn a_thumbnail_may_enlarge_and_a_reduction_does_not() {
        let bounds = size(256, 256);
        assert_eq!(size(64, 48).fitted(bounds, true), size(256, 192));
        assert_eq!(size(48, 64).fitted(bounds, true), size(192, 256));
        assert_eq!(size(333, 77).fitted(bounds, true), size(256, 59));
        assert_eq!(size(64, 48).fitted(bounds, false), size(64, 48));
        assert_eq!(size(1, 100_000).fitted(bounds, false), size(1, 256));
    }

    proptest! {
        #[test]
        fn what_fits_keeps_its_ratio_and_touches_the_box(
            (w, h) in (1u32..200_000, 1u32..200_000), (bw, bh) in (1u32..10_000, 1u32..10_000), enlarge in any::<bool>(),
        ) {
            let (own, bounds) = (size(w, h), size(bw, bh));
            let fitted = own.fitted(bounds, enlarge);
            prop_assert!(fitted.width >= 1 && fitted.height >= 1);
            if !enlarge && w <= bw && h <= bh {
                prop_assert_eq!(fitted, own);
            } else {
                prop_assert!(fitted.width <= bw && fitted.height <= bh);
                prop_assert!(fitted.width == bw || fitted.height == bh);
                let factor = (f64::from(h) / f64::from(bh)).max(f64::from(w) / f64::from(bw));
                prop_assert!((f64::from(w) / factor - f64::from(fitted.width)).abs() <= 0.5001 || fitted.width == 1);
                prop_assert!((f64::from(h) / factor - f64::from(fitted.height)).abs() <= 0.5001 || fitted.height == 1);
            }
        }

        #[test]
        fn turning_first_or_last_comes_to_the_same_size(w in 1u32..50_000, h in 1u32..50_000, orientation in 0u8..12) {
            let picture = Picture { bucket: "b".into(), key: "k".into(), etag: None, page: 0, density: None };
            let format = Format::Jpeg { quality: 85, progressive: true, keep: Kept::Nothing };
            let bounds = size(843, 560);
            let turns = (5..=8).contains(&orientation);
            let first = Rendition { picture: picture.clone(), steps: vec![Step::Orient, Step::Reduce(bounds)], format };
            let turned = if turns { bounds.turned() } else { bounds };
            let last = Rendition { picture, steps: vec![Step::Reduce(turned), Step::Orient], format };
            prop_assert_eq!(first.measure(size(w, h), orientation), last.measure(size(w, h), orientation));
        }
    }
}
