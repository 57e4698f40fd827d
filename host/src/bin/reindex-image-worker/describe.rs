//! The header of an image.

use std::{
    fs::{self, File},
    io::Write as _,
};

use bytesize::ByteSize;
use reindex::{
    backend::vips::message::{Failed, IMAGE, Limits, MADE, Page, Purpose},
    capability::image::Header,
    record::Size,
};

use super::{
    open::{Opened, open},
    pixels::Pixels,
};

/// Describes a page. If a plugin needs the header, its colour profile is written to a file of its own, since the answer
/// has no room for it.
pub(super) fn describe(page: Page, purpose: Purpose, limits: &Limits) -> Result<Header, Failed> {
    let opened = open(page, limits)?;
    let Size { width, height } = opened.size();
    let pixels = Pixels::of(&opened);
    let alpha = pixels.as_ref().is_ok_and(|pixels| pixels.alpha);
    match purpose {
        Purpose::Look => write_profile(&opened.image.profile().unwrap_or_default(), limits.max_profile)?,
        Purpose::Render => pixels.map(|_| ())?,
    }
    let Opened { image, format, pages, .. } = opened;
    Ok(Header {
        format,
        size: fs::metadata(IMAGE)?.len(),
        width,
        height,
        pages,
        bands: if image.coding() == "none" { image.bands() } else { 3 },
        bits: bits(&image.numbers()),
        colour: image.interpretation(),
        alpha,
        orientation: image.orientation(),
        profile: None,
    })
}

fn write_profile(profile: &[u8], max_bytes: u64) -> Result<(), Failed> {
    let (size, limit) = (ByteSize(profile.len() as u64), ByteSize(max_bytes));
    if size > limit {
        let why = format!("its colour profile has {size}; raise `max-profile` under `[image]`, which is {limit}");
        return Err(Failed::Refused(why));
    }
    Ok(File::create(MADE)?.write_all(profile)?)
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
