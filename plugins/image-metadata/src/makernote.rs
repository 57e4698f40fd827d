//! Which notes of a camera's maker are understood.
//!
//! They have tags of their own, which are not read here. But a note that the reference understands is a directory, and
//! does not appear among the tags of the directory it stands in.

/// Names that a note begins with, as they are written.
const NAMES: [&[u8]; 15] = [
    b"OLYMP\0",
    b"EPSON",
    b"AGFA",
    b"OLYMPUS\0II",
    b"SONY CAM",
    b"SONY DSC",
    b"SEMC MS\0\0\0\0\0",
    b"SIGMA\0\0\0",
    b"FOVEON\0\0",
    b"KDK",
    b"KYOCERA",
    b"Panasonic\0\0\0",
    b"AOC\0",
    b"SANYO\0\x01\0",
    b"Apple iOS\0",
];
/// Makers all of whose notes are understood, by the beginning of their name in upper case.
const MAKERS: [&str; 5] = ["MINOLTA", "CASIO", "PENTAX", "ASAHI", "NIKON"];
/// Makers with this name, in any case.
const WHOLE_MAKERS: [&str; 3] = ["CANON", "FUJIFILM", "SAMSUNG"];
const RECONYX: [&[u8]; 2] = [b"RECONYXUF", b"RECONYXH2"];
const RECONYX_MARK: u16 = 0xF101;

/// Whether a note is understood. `note` is what begins with it; `make` is the camera's maker.
pub(crate) fn is_known(note: &[u8], is_big_endian: bool, make: Option<&str>) -> bool {
    let make = make.unwrap_or_default();
    let upper = make.to_uppercase();
    if NAMES.iter().any(|name| note.starts_with(name)) || note.starts_with(b"FUJIFILM") {
        return true;
    }
    if MAKERS.iter().any(|maker| upper.starts_with(maker)) || crate::text::trimmed(&upper).starts_with("NIKON") {
        return true;
    }
    if WHOLE_MAKERS.contains(&upper.as_str()) || make.starts_with("SONY") && !note.starts_with(&[1, 0]) {
        return true;
    }
    if note.starts_with(b"LEICA") {
        let number = note.get(5..8).is_some_and(|bytes| matches!(bytes, [0, 1 | 4..=7, 0]));
        return number || matches!(make, "Leica Camera AG" | "LEICA");
    }
    if upper.starts_with("RICOH") {
        return !(note.starts_with(b"Rv") || note.starts_with(b"Rev"));
    }
    let mark = note
        .first_chunk()
        .map(|bytes| if is_big_endian { u16::from_be_bytes(*bytes) } else { u16::from_le_bytes(*bytes) });
    let begins = |name: &&[u8]| note.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
    mark == Some(RECONYX_MARK) || RECONYX.iter().any(begins)
}
