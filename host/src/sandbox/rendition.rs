//! Converts a plugin's renditions to the host's type.

use super::guest::types;
use crate::record::{Compression, Format, Kept, Picture, Rendition, Size, Space, Step, Tiff};

/// Converts a rendition.
pub fn converted(rendition: types::Rendition) -> Rendition {
    let types::Rendition { picture: types::Picture { bucket, key, etag, page, density }, steps, format } = rendition;
    Rendition {
        picture: Picture { bucket, key, etag, page, density },
        steps: steps.into_iter().map(step).collect(),
        format: self::format(format),
    }
}

fn step(step: types::Step) -> Step {
    match step {
        types::Step::Orient => Step::Orient,
        types::Step::Turn(degrees) => Step::Turn(degrees),
        types::Step::Reduce(bounds) => Step::Reduce(size(bounds)),
        types::Step::Thumbnail(types::Thumbnail { bounds, enlarge }) => {
            Step::Thumbnail { bounds: size(bounds), enlarge }
        }
        types::Step::Colour(types::Colour { space, ignore_profile }) => {
            let space = match space {
                types::Space::Srgb => Space::Srgb,
                types::Space::Grey => Space::Grey,
                types::Space::Cmyk => Space::Cmyk,
            };
            Step::Colour { space, ignore_profile }
        }
        types::Step::Flatten((red, green, blue)) => Step::Flatten([red, green, blue]),
        types::Step::Sharpen(types::Sharpen { sigma, amount }) => Step::Sharpen { sigma, amount },
    }
}

fn size(bounds: types::Bounds) -> Size {
    Size { width: bounds.width, height: bounds.height }
}

fn format(format: types::Format) -> Format {
    match format {
        types::Format::Tiff(tiff) => Format::Tiff(Tiff {
            pyramid: tiff.pyramid,
            tile: tiff.tile,
            compression: compression(tiff.compression),
            quality: tiff.quality,
            subifd: tiff.subifd,
            bigtiff: tiff.bigtiff,
            rgb_jpeg: tiff.rgb_jpeg,
            resolution: tiff.resolution,
            keep: kept(tiff.keep),
        }),
        types::Format::Jpeg(types::Jpeg { quality, progressive, keep }) => {
            Format::Jpeg { quality, progressive, keep: kept(keep) }
        }
        types::Format::Png(types::Png { compression, palette, keep }) => {
            Format::Png { compression, palette, keep: kept(keep) }
        }
    }
}

fn compression(compression: types::Compression) -> Compression {
    match compression {
        types::Compression::None => Compression::None,
        types::Compression::Deflate => Compression::Deflate,
        types::Compression::Lzw => Compression::Lzw,
        types::Compression::Jpeg => Compression::Jpeg,
        types::Compression::Zstd => Compression::Zstd,
        types::Compression::Webp => Compression::Webp,
    }
}

fn kept(kept: types::Kept) -> Kept {
    match kept {
        types::Kept::All => Kept::All,
        types::Kept::Profile => Kept::Profile,
        types::Kept::Nothing => Kept::Nothing,
    }
}
