//! Images made at random, some of whose blocks are mutated.

use crate::{
    container::{Owned, Tag, jpeg, png, png_header, tiff},
    samples::{self, icc, packet},
    seed::Seed,
};

/// An image in its container, and in its blocks.
pub struct Image {
    pub file: Vec<u8>,
    pub blocks: Vec<Owned>,
}

/// The image of a number.
pub fn image(number: u64) -> Image {
    let mut seed = Seed::new(number);
    match seed.below(6) {
        0 => tiff_image(&mut seed),
        1 => png_image(&mut seed),
        _ => jpeg_image(&mut seed),
    }
}

/// A block, mutated now and then.
fn made(seed: &mut Seed, mut data: Vec<u8>) -> Vec<u8> {
    if seed.once_in(3) {
        seed.mutate(&mut data);
    }
    data
}

fn xmp(seed: &mut Seed) -> Vec<u8> {
    let packet = packet::packet(seed).into_bytes();
    if seed.once_in(2) { made(seed, packet) } else { packet }
}

fn resources(seed: &mut Seed) -> Vec<u8> {
    let mut resources = vec![(0x0404, samples::iptc(seed)), (0x03ED, seed.bytes(9))];
    match seed.below(4) {
        0 => resources.push((0x0424, xmp(seed))),
        1 => resources.push((0x0422, samples::exif(seed))),
        2 => resources.insert(0, (0x040F, icc::profile(seed))),
        _ => {}
    }
    samples::photoshop(&resources)
}

fn jpeg_image(seed: &mut Seed) -> Image {
    let mut segments = Vec::new();
    for _ in 0..=seed.below(3) {
        let (number, begin, data) = match seed.below(6) {
            0 | 1 => (1, &b"Exif\0\0"[..], samples::exif(seed)),
            2 => (1, &b"http://ns.adobe.com/xap/1.0/\0"[..], xmp(seed)),
            3 => (2, &b"ICC_PROFILE\0\x01\x01"[..], icc::profile(seed)),
            4 => (13, &b"Photoshop 3.0\0"[..], resources(seed)),
            _ => (13, &b""[..], samples::iptc(seed)),
        };
        let data = if begin.starts_with(b"http") { data } else { made(seed, data) };
        segments.push(Owned::new(format!("jpeg:APP{number}"), [begin, &data].concat()));
    }
    if seed.once_in(8) {
        segments.extend(extended(seed));
    }
    if seed.once_in(8) {
        segments.push(Owned::new("jpeg:APP1", [&b"XMP\0\0 written by an agency   "[..29], &xmp(seed)].concat()));
    }
    Image { file: jpeg(&segments), blocks: segments }
}

/// A packet that is continued in two pieces of another one; they may be in any order, or one missing.
fn extended(seed: &mut Seed) -> Vec<Owned> {
    const GUID: &str = "0123456789ABCDEF0123456789ABCDEF";
    let about = format!("xmlns:xmpNote=\"http://ns.adobe.com/xmp/note/\" xmpNote:HasExtendedXMP=\"{GUID}\" xmlns:dc");
    let first = packet::packet(seed).replacen("xmlns:dc", &about, 1);
    let second = packet::packet(seed).into_bytes();
    let (begin, end) = second.split_at(seed.below(second.len()));
    let length = (second.len() as u32).to_be_bytes();
    let piece = |at: usize, data: &[u8]| {
        let place = (at as u32).to_be_bytes();
        let preamble = [&b"http://ns.adobe.com/xmp/extension/\0"[..], GUID.as_bytes(), &length, &place].concat();
        Owned::new("jpeg:APP1", [&preamble, data].concat())
    };
    let mut segments = vec![piece(0, begin), piece(begin.len(), end)];
    if seed.once_in(3) {
        segments.reverse();
    }
    if seed.once_in(5) {
        segments.pop();
    }
    let first = Owned::new("jpeg:APP1", ["http://ns.adobe.com/xap/1.0/\0", &first].concat());
    segments.insert(if seed.once_in(8) { 1 } else { 0 }, first);
    segments
}

fn png_image(seed: &mut Seed) -> Image {
    let mut chunks = vec![png_header()];
    let profile = icc::profile(seed);
    let exif = samples::exif(seed);
    chunks.push(Owned::new("png:eXIf", made(seed, exif)));
    chunks.push(Owned::new("png:iCCP", [&b"a profile\0\0"[..], &deflated(&profile)].concat()));
    let packet = xmp(seed);
    chunks.push(match seed.below(3) {
        0 => Owned::new("png:iTXt", [&b"XML:com.adobe.xmp\0\0\0en\0\0"[..], &packet].concat()),
        1 => Owned::new("png:iTXt", [&b"XML:com.adobe.xmp\0\x01\0\0\0"[..], &deflated(&packet)].concat()),
        _ => Owned::new("png:zTXt", [&b"XML:com.adobe.xmp\0\0"[..], &deflated(&packet)].concat()),
    });
    Image { file: png(&chunks), blocks: chunks }
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A TIFF, and what the host makes of it: tags with a form of their own, and the rest as a small TIFF.
fn tiff_image(seed: &mut Seed) -> Image {
    let is_big_endian = seed.once_in(2);
    let (first, sub) = samples::tags(seed, is_big_endian);
    let own = [(700, xmp(seed)), (33723, samples::iptc(seed)), (34377, resources(seed)), (34675, icc::profile(seed))];
    let own = own.into_iter().filter(|(_, data)| data.len() > 4 && !seed.once_in(3)).collect::<Vec<_>>();
    let mut all = first.clone();
    all.extend(own.iter().map(|(tag, data)| Tag { tag: *tag, kind: 7, count: data.len() as u32, data: data.clone() }));
    let mut blocks = vec![Owned::new("tiff:IFD0", tiff(is_big_endian, &first, &sub))];
    blocks.extend(own.into_iter().map(|(tag, data)| Owned::new(format!("tiff:{tag}"), data)));
    Image { file: tiff(is_big_endian, &all, &sub), blocks }
}
