//! The texts of ICC header fields and tags.

use crate::{
    number::{Half, decimal, plain},
    redaction::is_too_long,
    text::{ascii, utf8, utf16},
};

/// What a profile is for.
pub(super) const CLASSES: [(&str, &str); 7] = [
    ("scnr", "Input Device"),
    ("mntr", "Display Device"),
    ("prtr", "Output Device"),
    ("link", "DeviceLink"),
    ("spac", "ColorSpace Conversion"),
    ("abst", "Abstract"),
    ("nmcl", "Named Color"),
];
/// What a profile was made for first.
pub(super) const PLATFORMS: [(&str, &str); 5] = [
    ("APPL", "Apple Computer, Inc."),
    ("MSFT", "Microsoft Corporation"),
    ("SGI ", "Silicon Graphics, Inc."),
    ("SUNW", "Sun Microsystems, Inc."),
    ("TGNT", "Taligent, Inc."),
];
const INTENTS: [&str; 4] = ["Perceptual", "Media-Relative Colorimetric", "Saturation", "ICC-Absolute Colorimetric"];
const OBSERVERS: [&str; 3] = ["Unknown", "1931 2°", "1964 10°"];
const GEOMETRIES: [&str; 3] = ["Unknown", "0/45 or 45/0", "0/d or d/0"];
const ILLUMINANTS: [&str; 9] = ["unknown", "D50", "D65", "D93", "F2", "D55", "A", "Equi-Power (E)", "F8"];

/// Where the data of most types begins, after the type and four bytes without meaning.
const DATA: usize = 8;

/// Names a code of four characters.
pub(super) fn named(names: &[(&str, &str)], code: &str) -> String {
    let name = names.iter().find(|(known, _)| *known == code).map(|(_, name)| (*name).to_owned());
    name.unwrap_or_else(|| format!("Unknown ({code})"))
}

/// Names what a profile is to preserve.
pub(super) fn intent(number: u32) -> String {
    let name = INTENTS.get(number as usize).map(|name| (*name).to_owned());
    name.unwrap_or_else(|| format!("Unknown ({})", number as i32))
}

/// A number of 16 bits before and 16 after the point; the reference knows no negative ones.
pub(super) fn fixed(bytes: [u8; 4]) -> f64 {
    f64::from((f64::from(u32::from_be_bytes(bytes)) / 65_536.0) as f32)
}

/// The text of a tag's data; none if it is cut off.
pub(super) fn text(tag: u32, data: &[u8]) -> Option<String> {
    /// Smaller ones are no signatures, but the numbers of header fields.
    const SIGNATURES: u32 = 0x2020_2020;
    const LONG: usize = 16;
    if tag <= SIGNATURES {
        let numbers = data.iter().take(LONG).map(u8::to_string).collect::<Vec<_>>();
        return Some(if data.len() > LONG { format!("[{} values]", data.len()) } else { numbers.join(" ") });
    }
    let kind: &[u8; 4] = data.first_chunk()?;
    match kind {
        b"text" => Some(ascii(data.get(DATA..data.len().checked_sub(1)?)?)),
        b"desc" => Some(utf8(data.get(12..)?.get(..length(data, 8)?.checked_sub(1)?)?)),
        b"sig " => Some(utf8(data.get(8..12)?)),
        b"meas" => measurement(data),
        b"XYZ " => Some(colours(data)),
        b"mluc" => languages(data),
        b"curv" => curve(data),
        _ => Some(format!("{} (0x{:08X}): {} bytes", utf8(kind), u32::from_be_bytes(*kind), data.len())),
    }
}

fn long(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*data.get(at..)?.first_chunk()?))
}

/// A length or a place, which cannot be negative.
fn length(data: &[u8], at: usize) -> Option<usize> {
    i32::try_from(long(data, at)?).ok().map(|length| length as usize)
}

fn measurement(data: &[u8]) -> Option<String> {
    let number = |at| Some(fixed(*data.get(at..)?.first_chunk()?));
    let (observer, geometry, illuminant) = (long(data, 8)?, long(data, 24)?, long(data, 32)?);
    // An unknown geometry is written with the number of the observer.
    let name = |names: &[&str], place: u32, number: u32| {
        let name = names.get(place as usize).map(|name| (*name).to_owned());
        name.unwrap_or_else(|| format!("Unknown {}", number as i32))
    };
    Some(format!(
        "{} Observer, Backing ({}, {}, {}), Geometry {}, Flare {}%, Illuminant {}",
        name(&OBSERVERS, observer, observer),
        plain(number(12)?),
        plain(number(16)?),
        plain(number(20)?),
        name(&GEOMETRIES, geometry, observer),
        (f64::from(number(28)? as f32 * 100.0) + 0.5).floor() as i32,
        name(&ILLUMINANTS, illuminant, illuminant),
    ))
}

fn colours(data: &[u8]) -> String {
    let mut text = String::new();
    for colour in data.get(DATA..).unwrap_or_default().chunks_exact(12) {
        let number = |bytes: &[u8; 4]| decimal(fixed(*bytes), 0, 4, Half::Even);
        let numbers: Vec<_> = colour.as_chunks().0.iter().map(number).collect();
        let separator = if text.is_empty() { "" } else { ", " };
        text += &format!("{separator}({})", numbers.join(", "));
        if is_too_long(&text) {
            break;
        }
    }
    text
}

/// Texts in several languages, after their number.
fn languages(data: &[u8]) -> Option<String> {
    const ENTRIES: usize = 16;
    let count = long(data, DATA)? as i32;
    let mut text = count.to_string();
    for entry in (ENTRIES..).step_by(12).take(usize::try_from(count).unwrap_or(0)) {
        let language = utf8(data.get(entry..entry + 4)?);
        let (length, begin) = (length(data, entry + 4)?, length(data, entry + 8)?);
        let name = utf16(data.get(begin..)?.get(..length)?, u16::from_be_bytes);
        text += &format!(" {language}({name})");
        if is_too_long(&text) {
            break;
        }
    }
    Some(text)
}

/// The values of a curve, from 0 to 1; also one that is meant as a gamma.
fn curve(data: &[u8]) -> Option<String> {
    const VALUES: usize = 12;
    let count = usize::try_from(long(data, DATA)? as i32).unwrap_or(0);
    // A curve that is cut off has no text at all.
    let values = data.get(VALUES..)?.get(..count.checked_mul(2)?)?;
    let mut text = String::new();
    for value in values.as_chunks().0 {
        let separator = if text.is_empty() { "" } else { ", " };
        text += &format!("{separator}{}", decimal(f64::from(u16::from_be_bytes(*value)) / 65_535.0, 1, 7, Half::Up));
        if is_too_long(&text) {
            break;
        }
    }
    Some(text)
}
