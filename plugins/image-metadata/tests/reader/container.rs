//! The containers of images, as far as they carry metadata: taken apart into blocks, and put together from them.

use image_metadata::Block;

/// A block of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    pub name: String,
    pub data: Vec<u8>,
}

impl Owned {
    pub fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), data: data.into() }
    }
}

/// Blocks as the reader takes them.
pub fn blocks(owned: &[Owned]) -> Vec<Block<'_>> {
    owned.iter().map(|block| Block { name: &block.name, data: &block.data }).collect()
}

/// The segments of a JPEG before its first scan.
pub fn of_jpeg(file: &[u8]) -> Vec<Owned> {
    let mut segments = Vec::new();
    let mut rest = &file[2..];
    while let [0xFF, marker, a, b, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*a, *b]));
        let Some(data) = length.checked_sub(2).and_then(|length| after.get(..length)) else { break };
        match marker {
            0xE0..=0xEF => segments.push(Owned::new(format!("jpeg:APP{}", marker - 0xE0), data)),
            0xFE => segments.push(Owned::new("jpeg:COM", data)),
            0xDA => break,
            _ => {}
        }
        rest = &after[data.len()..];
    }
    segments
}
