//! The reader ends on any bytes, within bounds on time and memory.

use std::{slice, time::Duration};

use image_metadata::{Block, Picture, flat, fold, orientation, read};
use proptest::{
    prelude::{ProptestConfig, any},
    sample::select,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use rustix::time::{ClockId, clock_gettime};

use crate::{
    container::{Owned, Tag, blocks, tiff},
    samples::{self, icc, packet},
    seed::Seed,
};

const NAMES: [&str; 16] = [
    "jpeg:APP1",
    "jpeg:APP2",
    "jpeg:APP13",
    "png:IHDR",
    "png:eXIf",
    "png:iCCP",
    "png:iTXt",
    "png:zTXt",
    "png:tRNS",
    "tiff:IFD0",
    "tiff:700",
    "tiff:33723",
    "tiff:34377",
    "tiff:34675",
    "webp:EXIF",
    "",
];
/// What blocks begin with, so that the bytes after it are looked at.
const BEGINS: [&[u8]; 10] = [
    b"",
    b"Exif\0\0MM\0*\0\0\0\x08",
    b"Exif\0\0II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'>",
    b"ICC_PROFILE\0\x01\x01",
    b"Photoshop 3.0\08BIM\x04\x04\0\0",
    b"\x1c\x02\x05",
    b"XML:com.adobe.xmp\0\0\0\0\0",
    b"http://ns.adobe.com/xmp/extension/\0",
];
const PICTURE: Picture = Picture { interpretation: "srgb", alpha: false };
/// What a block of a few megabytes may take of a processor, in a debug build.
const SOON: Duration = Duration::from_secs(10);

/// Reads all there is to read; an orientation that is found is never the usual one.
fn read_all(blocks: &[Block]) {
    let metadata = read(blocks, &PICTURE);
    serde_json::to_string(&metadata).unwrap();
    assert!(orientation(blocks).is_none_or(|orientation| orientation.exif_orientation != 1));
    let texts = [&metadata.iptc, &metadata.exif, &metadata.exif_sub, &metadata.icc];
    for text in texts.into_iter().flat_map(|texts| texts.values()) {
        assert!(!text.is_empty() && !text.starts_with(' ') && !text.ends_with(' '), "{text:?} is not trimmed");
    }
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

#[track_caller]
fn is_soon(read: impl FnOnce()) {
    let begin = processor_time();
    read();
    let took = processor_time() - begin;
    assert!(took < SOON, "it took {took:?}");
}

fn read_one(name: &str, data: &[u8]) {
    is_soon(|| read_all(&[Block { name, data }]));
}

#[test]
fn any_bytes_are_read_to_an_end() {
    let config = ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() };
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let bytes = proptest::collection::vec(any::<u8>(), 0..200);
    let block = (select(&NAMES), select(&BEGINS), bytes);
    let blocks = proptest::collection::vec(block, 1..4);
    let result = TestRunner::new_with_rng(config, seed).run(&blocks, |made| {
        let data: Vec<_> = made.iter().map(|(_, begin, bytes)| [begin, &bytes[..]].concat()).collect();
        let made: Vec<_> = made.iter().zip(&data).map(|((name, ..), data)| Block { name, data }).collect();
        read_all(&made);
        Ok(())
    });
    result.unwrap();
}

fn sample(seed: &mut Seed) -> Owned {
    match seed.below(6) {
        0 => Owned::new("jpeg:APP1", [b"Exif\0\0", &samples::exif(seed)[..]].concat()),
        1 => Owned::new("jpeg:APP1", [b"http://ns.adobe.com/xap/1.0/\0", packet::packet(seed).as_bytes()].concat()),
        2 => Owned::new("jpeg:APP2", [b"ICC_PROFILE\0\x01\x01", &icc::profile(seed)[..]].concat()),
        3 => Owned::new("jpeg:APP13", samples::iptc(seed)),
        4 => Owned::new("png:eXIf", samples::exif(seed)),
        _ => {
            let resources = [(0x0404, samples::iptc(seed)), (0x0422, samples::exif(seed))];
            Owned::new("jpeg:APP13", [b"Photoshop 3.0\0", &samples::photoshop(&resources)[..]].concat())
        }
    }
}

#[test]
fn mutations_of_valid_blocks_are_read_to_an_end() {
    let mut seed = Seed::new(1);
    for _ in 0..8000 {
        let mut block = sample(&mut seed);
        seed.mutate(&mut block.data);
        read_all(&blocks(&[block]));
    }
}

#[test]
fn a_block_may_end_anywhere() {
    let mut seed = Seed::new(2);
    for _ in 0..16 {
        let whole = sample(&mut seed);
        for length in 0..whole.data.len().min(1500) {
            read_all(&blocks(&[Owned::new(whole.name.as_str(), &whole.data[..length])]));
        }
    }
}

#[test]
fn directories_that_lead_in_circles_have_an_end() {
    let pointer = |tag, place: u32| Tag { tag, kind: 4, count: 1, data: place.to_be_bytes().to_vec() };
    read_one("png:eXIf", &tiff(true, &[pointer(0x014A, 8), pointer(0x8769, 8), pointer(0x8825, 8)], &[]));
    // A directory that is followed by itself.
    let mut chain = tiff(true, &[pointer(0x0100, 1)], &[]);
    chain[22..26].copy_from_slice(&8_u32.to_be_bytes());
    read_one("png:eXIf", &chain);
    // Pointers to every place of the structure, each of which may be a directory.
    let places: Vec<u8> = (0..16_000_u32).flat_map(u32::to_be_bytes).collect();
    let all = Tag { tag: 0x014A, kind: 4, count: 16_000, data: places };
    read_one("png:eXIf", &tiff(true, &[all], &[]));
}

#[test]
fn a_count_of_four_thousand_million_is_no_size() {
    for kind in 0..20 {
        for count in [u32::MAX, u32::MAX / 2, u32::MAX / 8 + 1, 1 << 31] {
            let tag = Tag { tag: 0x010E, kind, count, data: vec![0xFF; 8] };
            read_one("png:eXIf", &tiff(false, slice::from_ref(&tag), slice::from_ref(&tag)));
        }
    }
    let profile = [vec![0xFF; 128], vec![0x7F, 0xFF, 0xFF, 0xFF], vec![0; 1_200_000]].concat();
    read_one("tiff:34675", &profile);
    read_one("tiff:34377", b"8BIM\x04\x04\0\0\x7f\xff\xff\xff");
    read_one("tiff:33723", b"\x1c\x02\x05\xff\xff\xff\xff");
}

#[test]
fn blocks_in_blocks_have_an_end() {
    let mut inner = samples::iptc(&mut Seed::new(3));
    for depth in 0..2000 {
        inner = if depth % 2 == 0 {
            samples::photoshop(&[(0x0422, inner)])
        } else {
            tiff(true, &[Tag { tag: 0x8649, kind: 7, count: inner.len() as u32, data: inner }], &[])
        };
    }
    read_one("tiff:34377", &inner);
}

#[test]
fn values_that_overlap_are_not_read_again_and_again() {
    // Many XMP values that are one and the same.
    let packet = vec![b'<'; 60_000];
    let tags: Vec<_> = (0..4000).map(|_| Tag { tag: 700, kind: 7, count: 60_000, data: Vec::new() }).collect();
    let mut structure = tiff(true, &tags, &[]);
    let begin = structure.len() as u32;
    for entry in 0..4000 {
        structure[10 + 12 * entry + 8..10 + 12 * entry + 12].copy_from_slice(&begin.to_be_bytes());
    }
    structure.extend(packet);
    read_one("png:eXIf", &structure);
}

#[test]
fn texts_that_overlap_are_not_written_again_and_again() {
    const LENGTH: u32 = 200_000;
    let tags: Vec<_> =
        (0..800).map(|place| Tag { tag: 0x9000 + place, kind: 2, count: LENGTH, data: Vec::new() }).collect();
    let mut structure = tiff(true, &tags, &[]);
    let begin = structure.len() as u32;
    for entry in 0..800 {
        structure[10 + 12 * entry + 8..10 + 12 * entry + 12].copy_from_slice(&begin.to_be_bytes());
    }
    structure.resize(structure.len() + LENGTH as usize, b'x');
    let metadata = read(&[Block { name: "png:eXIf", data: &structure }], &PICTURE);
    let written: usize = metadata.exif.values().map(String::len).sum();
    assert!(written >= LENGTH as usize && written <= 16 * structure.len(), "{written}");
}

fn read_packet(packet: &str) {
    is_soon(|| drop(flat(packet.as_bytes()).map(fold)));
}

fn rdf(namespaces: &str, properties: &str) -> String {
    format!(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
         <rdf:Description xmlns:q='http://q/'{namespaces}>{properties}</rdf:Description></rdf:RDF>"
    )
}

#[test]
fn entities_of_a_document_are_not_expanded() {
    let lol =
        "<!DOCTYPE a [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>";
    let file = "<!DOCTYPE a [<!ENTITY c SYSTEM 'file:///etc/hostname'>]>";
    for declared in [lol, file] {
        assert_eq!(flat([declared, &rdf("", "<q:a>&c;</q:a>")].concat().as_bytes()), None);
    }
    assert_eq!(flat(rdf("", "<q:a>&c;</q:a>").as_bytes()), None);
}

#[test]
fn ten_thousand_namespaces_are_read_or_refused_soon() {
    let declared: String = (0..10_000).map(|number| format!(" xmlns:n{number}='http://n/{number}'")).collect();
    let used: String = (0..10_000).map(|number| format!("<n{number}:a>1</n{number}:a>")).collect();
    read_packet(&rdf(&declared, &used));
    let each: String = (0..10_000).map(|number| format!("<p:a xmlns:p='http://n/{number}'>1</p:a>")).collect();
    let each = rdf("", &each);
    read_packet(&each);
    assert_eq!(flat(each.as_bytes()).unwrap().entries().count(), 10_000);
}

#[test]
fn deep_and_wide_packets_are_read_or_refused_soon() {
    for depth in [10, 90, 200, 100_000] {
        let (open, close) = ("<q:a rdf:parseType='Resource'>".repeat(depth), "</q:a>".repeat(depth));
        read_packet(&rdf("", &format!("{open}<q:b>say &quot;\\hi</q:b>{close}")));
        read_packet(&rdf("", &format!("{}x", "<q:a><rdf:Bag><rdf:li>".repeat(depth))));
    }
    // Each level of a struct doubles the backslashes of a text.
    let quotes = format!("<q:c>{}</q:c>", "&quot;\\".repeat(2000));
    let fields: String = (0..200).map(|number| quotes.replace("q:c", &format!("q:c{number}"))).collect();
    let (open, close) = ("<q:a rdf:parseType='Resource'>".repeat(40), "</q:a>".repeat(40));
    read_packet(&rdf("", &format!("{open}{fields}{close}")));
    let wide: String = (0..100_000).map(|number| format!("<q:a{number}>1</q:a{number}>")).collect();
    read_packet(&rdf("", &wide));
    let attributes: String = (0..50_000).map(|number| format!(" q:a{number}=''")).collect();
    read_packet(&rdf(&attributes, ""));
    let long = "n".repeat(100_000);
    let items = "<rdf:li>1</rdf:li>".repeat(10_000);
    read_packet(&rdf("", &format!("<q:{long}><rdf:Bag>{items}</rdf:Bag></q:{long}>")));
}

#[test]
fn a_chunk_that_inflates_a_thousandfold_is_bounded() {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..100 {
        encoder.write_all(&[b' '; 1024 * 1024]).unwrap();
    }
    let deflated = encoder.finish().unwrap();
    read_one("png:zTXt", &[b"XML:com.adobe.xmp\0\0", &deflated[..]].concat());
    read_one("png:iCCP", &[b"name\0\0", &deflated[..]].concat());
}
