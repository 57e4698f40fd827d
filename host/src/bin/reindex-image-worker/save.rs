//! Writes a picture to a file.

use std::ffi::CStr;

use reindex::{
    backend::vips::message::{Failed, MADE},
    record::{Compression, Format, Kept, Size, Space, Tiff},
};

use super::{
    operation::{Image, Operation, PROFILE},
    steps::{coloured, flattened},
    verify::{Form, verify},
};

/// The metadata that describes the pixels themselves.
const INTRINSIC: [&CStr; 11] = [
    c"width",
    c"height",
    c"bands",
    c"format",
    c"coding",
    c"interpretation",
    c"xoffset",
    c"yoffset",
    c"xres",
    c"yres",
    c"filename",
];

/// The background of transparent pixels, if a format has no transparency and no step set one.
const BLACK: [u8; 3] = [0; 3];

/// Computes the pixels, and writes them.
pub(super) fn save(image: Image, format: &Format) -> Result<(), Failed> {
    let operation = match format {
        Format::Tiff(tiff) => return save_tiff(image, tiff),
        Format::Jpeg { quality, progressive, keep } => {
            let image = flattened(&eight_bits(image)?, BLACK)?;
            keeping(&image, *keep, "jpegsave")?.set("Q", quality)?.set("interlace", progressive)?
        }
        Format::Png { compression, palette, keep } => {
            let inks = matches!(image.interpretation().as_str(), "cmyk" | "lab");
            let image = if inks { coloured(&image, Space::Srgb, false)? } else { image };
            let operation = keeping(&image, *keep, "pngsave")?.set("compression", compression)?;
            match palette {
                Some(quality) => operation.set("palette", &true)?.set("Q", quality)?,
                None => operation,
            }
        }
    };
    operation.set("filename", MADE)?.run().map(drop)
}

fn save_tiff(image: Image, tiff: &Tiff) -> Result<(), Failed> {
    let image = match tiff.compression {
        Compression::Jpeg => flattened(&eight_bits(image)?, BLACK)?,
        Compression::Webp => coloured(&eight_bits(image)?, Space::Srgb, false)?,
        _ if image.interpretation() == "lab" => image.operation("Lab2LabQ")?.image()?,
        _ => image,
    };
    let (size, form) = (Size { width: image.width(), height: image.height() }, Form::of(&image));
    tiffsave(&image.watched()?, tiff)?.set("filename", MADE)?.run().map(drop)?;
    verify(tiff, size, &form)
}

fn tiffsave(image: &Image, tiff: &Tiff) -> Result<Operation, Failed> {
    let mut operation = keeping(image, tiff.keep, "tiffsave")?
        .set("compression", word(tiff.compression))?
        .set("pyramid", &tiff.pyramid)?
        .set("subifd", &tiff.subifd)?
        .set("bigtiff", &tiff.bigtiff)?
        .set("Q", &tiff.quality)?
        .set("resunit", "inch")?;
    if tiff.rgb_jpeg {
        operation = operation.set("rgbjpeg", &true)?;
    }
    if matches!(tiff.compression, Compression::Deflate | Compression::Lzw | Compression::Zstd) {
        operation = operation.set("predictor", "horizontal")?;
    }
    if tiff.tile > 0 {
        operation = operation.set("tile", &true)?.set("tile-width", &tiff.tile)?.set("tile-height", &tiff.tile)?;
    }
    match tiff.resolution {
        Some(dots) => operation.set("xres", &dots)?.set("yres", &dots),
        None => Ok(operation),
    }
}

fn word(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "none",
        Compression::Deflate => "deflate",
        Compression::Lzw => "lzw",
        Compression::Jpeg => "jpeg",
        Compression::Zstd => "zstd",
        Compression::Webp => "webp",
    }
}

/// Converts to 8 bits, as the formats for photographs have.
fn eight_bits(image: Image) -> Result<Image, Failed> {
    match (image.numbers().as_str(), image.interpretation().as_str()) {
        ("uchar", "srgb" | "b-w" | "cmyk" | "rgb") => Ok(image),
        (_, "lab") => coloured(&image, Space::Srgb, false),
        ("ushort", "cmyk") => image.operation("cast")?.set("format", "uchar")?.set("shift", &true)?.image(),
        (_, "b-w" | "grey16") => image.operation("colourspace")?.set("space", "b-w")?.image(),
        _ => image.operation("colourspace")?.set("space", "srgb")?.image(),
    }
}

/// Makes a save operation that keeps the chosen metadata.
fn keeping(image: &Image, keep: Kept, operation: &str) -> Result<Operation, Failed> {
    match keep {
        Kept::All => image.operation(operation),
        // Older releases of libvips keep all or nothing: the metadata to drop is removed before.
        Kept::Profile => image.without(|name| name != PROFILE && !INTRINSIC.contains(&name))?.operation(operation),
        Kept::Nothing => image.operation(operation)?.set("strip", &true),
    }
}
