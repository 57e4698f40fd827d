//! The text of each EXIF tag that has a rule of its own.

use super::{
    Value, cfa,
    rational::Rational,
    tables::{CHANNELS, LISTS, PHOTOMETRIC, SAMPLES, TABLES, named},
    value,
};
use crate::{
    ifd::Directory,
    number::{Half, decimal},
    text::{trimmed, utf8, utf16},
};

const RESOLUTION_UNIT: u16 = 0x0128;
const FOCAL_PLANE_UNIT: u16 = 0xA210;
const REPEAT_PATTERN: u16 = 0x828D;
/// What a number that is not known has for its numerator or denominator.
const UNKNOWN: i64 = 0xFFFF_FFFF;

/// The text of a tag; none if its value is of a kind that cannot be what the tag means.
pub(super) fn text(directory: &Directory, tag: u16) -> Option<String> {
    let value = value(directory, tag)?;
    if let Some((_, first, texts)) = LISTS.iter().find(|row| row.0 == tag) {
        return listed(&value, *first, texts);
    }
    if let Some((_, table)) = TABLES.iter().find(|row| row.0 == tag) {
        return Some(named(table, value.integer()?));
    }
    let text = match tag {
        0x0001 => interoperability(&value.whole_text()),
        0x0002 | 0x9000 | 0xA000 => version(&value.integers()?),
        0x0100 | 0x0101 => value.whole_text() + " pixels",
        0xA002 | 0xA003 => format!("{} pixels", value.integer()?),
        0x0102 => value.whole_text() + " bits/component/pixel",
        0x0106 => photometric(value.integer()?),
        0x0115 => value.whole_text() + " samples/pixel",
        0x0116 => value.whole_text() + " rows/strip",
        0x0117 => value.whole_text() + " bytes",
        0x011A | 0x011B => {
            let unit = text(directory, RESOLUTION_UNIT).unwrap_or("unit".to_owned());
            format!("{} dots per {}", value.rational()?.text(), unit.to_lowercase())
        }
        0x0153 => value.integers()?.into_iter().map(|number| named(SAMPLES, number)).collect::<Vec<_>>().join(", "),
        0x0212 => subsampling(&value.integers()?)?.to_owned(),
        0x0214 => black_and_white(&value)?,
        0x828E => filter_array(directory, &value)?,
        0x829A => value.whole_text() + " sec",
        0x829D => f_number(value.rational()?.value()),
        0x8827 => value.integer()?.to_string(),
        0x9101 => channels(&value.integers()?),
        0x9102 => bits_per_pixel(value.rational()?),
        0x9201 => shutter_speed(value.real()? as f32),
        0x9202 | 0x9205 => f_number(2_f64.sqrt().powf(value.real()?)),
        0x9203 => measured(value.rational()?, |fraction| fraction.numerator == UNKNOWN, (1, 3), ""),
        0x9204 => value.rational()?.text() + " EV",
        0x9206 => distance(value.rational()?),
        0x9209 => flash(value.integer()?),
        0x920A => focal_length(value.rational()?.value()),
        0xA405 => match value.integer()? {
            0 => "Unknown".to_owned(),
            length => focal_length(length.into()),
        },
        0x9286 => comment(&value.bytes()?),
        0x9400 => measured(value.rational()?, is_unknown, (1, 1), " °C"),
        0x9401 => measured(value.rational()?, is_unknown, (1, 1), " %"),
        0x9402 => measured(value.rational()?, is_unknown, (1, 1), " hPa"),
        0x9403 => measured(value.rational()?, is_unknown, (1, 3), " metres"),
        0x9404 => measured(value.rational()?, is_unknown, (1, 3), " mGal"),
        0x9405 => measured(value.rational()?, is_unknown, (0, 2), " degrees"),
        0x9C9B..=0x9C9F => trimmed(&utf16(&value.bytes()?, u16::from_le_bytes)).to_owned(),
        0xA20E | 0xA20F => {
            let unit = text(directory, FOCAL_PLANE_UNIT).map(|unit| format!(" {}", unit.to_lowercase()));
            value.rational()?.reciprocal().text() + &unit.unwrap_or_default()
        }
        0xA302 => cfa::text(&cfa::read(&value.bytes()?))?,
        0xA404 => match value.rational()? {
            Rational { numerator: 0, .. } => "Digital zoom not used".to_owned(),
            ratio => decimal(ratio.value(), 0, 1, Half::Even),
        },
        0xA432 => lens(value.rationals()?)?,
        _ => value.text(),
    };
    Some(text)
}

fn listed(value: &Value, first: i64, texts: &[&str]) -> Option<String> {
    let number = value.long()?;
    let text = number.checked_sub(first).and_then(|place| texts.get(usize::try_from(place).ok()?));
    let text = text.filter(|text| !text.is_empty());
    Some(text.map_or_else(|| format!("Unknown ({number})"), |text| (*text).to_owned()))
}

fn interoperability(text: &str) -> String {
    if trimmed(text).eq_ignore_ascii_case("R98") {
        "Recommended Exif Interoperability Rules (ExifR98)".to_owned()
    } else {
        format!("Unknown ({text})")
    }
}

/// The first four numbers as digits, with a point after the second and without a leading zero.
fn version(numbers: &[i32]) -> String {
    let mut units = Vec::new();
    for (place, number) in numbers.iter().take(4).enumerate() {
        if place == 2 {
            units.push(u16::from(b'.'));
        }
        let unit = *number as u16;
        let digit = if unit < u16::from(b'0') { unit + u16::from(b'0') } else { unit };
        if place > 0 || digit != u16::from(b'0') {
            units.push(digit);
        }
    }
    String::from_utf16_lossy(&units)
}

fn photometric(number: i32) -> String {
    let row = PHOTOMETRIC.iter().find(|row| row.0 == number);
    row.map_or("Unknown colour space", |row| row.1).to_owned()
}

fn subsampling(numbers: &[i32]) -> Option<&'static str> {
    match numbers {
        [2, 1, ..] => Some("YCbCr4:2:2"),
        [2, 2, ..] => Some("YCbCr4:2:0"),
        [_, _, ..] => Some("(Unknown)"),
        _ => None,
    }
}

fn black_and_white(value: &Value) -> Option<String> {
    let numbers = match value {
        Value::Longs(numbers) => numbers.iter().map(|number| *number as i32).collect(),
        _ => value.integers()?,
    };
    let [r0, r1, g0, g1, b0, b1] = *numbers.first_chunk()?;
    Some(format!("[{r0},{g0},{b0}] [{r1},{g1},{b1}]"))
}

fn filter_array(directory: &Directory, value: &Value) -> Option<String> {
    let colours = value.bytes()?;
    let Some(sizes) = super::value(directory, REPEAT_PATTERN).and_then(|sizes| sizes.integers()) else {
        return Some(format!("Repeat Pattern not found for CFAPattern ({})", value.text()));
    };
    match sizes[..] {
        [across, down] if across.checked_mul(down) == Some(colours.len() as i32) => {
            cfa::text(&[across, down].into_iter().chain(colours.into_iter().map(i32::from)).collect::<Vec<_>>())
        }
        _ => Some(format!("Unknown Pattern ({})", value.text())),
    }
}

fn channels(numbers: &[i32]) -> String {
    let name = |number: &i32| CHANNELS.get(usize::try_from(*number).ok()?.checked_sub(1)?).copied();
    numbers.iter().take(4).filter_map(name).collect()
}

fn bits_per_pixel(ratio: Rational) -> String {
    let is_one = ratio.is_integer() && ratio.value() as i32 == 1;
    ratio.text() + if is_one { " bit/pixel" } else { " bits/pixel" }
}

/// Seconds of an APEX value, in single precision.
fn shutter_speed(apex: f32) -> String {
    let power = |apex: f32| (f64::from(apex) * 2_f64.ln()).exp();
    if apex <= 1.0 {
        let tenths = (f64::from((1.0 / power(apex)) as f32) * 10.0 + 0.5).floor() as i64;
        format!("{} sec", decimal(f64::from(tenths as f32 / 10.0), 0, 2, Half::Up))
    } else {
        format!("1/{} sec", power(apex) as i32)
    }
}

fn f_number(stop: f64) -> String {
    format!("f/{}", decimal(stop, 1, 1, Half::Up))
}

fn focal_length(millimetres: f64) -> String {
    format!("{} mm", decimal(millimetres, 0, 1, Half::Up))
}

fn is_unknown(fraction: Rational) -> bool {
    fraction.denominator == UNKNOWN
}

/// A number with at least and at most so many decimals, and its unit.
fn measured(fraction: Rational, is_unknown: fn(Rational) -> bool, (least, most): (usize, usize), unit: &str) -> String {
    if is_unknown(fraction) {
        return "Unknown".to_owned();
    }
    decimal(fraction.value(), least, most, Half::Even) + unit
}

fn distance(fraction: Rational) -> String {
    match fraction.numerator {
        UNKNOWN => "Infinity".to_owned(),
        0 => "Unknown".to_owned(),
        _ => decimal(fraction.value(), 1, 3, Half::Even) + " metres",
    }
}

fn flash(bits: i32) -> String {
    let mut text = if bits & 1 != 0 { "Flash fired" } else { "Flash did not fire" }.to_owned();
    if bits & 4 != 0 {
        text += if bits & 2 != 0 { ", return detected" } else { ", return not detected" };
    }
    if bits & 0x10 != 0 && bits & 0x0F != 0 {
        text += ", auto";
    }
    if bits & 0x40 != 0 {
        text += ", red-eye reduction";
    }
    text
}

/// A comment after the name of its encoding, which takes up to ten bytes with blanks and NULs.
fn comment(bytes: &[u8]) -> String {
    const NAME: usize = 10;
    const NAMES: [&[u8]; 3] = [b"ASCII", b"UNICODE", b"JIS"];
    let encoding = NAMES.into_iter().find(|name| bytes.len() >= NAME && bytes.starts_with(name));
    let Some(encoding) = encoding else { return trimmed(&utf8(bytes)).to_owned() };
    let begin = (encoding.len()..NAME).find(|place| !matches!(bytes[*place], 0 | b' ')).unwrap_or(NAME);
    let rest = &bytes[begin..];
    let text = match encoding {
        b"UNICODE" => utf16(rest, u16::from_le_bytes),
        b"JIS" => encoding_rs::SHIFT_JIS.decode_without_bom_handling(rest).0.into_owned(),
        _ => utf8(rest),
    };
    trimmed(&text).to_owned()
}

/// Shortest and longest focal length, and the widest apertures there.
fn lens(numbers: &[Rational]) -> Option<String> {
    let [short, long, wide, narrow] = numbers else { return None };
    if short.is_zero() && wide.is_zero() {
        return None;
    }
    let lengths =
        if short.value() == long.value() { short.text() } else { format!("{}-{}", short.text(), long.text()) };
    let aperture = match (wide, narrow) {
        (wide, _) if wide.is_zero() => String::new(),
        (wide, narrow) if wide.value() == narrow.value() => format!(" {}", f_number(wide.value())),
        _ => format!(" {}-{}", f_number(wide.value()), decimal(narrow.value(), 1, 1, Half::Up)),
    };
    Some(format!("{lengths}mm{aperture}"))
}
