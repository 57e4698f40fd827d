//! One image from its file's metadata to its document.

use grid_image::{
    FileMetadata, ImageId, ImageMetadata, Input, Parity, asset::Dimensions, image_metadata::from_file, project,
    projection::DerivedFile,
};
use serde_json::{Value, json};

use crate::samples::{at, file_metadata, json as written, plain, settings};

const ID: &str = "c669f0fe4df7e1a7596a33bf01e25c013c42be77";

fn file() -> FileMetadata {
    file_metadata(&expected(include_str!("../worked-example/file-metadata.json")))
}

fn expected(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn input() -> Input {
    let user_metadata = [
        ("uploaded_by", "ola%40example.org"),
        ("upload-time", "2021-03-06T13%3A00%3A00%2B01%3A00"),
        ("file-name", "f%C3%A6rge+1.jpg"),
        ("identifier!wire_ref", "a%20b"),
    ];
    Input {
        id: ImageId::new(ID).unwrap(),
        user_metadata: user_metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        size: 3148,
        orientation: Some(6),
        file: file(),
        thumbnail: Some(DerivedFile {
            size: Some(900),
            mime_type: "image/jpeg".to_owned(),
            dimensions: Dimensions { width: 192, height: 256 },
        }),
        ..plain()
    }
}

#[test]
fn the_metadata_of_the_file_is_that_of_the_example() {
    let metadata = from_file(&file(), at("2021-03-06T12:00:00Z"), Parity::Grid);
    let text = serde_json::to_string(&metadata).unwrap();
    let expected = expected(include_str!("../worked-example/before-processors.json"));
    assert_eq!(text, expected.to_string(), "byte for byte");
}

#[test]
fn the_document_is_that_of_the_example() {
    let document = written(&project(input(), &settings()).unwrap());
    let metadata = expected(include_str!("../worked-example/after-processors.json"));
    assert_eq!(document["metadata"], metadata);
    assert_eq!(document["originalMetadata"], metadata);
    let rights = json!({"category": "agency", "supplier": "Getty Images", "suppliersCollection": "Northlight"});
    assert_eq!(document["usageRights"], rights);
    assert_eq!(document["originalUsageRights"], rights);
    assert_eq!(document["fileMetadata"], expected(include_str!("../worked-example/file-metadata.json")));
    let source = format!(
        r#"{{"file":"http://pics.s3.amazonaws.com/c/6/6/9/f/0/{ID}","size":3148,"mimeType":"image/jpeg","dimensions":{{"width":64,"height":48}},"orientationMetadata":{{"exifOrientation":6}},"orientedDimensions":{{"width":48,"height":64}},"orientation":"portrait"}}"#
    );
    assert_eq!(document["source"].to_string(), source);
    assert_eq!(
        document["thumbnail"],
        json!({
            "file": format!("http://thumbs.s3.amazonaws.com/c/6/6/9/f/0/{ID}"),
            "size": 900,
            "mimeType": "image/jpeg",
            "dimensions": {"width": 192, "height": 256},
            "orientation": "portrait",
        })
    );
}

#[test]
fn a_document_without_users_has_these_fields_and_no_others() {
    let document = written(&project(input(), &settings()).unwrap());
    let names: Vec<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "id",
            "uploadTime",
            "uploadedBy",
            "identifiers",
            "uploadInfo",
            "source",
            "thumbnail",
            "fileMetadata",
            "metadata",
            "originalMetadata",
            "usageRights",
            "originalUsageRights",
            "exports",
            "usages",
            "leases",
            "collections",
        ]
    );
    assert_eq!(document["id"], ID);
    assert_eq!(document["uploadTime"], "2021-03-06T12:00:00.000Z");
    assert_eq!(document["uploadedBy"], "ola@example.org");
    assert_eq!(document["uploadInfo"], json!({"filename": "færge 1.jpg"}));
    assert_eq!(document["identifiers"], json!({"wire-ref": "a b"}));
    assert_eq!(document["leases"], json!({"leases": [], "lastModified": null}));
}

#[test]
fn an_empty_file_gives_empty_maps_and_lists() {
    let document = written(&project(plain(), &settings()).unwrap());
    assert_eq!(
        document["fileMetadata"].to_string(),
        r#"{"iptc":{},"exif":{},"exifSub":{},"xmp":{},"icc":{},"getty":{},"colourModelInformation":{}}"#
    );
    assert_eq!(document["metadata"].to_string(), r#"{"keywords":[],"subjects":[],"peopleInImage":[]}"#);
    assert_eq!(document["usageRights"], json!({}));
    assert_eq!(document["uploadInfo"], json!({}));
}

#[test]
fn a_stored_thumbnail_of_another_type_is_a_failure() {
    let mut input = input();
    input.thumbnail.as_mut().unwrap().mime_type = "image/webp".to_owned();
    let failure = project(input, &settings()).unwrap_err().to_string();
    assert_eq!(failure, "the stored thumbnail is image/webp; hint: delete it, and it is made anew");
}

#[test]
fn an_optimised_png_has_the_dimensions_of_its_source() {
    let optimised = DerivedFile {
        size: Some(5),
        mime_type: "image/png".to_owned(),
        dimensions: Dimensions { width: 1, height: 2 },
    };
    let document = written(&project(Input { optimised_png: Some(optimised), ..input() }, &settings()).unwrap());
    assert_eq!(document["optimisedPng"]["dimensions"], json!({"width": 64, "height": 48}));
    assert_eq!(document["optimisedPng"]["file"], format!("http://pics.s3.amazonaws.com/optimised/c/6/6/9/f/0/{ID}"));
    assert_eq!(document["optimisedPng"]["orientation"], "landscape");
}

#[test]
fn processors_run_as_configured() {
    let mut settings = settings();
    settings.processors = Vec::new();
    let document = project(input(), &settings).unwrap();
    let untouched: ImageMetadata = from_file(&file(), at("2021-03-06T12:00:00Z"), Parity::Grid);
    assert_eq!(document.metadata, untouched);
    assert!(document.usage_rights.are_none());
}
