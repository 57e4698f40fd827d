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

/// A JPEG of 1 by 1 pixels that cannot be decoded, with these segments.
pub fn jpeg(segments: &[Owned]) -> Vec<u8> {
    const FRAME: [u8; 13] = [0xFF, 0xC0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0];
    const SCAN: [u8; 14] = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0x3F, 0, 0, 0, 0xFF, 0xD9];
    let mut file = vec![0xFF, 0xD8];
    for segment in segments {
        let number: u8 = segment.name.trim_start_matches("jpeg:APP").parse().unwrap();
        let length = u16::try_from(segment.data.len() + 2).unwrap();
        file.extend([0xFF, 0xE0 + number]);
        file.extend(length.to_be_bytes());
        file.extend(&segment.data);
    }
    [&file[..], &FRAME, &SCAN].concat()
}

/// A PNG of 1 by 1 pixels that cannot be decoded, with these chunks. Nothing looks at its checksums.
pub fn png(chunks: &[Owned]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let end = [Owned::new("png:IDAT", [0]), Owned::new("png:IEND", [])];
    for chunk in chunks.iter().chain(&end) {
        file.extend(u32::try_from(chunk.data.len()).unwrap().to_be_bytes());
        file.extend(chunk.name.trim_start_matches("png:").as_bytes());
        file.extend(&chunk.data);
        file.extend([0; 4]);
    }
    file
}

/// The header of a PNG.
pub fn png_header() -> Owned {
    Owned::new("png:IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0])
}

/// A tag of a TIFF structure.
#[derive(Clone, Debug)]
pub struct Tag {
    pub tag: u16,
    pub kind: u16,
    pub count: u32,
    /// Its value, in the order of bytes of the structure.
    pub data: Vec<u8>,
}

/// A TIFF structure: a directory, and its EXIF sub-directory if it has tags.
pub fn tiff(is_big_endian: bool, first: &[Tag], sub: &[Tag]) -> Vec<u8> {
    const EXIF: u16 = 0x8769;
    let mut file = Tiff { is_big_endian, bytes: if is_big_endian { b"MM\0*" } else { b"II*\0" }.to_vec() };
    file.long(8);
    let mut first = first.to_vec();
    if !sub.is_empty() {
        first.push(Tag { tag: EXIF, kind: 4, count: 1, data: vec![0; 4] });
    }
    first.sort_by_key(|tag| tag.tag);
    let pointer = first.iter().position(|tag| tag.tag == EXIF && !sub.is_empty());
    let places = file.directory(&first);
    if let Some(pointer) = pointer {
        let at = places[pointer];
        let begin = file.bytes.len() as u32;
        let number = if is_big_endian { begin.to_be_bytes() } else { begin.to_le_bytes() };
        file.bytes[at..at + 4].copy_from_slice(&number);
        file.directory(sub);
    }
    file.bytes
}

struct Tiff {
    is_big_endian: bool,
    bytes: Vec<u8>,
}

impl Tiff {
    fn short(&mut self, number: u16) {
        self.bytes.extend(if self.is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() });
    }

    fn long(&mut self, number: u32) {
        self.bytes.extend(if self.is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() });
    }

    /// Writes a directory with its values at the end. Returns where each entry has its value or the place of it.
    fn directory(&mut self, tags: &[Tag]) -> Vec<usize> {
        let mut values = self.bytes.len() + 6 + 12 * tags.len();
        let mut places = Vec::new();
        self.short(tags.len() as u16);
        for tag in tags {
            self.short(tag.tag);
            self.short(tag.kind);
            self.long(tag.count);
            places.push(self.bytes.len());
            if tag.data.len() > 4 {
                self.long(values as u32);
                values += tag.data.len().next_multiple_of(2);
            } else {
                self.bytes.extend(&tag.data);
                self.bytes.resize(self.bytes.len().next_multiple_of(2), 0);
                self.bytes.resize(places[places.len() - 1] + 4, 0);
            }
        }
        self.long(0);
        for tag in tags.iter().filter(|tag| tag.data.len() > 4) {
            self.bytes.extend(&tag.data);
            self.bytes.resize(self.bytes.len().next_multiple_of(2), 0);
        }
        places
    }
}
