//! The reader beside the libraries whose texts it has, on images made at random and on mutations of them.

use std::{fs, path::Path, process::Command};

use image_metadata::{Picture, REDACTED, clean_date, packets, read};
use serde_json::{Map, Value};
use servers::{Recipe, Tool};

use crate::{
    container::blocks,
    images::{Image, image},
    samples::dates,
    seed::Seed,
};

const IMAGES: u64 = 3000;
const DATES: u64 = 20_000;
const PICTURE: Picture = Picture { interpretation: "srgb", alpha: false };
const MAPS: [&str; 4] = ["iptc", "exif", "exifSub", "icc"];

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
    let files: Vec<_> =
        images.iter().zip(0..).map(|(image, number)| (format!("{number:05}"), image.file.clone())).collect();
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
    differ
        .map(|name| format!("{number} {map} {name}: ours {:?}, theirs {:?}", ours.get(name), theirs.get(name)))
        .collect()
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

/// A floating-point number with more digits than it can hold: Java 17 may write another one after the fourteenth.
fn is_known(ours: Option<&Value>, theirs: Option<&Value>) -> bool {
    const EXACT: usize = 14;
    let digits = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).unwrap_or_default();
        text.split(|letter: char| !letter.is_ascii_digit())
            .max_by_key(|digits| digits.len())
            .unwrap_or_default()
            .to_owned()
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
    let different: Vec<_> =
        different.map(|(date, theirs)| format!("{date}: ours {}, theirs {theirs}", clean_date(date))).collect();
    let shown: Vec<_> = different.iter().take(40).map(String::as_str).collect();
    assert!(different.is_empty(), "{} differences\n{}", different.len(), shown.join("\n"));
}
