//! Files of every kind: whole, cut off, changed and made up.

use std::io::{self, Cursor};

use proptest::{prelude::*, sample::Index};

use super::*;

/// More bytes than any file here needs.
const ENOUGH: u64 = 1 << 20;

pub(super) fn blocks(file: &[u8]) -> Vec<Block> {
    read(&mut Cursor::new(file), ENOUGH).unwrap()
}

/// The names of a file's blocks, and their data as text.
pub(super) fn told(file: &[u8]) -> Vec<(String, String)> {
    blocks(file).into_iter().map(|block| (block.name, block.data.escape_ascii().to_string())).collect()
}

/// A block to put into a file: its name there, and its data.
type Part = (String, Vec<u8>);

fn jpeg(parts: &[Part]) -> Vec<u8> {
    let mut file = b"\xff\xd8\xff\xdb\x00\x03\x00".to_vec();
    for (name, data) in parts {
        let marker = name.strip_prefix("APP").map_or(0xfe, |number| 0xe0 | number.parse::<u8>().unwrap());
        file.extend([0xff, marker]);
        file.extend(u16::try_from(data.len() + 2).unwrap().to_be_bytes());
        file.extend(data);
    }
    [file, b"\xff\xc0\x00\x03\x00\xff\xda\x00\x02\x12\xff\x00\x34\xff\xe1\x00\x02\xff\xd9".to_vec()].concat()
}

fn png(parts: &[Part]) -> Vec<u8> {
    let chunk = |name: &str, data: &[u8]| {
        [&u32::try_from(data.len()).unwrap().to_be_bytes(), name.as_bytes(), data, b"\0\0\0\0"].concat()
    };
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    // Pixels are between the blocks.
    for (name, data) in parts {
        file.extend([chunk(name, data), chunk("IDAT", b"12345678")].concat());
    }
    [file, chunk("IEND", b""), chunk("tEXt", b"after the end")].concat()
}

fn webp(parts: &[Part]) -> Vec<u8> {
    let chunk = |name: &str, data: &[u8]| {
        let pad = &b"\0"[..data.len() % 2];
        [name.as_bytes(), &u32::try_from(data.len()).unwrap().to_le_bytes(), data, pad].concat()
    };
    let mut file = b"RIFF\x7f\0\0\0WEBP".to_vec();
    for (name, data) in parts {
        file.extend([chunk(name, data), chunk("VP8L", b"123")].concat());
    }
    file
}

fn gif(parts: &[Part]) -> Vec<u8> {
    let mut file = b"GIF89a\x01\0\x01\0\x80\0\0RGBrgb".to_vec();
    for (name, data) in parts {
        file.extend([b'!', if name == "comment" { 0xfe } else { 0xff }]);
        file.extend(data);
        file.extend(b",\0\0\0\0\x01\0\x01\0\x80RGBrgb\x02\x02ab\0!\xf9\x01x\0");
    }
    [file, b";".to_vec()].concat()
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

fn parts(name: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<Part>> {
    prop::collection::vec((name, data()), 0..6)
}

/// The sub-blocks that data becomes in a GIF.
fn pieces(data: &[u8]) -> Vec<u8> {
    let piece = |piece: &[u8]| [&[u8::try_from(piece.len()).unwrap()], piece].concat();
    [data.chunks(255).map(piece).collect::<Vec<_>>().concat(), vec![0]].concat()
}

/// Files and their blocks.
fn files() -> impl Strategy<Value = (&'static str, Vec<Part>, Vec<u8>)> {
    let in_pieces = |parts: Vec<Part>| parts.into_iter().map(|(name, data)| (name, pieces(&data))).collect::<Vec<_>>();
    prop_oneof![
        parts("APP([0-9]|1[0-5])|COM").prop_map(|parts| ("jpeg", parts.clone(), jpeg(&parts))),
        parts("[a-z]X[A-Z]t|IHDR|iCCP").prop_map(|parts| ("png", parts.clone(), png(&parts))),
        parts("EXIF|XMP |ICCP|VP8X").prop_map(|parts| ("webp", parts.clone(), webp(&parts))),
        parts("comment|application").prop_map(in_pieces).prop_map(|parts| ("gif", parts.clone(), gif(&parts))),
    ]
}

/// How images of each kind begin.
const BEGINS: &[&[u8]] = &[
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"II*\0\x08\0\0\0",
    b"MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10",
    b"RIFF\0\0\0\0WEBP",
    b"GIF89a",
    b"\0\0\0\x0cftypheic",
];

/// Bytes that begin like an image of some kind.
fn pretenders() -> impl Strategy<Value = Vec<u8>> {
    // Small numbers, so that lengths and offsets often are inside the file.
    let byte = prop_oneof![Just(0u8), 0u8..32, any::<u8>()];
    let rest = prop::collection::vec(byte, 0..400);
    (prop::sample::select(BEGINS), rest).prop_map(|(begin, rest)| [begin, &rest].concat())
}

/// The checks that hold for every file.
pub(super) fn is_sound(file: &[u8], max_bytes: u64) -> Result<(), TestCaseError> {
    let Ok(blocks) = read(&mut Cursor::new(file), max_bytes) else { return Ok(()) };
    prop_assert!(blocks.iter().map(|block| block.data.len() as u64).sum::<u64>() <= max_bytes);
    prop_assert!(blocks.is_sorted_by_key(|block| block.offset));
    for block in blocks.iter().filter(|block| block.name != "tiff:IFD0") {
        prop_assert!(file[usize::try_from(block.offset).unwrap()..].starts_with(&block.data), "{}", block.name);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_file_gives_the_blocks_that_were_put_into_it_in_their_order((kind, parts, file) in files()) {
        let expected: Vec<_> = parts.into_iter().map(|(name, data)| (format!("{kind}:{name}"), data)).collect();
        let found: Vec<_> = blocks(&file).into_iter().map(|block| (block.name, block.data.to_vec())).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_file_that_is_cut_off_gives_what_came_before((_, _, file) in files(), at: Index) {
        let (whole, cut) = (blocks(&file), blocks(&file[..at.index(file.len())]));
        prop_assert!(whole.starts_with(&cut));
    }

    #[test]
    fn a_file_that_was_changed_ends_cleanly((_, _, mut file) in files(), changes: Vec<(Index, u8)>) {
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        is_sound(&file, ENOUGH)?;
    }

    #[test]
    fn anything_that_pretends_to_be_an_image_ends_cleanly(file in pretenders(), max_bytes in 0..ENOUGH) {
        is_sound(&file, max_bytes)?;
    }

    #[test]
    fn no_more_is_held_than_may_be((_, parts, file) in files(), max_bytes in 0..1000u64) {
        let bytes: usize = parts.iter().map(|(_, data)| data.len()).sum();
        let read = read(&mut Cursor::new(&file), max_bytes);
        prop_assert!(bytes as u64 <= max_bytes || read.is_err());
    }
}

#[test]
fn too_much_metadata_is_refused_in_words() {
    let file = jpeg(&[("APP1".to_owned(), vec![0; 5000])]);
    let failed = read(&mut Cursor::new(&file), 4096).unwrap_err();
    let words = "its metadata is larger than 4.0 KiB; raise `host-memory` under `[limits]`";
    assert_eq!(failed, Failed::Refused(words.to_owned()));
}

#[test]
fn a_length_beyond_the_file_takes_no_memory() {
    let file = b"\x89PNG\r\n\x1a\n\xff\xff\xff\xf0tEXtshort";
    assert_eq!(read(&mut Cursor::new(file), u64::MAX), Ok(Vec::new()));
}

#[test]
fn a_file_of_another_kind_has_no_blocks() {
    assert_eq!(told(b"%PDF-1.7 and so on"), []);
    assert_eq!(told(b""), []);
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    impl Seek for Broken {
        fn seek(&mut self, _: io::SeekFrom) -> io::Result<u64> {
            Ok(100)
        }
    }
    assert_eq!(read(&mut Broken, ENOUGH), Err(Failed::Unreadable("the disk is gone".to_owned())));
}
