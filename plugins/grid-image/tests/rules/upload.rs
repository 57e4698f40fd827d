//! Keys, and the S3 user metadata of an original.

use std::collections::BTreeMap;

use grid_image::{Failure, ImageId, Upload, address};
use proptest::prelude::*;

use crate::samples::{ID, at, some, texts};

#[test]
fn an_original_lies_under_the_first_digits_of_its_id() {
    let id = ImageId::new("da39a3ee5e6b4b0d3255bfef95601890afd80709").unwrap();
    assert_eq!(id.key(), "d/a/3/9/a/3/da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

#[test]
fn keys_and_addresses_are_those_of_the_example() {
    let id = ImageId::new(ID).unwrap();
    let key = format!("0/a/1/b/2/c/{ID}");
    assert_eq!(id.key(), key);
    assert_eq!(id.optimised_key(), format!("optimised/{key}"));
    assert_eq!(id.crops_prefix(), format!("{ID}/"));
    assert_eq!(address("pics", "s3.amazonaws.com", &key), format!("http://pics.s3.amazonaws.com/{key}"));
}

#[test]
fn an_id_is_forty_small_hex_digits() {
    for id in ["", "0a1b", &ID.to_uppercase(), &ID.replace('0', "g"), &format!("{ID}0"), "ääääääääääääääääääää"]
    {
        assert_eq!(ImageId::new(id), Err(Failure::MalformedId { id: id.to_owned() }));
    }
}

fn read(metadata: &[(&str, &str)]) -> Result<Upload, Failure> {
    Upload::read(metadata.iter().copied(), at("2020-01-02T03:04:05.678Z"))
}

#[test]
fn user_metadata_is_read_as_in_the_example() {
    let upload = read(&[
        ("uploaded_by", "ola%40example.org"),
        ("upload-time", "2021-03-06T13%3A00%3A00%2B01%3A00"),
        ("file-name", "f%C3%A6rge+1.jpg"),
        ("identifier!wire_ref", "a%20b"),
        ("something-else", "x"),
    ]);
    let upload = upload.unwrap();
    assert_eq!(upload.uploaded_by, "ola@example.org");
    assert_eq!(upload.upload_time.to_string(), "2021-03-06T12:00:00.000Z");
    assert_eq!(upload.file_name, some("færge 1.jpg"));
    assert_eq!(upload.identifiers, texts(&[("wire-ref", "a b")]));
}

#[test]
fn an_original_without_user_metadata_was_uploaded_when_it_was_modified() {
    let upload = read(&[]).unwrap();
    assert_eq!(upload.uploaded_by, "re-ingester");
    assert_eq!(upload.upload_time.to_string(), "2020-01-02T03:04:05.678Z");
    assert_eq!((upload.file_name, upload.identifiers), (None, BTreeMap::new()));
}

#[test]
fn a_value_that_cannot_be_decoded_is_named() {
    for value in ["100%", "%4", "%+1", "%zz"] {
        let failure = read(&[("file_name", value)]).unwrap_err().to_string();
        assert!(failure.contains("`file_name` has a malformed % sequence"), "{failure}");
    }
    let failure = read(&[("upload-time", "yesterday")]).unwrap_err().to_string();
    assert!(failure.contains("`upload-time` is no ISO date-time: `yesterday`"), "{failure}");
}

proptest! {
    #[test]
    fn any_text_survives_its_encoding(text in any::<String>()) {
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        prop_assert_eq!(read(&[("file-name", &encoded)]).unwrap().file_name, Some(text));
    }

    #[test]
    fn a_value_without_plus_and_percent_passes_as_it_is(text in "[^+%]*") {
        prop_assert_eq!(read(&[("uploaded-by", &text)]).unwrap().uploaded_by, text);
    }
}
