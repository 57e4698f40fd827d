//! What becomes of an image that was looked at: from the blocks of its file to effects.

use grid_image::{
    Failure, ImageId, Settings,
    plan::{Records, Seen, outcome, plan},
};
use reindex_guest::{
    Colour, Content, Effect, Outcome, Rendition, Space, Step, Thumbnail,
    image::{Block, Header},
    storage::ObjectInfo,
};
use serde_json::{Value, json};

use crate::samples::{at, settings};

const ID: &str = "c669f0fe4df7e1a7596a33bf01e25c013c42be77";

const JPEG: &[u8] = include_bytes!("../worked-example/image.jpg");

/// The segments of a JPEG before its first scan, as a host names them.
fn segments(jpeg: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut at = 2;
    while let [0xFF, marker, high, low, ..] = jpeg[at..] {
        if marker == 0xDA {
            break;
        }
        let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        if (0xE0..=0xEF).contains(&marker) {
            let name = format!("jpeg:APP{}", marker - 0xE0);
            blocks.push(Block { name, offset: 0, data: jpeg[at + 4..end].to_vec() });
        }
        at = end;
    }
    blocks
}

fn header(format: &str, width: u32, height: u32) -> Header {
    Header {
        format: format.to_owned(),
        size: 900,
        width,
        height,
        pages: 1,
        bands: 3,
        bits: 8,
        colour: "srgb".to_owned(),
        alpha: false,
        orientation: 1,
        profile: None,
    }
}

fn object(key: &str, metadata: &[(&str, &str)]) -> ObjectInfo {
    ObjectInfo {
        key: key.to_owned(),
        size: 3148,
        etag: "e1".to_owned(),
        content_type: None,
        metadata: metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
}

fn seen() -> Seen {
    let noted = [
        ("uploaded_by", "ola%40example.org"),
        ("upload-time", "2021-03-06T13%3A00%3A00%2B01%3A00"),
        ("file-name", "f%C3%A6rge+1.jpg"),
        ("identifier!wire_ref", "a%20b"),
    ];
    Seen {
        original: object("", &noted),
        header: header("jpeg", 64, 48),
        blocks: segments(JPEG),
        thumbnail: None,
        optimised: None,
        crops: Vec::new(),
        records: Records::default(),
    }
}

fn planned(seen: Seen, settings: &Settings) -> Result<Vec<Effect>, Failure> {
    plan(&ImageId::new(ID).unwrap(), seen, at("2022-01-01T00:00:00Z"), settings)
}

/// The renditions that are stored, by bucket and key, and the document that is put.
fn parts(effects: Vec<Effect>) -> (Vec<(String, String, Rendition)>, Value) {
    let (mut renditions, mut documents) = (Vec::new(), Vec::new());
    for effect in effects {
        match effect {
            Effect::PutDocument(write) => documents.push((write.index, write.id, write.body)),
            Effect::PutObject(write) => match write.content {
                Content::Rendition(rendition) => renditions.push((write.bucket, write.key, rendition)),
                Content::Bytes(_) => panic!("bytes are stored"),
            },
            other => panic!("{other:?}"),
        }
    }
    let (index, id, body) = documents.pop().unwrap();
    assert_eq!((index.as_str(), id.as_str(), documents.len()), ("images", ID, 0));
    (renditions, serde_json::from_str(&body).unwrap())
}

#[test]
fn the_blocks_of_the_example_become_its_document() {
    let (_, document) = parts(planned(seen(), &settings()).unwrap());
    let expected = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(document["fileMetadata"], expected(include_str!("../worked-example/file-metadata.json")));
    assert_eq!(document["metadata"], expected(include_str!("../worked-example/after-processors.json")));
    assert_eq!(document["source"]["orientationMetadata"], json!({"exifOrientation": 6}));
    assert_eq!(document["uploadTime"], "2021-03-06T12:00:00.000Z");
    assert_eq!(document.get("optimisedPng"), None);
}

#[test]
fn a_missing_thumbnail_is_made() {
    let (renditions, document) = parts(planned(seen(), &settings()).unwrap());
    let key = format!("c/6/6/9/f/0/{ID}");
    let [(bucket, stored, rendition)] = renditions.as_slice() else { panic!("{renditions:?}") };
    assert_eq!((bucket.as_str(), stored), ("thumbnails", &key));
    assert_eq!((rendition.picture.bucket.as_str(), &rendition.picture.key), ("originals", &key));
    assert_eq!(rendition.picture.etag.as_deref(), Some("e1"));
    let [turn, resize, colour, ..] = rendition.steps.as_slice() else { panic!("{rendition:?}") };
    assert_eq!(*turn, Step::Turn(90));
    let bounds = reindex_guest::Bounds { width: 192, height: 256 };
    assert_eq!(*resize, Step::Thumbnail(Thumbnail { bounds, enlarge: true }));
    assert_eq!(*colour, Step::Colour(Colour { space: Space::Srgb, ignore_profile: true }));
    assert_eq!(document["thumbnail"]["dimensions"], json!({"width": 192, "height": 256}));
    assert_eq!(document["thumbnail"].get("size"), None, "not known before it is made");
}

#[test]
fn a_stored_thumbnail_is_kept() {
    let seen = Seen { thumbnail: Some(header("jpeg", 192, 256)), ..seen() };
    let (renditions, document) = parts(planned(seen, &settings()).unwrap());
    assert_eq!(renditions, []);
    assert_eq!(document["thumbnail"]["size"], 900);
}

#[test]
fn a_tiff_is_optimised_in_the_colours_of_screens() {
    let seen = Seen { header: header("tiff", 64, 48), blocks: Vec::new(), ..seen() };
    let (renditions, document) = parts(planned(seen, &settings()).unwrap());
    let (bucket, key, rendition) = renditions.last().unwrap();
    assert_eq!((bucket.as_str(), key.as_str()), ("originals", format!("optimised/c/6/6/9/f/0/{ID}").as_str()));
    assert_eq!(rendition.steps, [Step::Colour(Colour { space: Space::Srgb, ignore_profile: false })]);
    assert_eq!(document["optimisedPng"]["mimeType"], "image/png");
}

#[test]
fn records_and_crops_come_into_the_document() {
    let bounds = [("source", "s"), ("bounds-x", "0"), ("bounds-y", "0"), ("bounds-width", "3"), ("bounds-height", "4")];
    let records = Records { edits: Some(r#"{"id":"x","metadata":{"title":"T"}}"#.to_owned()), ..Records::default() };
    let seen = Seen { records, crops: vec![object("k/0_0_3_4/3.jpg", &bounds)], ..seen() };
    let (_, document) = parts(planned(seen, &settings()).unwrap());
    assert_eq!((&document["metadata"]["title"], &document["exports"][0]["id"]), (&json!("T"), &json!("0_0_3_4")));
}

#[test]
fn failures_have_outcomes() {
    let records = Records { leases: Some("{".to_owned()), ..Records::default() };
    let failures = [
        planned(Seen { records, ..seen() }, &settings()).unwrap_err(),
        planned(Seen { header: header("webp", 1, 1), ..seen() }, &settings()).unwrap_err(),
        planned(Seen { original: object("", &[]), ..seen() }, &settings()).unwrap_err(),
    ];
    for (failure, expected) in
        failures.iter().zip(["leases: the record is no JSON", "image/webp", "`upload-time` is missing"])
    {
        assert!(failure.to_string().contains(expected), "{failure}");
        assert!(matches!(outcome(failure), Outcome::Invalid(_)));
    }
    assert!(matches!(outcome(&Failure::NotFound { key: String::new() }), Outcome::NotFound(_)));
    assert!(matches!(outcome(&Failure::Store { store: "edits", reason: String::new() }), Outcome::Retry(_)));
}
