//! What an image says of itself.

use std::{
    fs::{self, File},
    io::Write as _,
};

use super::{
    super::message::{Failed, IMAGE, Limits, MADE, Page},
    open::{Opened, open},
};
use crate::{capability::image::Header, record::Size};

/// Describes a page; its colour profile is written down beside the answer, which has no room for it.
pub(super) fn describe(page: Page, limits: &Limits) -> Result<Header, Failed> {
    let opened = open(page, limits)?;
    let Size { width, height } = opened.size();
    File::create(MADE)?.write_all(&opened.image.profile().unwrap_or_default())?;
    let Opened { image, format, pages, .. } = opened;
    Ok(Header {
        format,
        size: fs::metadata(IMAGE)?.len(),
        width,
        height,
        pages,
        bands: image.bands(),
        bits: bits(&image.numbers()),
        colour: image.interpretation(),
        alpha: image.has_alpha(),
        orientation: image.orientation(),
        profile: None,
    })
}

/// How many bits a number of libvips' has.
pub(super) fn bits(numbers: &str) -> u32 {
    match numbers {
        "uchar" | "char" => 8,
        "ushort" | "short" => 16,
        "double" | "complex" => 64,
        "dpcomplex" => 128,
        _ => 32,
    }
}
