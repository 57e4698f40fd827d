//! Which chunks of a PNG carry metadata.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::{
    block::{Block, named},
    found::Found,
    ifd,
};

const XMP_KEYWORD: &[u8] = b"XML:com.adobe.xmp\0";
/// A keyword and its NUL take this much at most.
const KEYWORD: usize = 80;
/// What a compressed chunk may hold.
const INFLATED: usize = 32 * 1024 * 1024;

pub(crate) fn read(blocks: &[Block], found: &mut Found) {
    for block in blocks {
        match block.name {
            "png:eXIf" => found.nested(block.data, ifd::read),
            "png:iCCP" => read_profile(block.data, found),
            "png:iTXt" | "png:zTXt" => {
                let text = block.data.strip_prefix(XMP_KEYWORD);
                let packet =
                    text.and_then(|text| if block.name == "png:iTXt" { international(text) } else { compressed(text) });
                if let Some(packet) = packet {
                    found.read_xmp(&packet);
                }
            }
            _ => {}
        }
    }
}

/// Bit depth and colour type of the header.
pub(crate) fn header(blocks: &[Block]) -> Option<(u8, u8)> {
    let header = named(blocks, "png:IHDR").next()?;
    Some((*header.get(8)?, *header.get(9)?))
}

fn read_profile(data: &[u8], found: &mut Found) {
    let name = data.iter().take(KEYWORD).position(|byte| *byte == 0);
    let after = name.and_then(|length| data.get(length + 1..)).unwrap_or_default();
    // The profile is used as far as it can be inflated.
    if let Some((0, profile)) = after.split_first() {
        found.read_icc(&inflate(profile).0);
    }
}

/// The text of `zTXt` after its keyword.
fn compressed(data: &[u8]) -> Option<Vec<u8>> {
    let (method, text) = data.split_first()?;
    let (text, is_whole) = inflate(text);
    (*method == 0 && is_whole).then_some(text)
}

/// The text of `iTXt` after its keyword: flag, method, language, keyword in that language, text.
fn international(data: &[u8]) -> Option<Vec<u8>> {
    let (flag, rest) = data.split_first()?;
    let (method, rest) = rest.split_first()?;
    let (_, rest) = split_at_nul(rest)?;
    let (_, text) = split_at_nul(rest)?;
    match (flag, method) {
        (0, _) => Some(split_at_nul(text).map_or(text, |(text, _)| text).to_vec()),
        (1, 0) => Some(inflate(text)).filter(|(_, is_whole)| *is_whole).map(|(text, _)| text),
        _ => None,
    }
}

fn split_at_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// Inflates as far as it goes; also returns whether that was to the end.
fn inflate(bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut inflated = Vec::new();
    let end = ZlibDecoder::new(bytes).take(INFLATED as u64).read_to_end(&mut inflated);
    let is_whole = end.is_ok() && inflated.len() < INFLATED;
    (inflated, is_whole)
}
