//! Blocks of metadata made at random: valid ones with odd values.

use crate::{
    container::{Tag, tiff},
    seed::Seed,
};

pub mod dates;
pub mod icc;
pub mod packet;

/// Texts that datasets and tags may have: names, dates, times, numbers, odd bytes.
const TEXTS: [&[u8]; 34] = [
    b"Rain over the bay",
    b" padded \0 ",
    b"",
    b"0",
    b"5",
    b"255",
    b"-12",
    b"1.5",
    b"R98",
    b"r98 ",
    b"0230",
    b"20210304",
    b"2021-0-9",
    b"20211399",
    b"00000000",
    b"101112",
    b"101112+0200",
    b"101160-0530",
    b"240000+0000",
    b"2021:03:04 10:11:12",
    b"2021:03:04 10:11:12.125",
    b"2021-03-04T10:11:12Z",
    b"2021-03-04 10:11+02:00",
    b"2021.13.32 25:61:61",
    b"2021:03:04",
    b"1500:02:30 01:02:03",
    b"    :  :     :  :  ",
    b"+02:00",
    b"-09:30",
    b"f\xe6rge",
    "bl\u{e5}b\u{e6}r \u{1F600}".as_bytes(),
    b"\xff\xfe\xf0\x9f",
    b"Acme",
    b"NIKON CORPORATION",
];

/// The tags of EXIF that are described, and some others.
const TAGS: [u16; 110] = [
    0x0001, 0x0002, 0x00FE, 0x00FF, 0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0107, 0x010A, 0x010D, 0x010E, 0x010F,
    0x0110, 0x0111, 0x0112, 0x0115, 0x0116, 0x0117, 0x011A, 0x011B, 0x011C, 0x0128, 0x0129, 0x0131, 0x0132, 0x013B,
    0x013E, 0x0152, 0x0153, 0x0200, 0x0211, 0x0212, 0x0213, 0x0214, 0x4746, 0x828D, 0x828E, 0x8298, 0x829A, 0x829D,
    0x8822, 0x8827, 0x8830, 0x9000, 0x9003, 0x9004, 0x9010, 0x9011, 0x9101, 0x9102, 0x9201, 0x9202, 0x9203, 0x9204,
    0x9205, 0x9206, 0x9207, 0x9208, 0x9209, 0x920A, 0x920B, 0x920E, 0x9214, 0x927C, 0x9286, 0x9290, 0x9291, 0x9292,
    0x9400, 0x9401, 0x9402, 0x9403, 0x9404, 0x9405, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F, 0xA000, 0xA001, 0xA002,
    0xA003, 0xA20B, 0xA20E, 0xA20F, 0xA210, 0xA214, 0xA217, 0xA300, 0xA301, 0xA302, 0xA401, 0xA402, 0xA403, 0xA404,
    0xA405, 0xA406, 0xA407, 0xA408, 0xA409, 0xA40A, 0xA40C, 0xA420, 0xA432, 0xA433, 0xEA1C, 0x1234,
];
const DATES: [u16; 5] = [0x9003, 0x9010, 0x9011, 0x9291, 0x9290];

/// Bytes of a number of each kind, from 1 on.
const WIDTHS: [usize; 12] = [1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

/// A stream of IPTC datasets.
pub fn iptc(seed: &mut Seed) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..seed.below(30) {
        let (record, dataset) = match seed.below(8) {
            0 => (1, seed.one_of(&[&0_u8, &20, &22, &70, &80, &90, &100]).to_owned()),
            1 => (2, seed.one_of(&[&0_u8, &10, &25, &55, &60, &62, &63, &70]).to_owned()),
            2 => (seed.below(4) as u8, seed.number() as u8),
            _ => (2, seed.below(131) as u8),
        };
        let data: &[u8] = match (record, dataset) {
            (1, 90) => seed.one_of(&[&b"\x1b%G"[..], b"\x1b-A", b"\x1b.A", b"\x1b\xe2\x80\xa2A", b"UTF-8", b"x"]),
            _ => seed.one_of(&TEXTS),
        };
        stream.extend([0x1C, record, dataset]);
        if seed.once_in(20) {
            stream.extend([0x80, 0]);
        }
        stream.extend((data.len() as u16).to_be_bytes());
        stream.extend(data);
    }
    stream
}

/// A TIFF structure with EXIF tags of all kinds.
pub fn exif(seed: &mut Seed) -> Vec<u8> {
    let is_big_endian = seed.once_in(2);
    let (first, sub) = tags(seed, is_big_endian);
    tiff(is_big_endian, &first, &sub)
}

/// The tags of the first directory and of its sub-directory, in ascending order.
pub fn tags(seed: &mut Seed, is_big_endian: bool) -> (Vec<Tag>, Vec<Tag>) {
    let mut directory = |most: usize| {
        let mut tags: Vec<_> = (0..seed.below(most)).map(|_| tag(seed, is_big_endian)).collect();
        tags.sort_by_key(|tag: &Tag| tag.tag);
        tags.dedup_by_key(|tag| tag.tag);
        tags
    };
    let (mut first, sub) = (directory(25), directory(40));
    // A sub-directory that is the first directory once more.
    if seed.once_in(12) {
        let place = if is_big_endian { 8_u32.to_be_bytes() } else { 8_u32.to_le_bytes() };
        first.push(Tag { tag: 0x014A, kind: 4, count: 1, data: place.to_vec() });
        first.sort_by_key(|tag| tag.tag);
    }
    (first, sub)
}

fn tag(seed: &mut Seed, is_big_endian: bool) -> Tag {
    let tag = match seed.below(6) {
        0 => DATES[seed.below(DATES.len())],
        _ => TAGS[seed.below(TAGS.len())],
    };
    let kind = if DATES.contains(&tag) && !seed.once_in(9) { 2 } else { 1 + seed.below(12) };
    if kind == 2 || seed.once_in(12) {
        let data = match seed.below(8) {
            0 => [&b"ASCII\0\0\0"[..], b"UNICODE\0", b"JIS\0\0\0\0\0"][seed.below(3)].to_vec(),
            _ => Vec::new(),
        };
        let data = [&data[..], seed.one_of(&TEXTS), b"\0"].concat();
        return Tag { tag, kind: if kind == 2 { 2 } else { 7 }, count: data.len() as u32, data };
    }
    let count = match seed.below(8) {
        0 => seed.below(40),
        1 | 2 => 2 + seed.below(5),
        _ => 1,
    };
    let width = WIDTHS[kind - 1];
    // A fraction is two numbers.
    let (numbers, width) = if matches!(kind, 5 | 10) { (2 * count, 4) } else { (count, width) };
    let data = (0..numbers).flat_map(|_| number(seed, kind, width, is_big_endian)).collect();
    Tag { tag, kind: kind as u16, count: count as u32, data }
}

/// A number in its bytes: mostly a small one, which means something.
fn number(seed: &mut Seed, kind: usize, width: usize, is_big_endian: bool) -> Vec<u8> {
    let small = [0_i64, 1, 2, 3, 4, 5, 6, 7, 10, 16, 25, 28, 72, 100, 255, 300, 65535, 4_294_967_295];
    let number = match seed.below(6) {
        0 => seed.number() as i64,
        1 => seed.below(2000) as i64,
        2 => -(seed.below(20) as i64),
        _ => small[seed.below(small.len())],
    };
    let mut bytes = match kind {
        // Java and Rust differ in the last digits of very large ones.
        11 => (number as i32 as f32 / 8.0).to_be_bytes().to_vec(),
        12 => (f64::from(number as i32) / 10.0).to_be_bytes().to_vec(),
        _ => number.to_be_bytes()[8 - width..].to_vec(),
    };
    if !is_big_endian {
        bytes.reverse();
    }
    bytes
}

/// Photoshop resources with these data.
pub fn photoshop(resources: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (id, data) in resources {
        bytes.extend(b"8BIM");
        bytes.extend(id.to_be_bytes());
        bytes.extend([3, b'a', b'b', b'c']);
        bytes.extend((data.len() as u32).to_be_bytes());
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
    }
    bytes
}
