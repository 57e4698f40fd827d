//! Which segments of a JPEG carry metadata.
//!
//! Readers go over all segments one after another (EXIF, XMP, ICC, Photoshop, IPTC), which decides what is found first.

use crate::{
    block::{Block, named},
    found::Found,
    ifd, photoshop, xmp,
};

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// What some agencies write instead; the packet begins at the same place.
const XMP_OF_AGENCIES: &[u8] = b"XMP";
const ICC: &[u8] = b"ICC_PROFILE";
/// Before a piece of a profile: the name with its NUL, the number of the piece, and how many there are.
const BEFORE_PIECE: usize = 14;
const PHOTOSHOP: &[u8] = b"Photoshop 3.0";
const IPTC_MARK: u8 = 0x1C;

pub(crate) fn read(blocks: &[Block], found: &mut Found) {
    for tiff in named(blocks, "jpeg:APP1").filter_map(|data| data.strip_prefix(EXIF)) {
        found.nested(tiff, ifd::read);
    }
    read_xmp(blocks, found);
    read_icc(blocks, found);
    let photoshop = named(blocks, "jpeg:APP13").filter(|data| data.starts_with(PHOTOSHOP));
    for resources in photoshop.filter_map(|data| data.get(PHOTOSHOP.len() + 1..)) {
        found.nested(resources, photoshop::read);
    }
    for stream in named(blocks, "jpeg:APP13").filter(|data| data.first() == Some(&IPTC_MARK)) {
        found.read_iptc(stream);
    }
}

fn read_xmp(blocks: &[Block], found: &mut Found) {
    let mut extension = None;
    for data in named(blocks, "jpeg:APP1").filter(|data| data.len() >= XMP.len()) {
        if begins_with(data, XMP) || begins_with(data, XMP_OF_AGENCIES) {
            found.read_xmp(&data[XMP.len()..]);
            let named = found.xmp.iter().find_map(xmp::extension);
            extension = named.map(|guid| (guid.to_owned(), extension.map(|(_, parts)| parts).unwrap_or_default()));
        } else if let Some((guid, parts)) = &mut extension {
            xmp::Extension::add(parts, guid, data);
        }
    }
    if let Some(packet) = extension.and_then(|(_, parts): (String, xmp::Extension)| parts.joined()) {
        found.read_xmp(&packet);
    }
}

/// Joins the pieces in the order of the file; their numbers are not looked at.
fn read_icc(blocks: &[Block], found: &mut Found) {
    let pieces: Vec<_> = named(blocks, "jpeg:APP2").filter(|data| begins_with(data, ICC)).collect();
    if !pieces.is_empty() {
        let profile: Vec<_> = pieces.iter().filter_map(|piece| piece.get(BEFORE_PIECE..)).collect();
        found.read_icc(&profile.concat());
    }
}

fn begins_with(data: &[u8], preamble: &[u8]) -> bool {
    data.get(..preamble.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(preamble))
}
