//! The reader beside the libraries whose texts it has, on images made at random and on mutations of them.

use std::{fs, path::Path, process::Command};

use image_metadata::{Picture, REDACTED, clean_date, packets, read};
use serde_json::{Map, Value};
use servers::{Recipe, Tool};

use crate::{
    container::{Owned, Tag, blocks, jpeg, png, png_header, tiff},
    samples::{self, dates, icc, packet},
    seed::Seed,
};

const IMAGES: u64 = 3000;
const DATES: u64 = 20_000;
const PICTURE: Picture = Picture { interpretation: "srgb", bands: 3, alpha: false };
const MAPS: [&str; 4] = ["iptc", "exif", "exifSub", "icc"];

/// An image in its container, and in its blocks.
struct Image {
    file: Vec<u8>,
    blocks: Vec<Owned>,
}

/// Runs the libraries on files; a line of JSON for each.
fn reference(files: &[(String, Vec<u8>)]) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/image-metadata");
    let recipe = Recipe { name: "image-metadata", folder, tools: &Tool::JAVA };
    let program = recipe.fetch().unwrap_or_else(|error| panic!("{error}"));
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let paths = [program.join("lib/*"), program.join("classes")].map(|path| path.display().to_string());
    let output = Command::new("java")
        .args(["-Dfile.encoding=UTF-8", "-Duser.timezone=UTC", "-Duser.language=en", "-Duser.country=GB", "-cp"])
        .args([paths.join(":").as_str(), "ReferenceReader"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<_> = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), files.len());
    lines.into_iter().map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn image(number: u64) -> Image {
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

/// What the reader says of an image, in the form of the reference.
fn ours(image: &Image) -> Value {
    let mut metadata = serde_json::to_value(read(&blocks(&image.blocks), &PICTURE)).unwrap();
    let packets = packets(&blocks(&image.blocks));
    let packet = |flat: &image_metadata::Flat| {
        let entries = flat.entries().map(|(path, value)| (path.to_owned(), Value::from(value)));
        Value::from(entries.collect::<Map<_, _>>())
    };
    metadata["xmp"] = packets.iter().map(packet).filter(|packet| packet != &Value::from(Map::new())).collect();
    metadata
}

/// What the reference says, with long texts replaced. A packet that it cannot read is empty.
fn theirs(mut metadata: Value) -> Value {
    for text in metadata["icc"].as_object_mut().unwrap().values_mut() {
        if text.as_str().unwrap().encode_utf16().count() > 5000 {
            *text = REDACTED.into();
        }
    }
    metadata["xmp"].as_array_mut().unwrap().retain(|packet| !packet.as_object().unwrap().is_empty());
    metadata
}

#[test]
fn an_image_has_the_metadata_that_the_reference_finds() {
    let images: Vec<_> = (0..IMAGES).map(image).collect();
    let files: Vec<_> = images.iter().zip(0..).map(|(image, number)| (format!("{number:05}"), image.file.clone())).collect();
    let mut differences = Vec::new();
    let mut broken = 0;
    for ((image, theirs), number) in images.iter().zip(reference(&files)).zip(0..) {
        // The library cannot read every file; a document is not made then.
        if theirs.get("error").is_some() {
            broken += 1;
            continue;
        }
        let (ours, theirs) = (ours(image), self::theirs(theirs));
        for map in MAPS {
            differences.extend(different(number, map, &ours[map], &theirs[map]));
        }
        if ours["xmp"] != theirs["xmp"] && !has_odd_names(image) {
            differences.push(format!("{number} xmp\n  ours   {}\n  theirs {}", ours["xmp"], theirs["xmp"]));
        }
    }
    let shown: Vec<_> = differences.iter().take(40).map(String::as_str).collect();
    assert!(differences.is_empty(), "{} differences, {broken} broken\n{}", differences.len(), shown.join("\n"));
    assert!(broken < IMAGES / 50, "{broken} of {IMAGES} images cannot be read by the reference");
}

fn different(number: u64, map: &str, ours: &Value, theirs: &Value) -> Vec<String> {
    let (ours, theirs) = (ours.as_object().unwrap(), theirs.as_object().unwrap());
    let mut names: Vec<_> = ours.keys().chain(theirs.keys()).collect();
    names.sort();
    names.dedup();
    let differ = names.into_iter().filter(|name| ours.get(*name) != theirs.get(*name));
    let differ = differ.filter(|name| !is_known(ours.get(*name), theirs.get(*name)));
    differ.map(|name| format!("{number} {map} {name}: ours {:?}, theirs {:?}", ours.get(name), theirs.get(name))).collect()
}

/// Whether a name in a packet has letters beyond ASCII. Java's parser follows an earlier edition of XML there.
fn has_odd_names(image: &Image) -> bool {
    let bytes = image.blocks.iter().flat_map(|block| &block.data);
    let (mut is_tag, mut quote) = (false, None);
    for byte in bytes.copied() {
        match (byte, quote) {
            (b'"' | b'\'', None) if is_tag => quote = Some(byte),
            (b'<', _) => (is_tag, quote) = (true, None),
            (b'>', None) => is_tag = false,
            (128.., None) if is_tag => return true,
            (_, Some(open)) if open == byte => quote = None,
            _ => {}
        }
    }
    false
}

/// A floating-point number with more digits than it can hold: Java 17 may write another one after the fifteenth.
fn is_known(ours: Option<&Value>, theirs: Option<&Value>) -> bool {
    const EXACT: usize = 15;
    let digits = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).unwrap_or_default();
        text.split(|letter: char| !letter.is_ascii_digit()).max_by_key(|digits| digits.len()).unwrap_or_default().to_owned()
    };
    let (ours, theirs) = (digits(ours), digits(theirs));
    ours.len() > EXACT && ours.len() == theirs.len() && ours[..EXACT] == theirs[..EXACT]
}

#[test]
fn a_date_is_the_one_that_the_reference_reads() {
    let dates: Vec<_> = (0..DATES).map(|number| dates::date(&mut Seed::new(number))).collect();
    let theirs = reference(&[("a.dates".to_owned(), dates.join("\n").into_bytes())]);
    let theirs = theirs[0].as_array().unwrap();
    let different = dates.iter().zip(theirs).filter(|(date, theirs)| clean_date(date) != theirs.as_str().unwrap());
    let different: Vec<_> = different.map(|(date, theirs)| format!("{date}: ours {}, theirs {theirs}", clean_date(date))).collect();
    let shown: Vec<_> = different.iter().take(40).map(String::as_str).collect();
    assert!(different.is_empty(), "{} differences\n{}", different.len(), shown.join("\n"));
}
