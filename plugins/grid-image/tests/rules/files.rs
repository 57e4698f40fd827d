//! Types and orientation of files.

use grid_image::{
    Failure, MimeType, Parity,
    asset::{Dimensions, ExifOrientation},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::samples::{json as written, plain, settings};

fn tiff(is_little: bool, tags: &[u16]) -> Vec<u8> {
    let short = |value: u16| if is_little { value.to_le_bytes() } else { value.to_be_bytes() };
    let long = |value: u32| if is_little { value.to_le_bytes() } else { value.to_be_bytes() };
    let mut bytes = if is_little { b"II*\0".to_vec() } else { b"MM\0*".to_vec() };
    bytes.extend(long(8));
    bytes.extend(short(tags.len().try_into().unwrap()));
    for tag in tags {
        bytes.extend(short(*tag));
        bytes.extend([0; 10]);
    }
    bytes
}

#[test]
fn supported_files_are_known_by_their_first_bytes() {
    assert_eq!(MimeType::detect(b"\xFF\xD8\xFF\xE1", &[]), Ok(MimeType::Jpeg));
    assert_eq!(MimeType::detect(b"\x89PNG\r\n\x1A\n", &[]), Ok(MimeType::Png));
    for is_little in [true, false] {
        let plain = tiff(is_little, &[256, 257]);
        assert_eq!(MimeType::detect(&plain, &plain), Ok(MimeType::Tiff));
    }
}

#[test]
fn camera_raw_and_other_files_are_refused() {
    let refused = |head: &[u8], found: &str| {
        assert_eq!(MimeType::detect(head, head), Err(Failure::UnsupportedType { found: found.to_owned() }));
    };
    for is_little in [true, false] {
        refused(&tiff(is_little, &[256, 257, 0xC612]), "image/dng");
    }
    refused(b"II*\0\x10\0\0\0CR\x02\0", "image/x-canon-cr2");
    refused(b"IIU\0\x18\0\0\0", "image/x-panasonic-rw2");
    refused(b"GIF89a", "image/gif");
    refused(b"", "unknown");
    refused(b"hello", "unknown");
}

#[test]
fn names_of_types_are_taken_in_any_case() {
    assert_eq!(MimeType::named("Image/JPEG"), Some(MimeType::Jpeg));
    assert_eq!(MimeType::named("jpg"), Some(MimeType::Jpeg));
    assert_eq!(MimeType::named("png"), Some(MimeType::Png));
    assert_eq!(MimeType::named("image/webp"), None);
}

/// Orientation data, dimensions once turned, and how the image lies.
fn source(width: u32, height: u32, tag: Option<u32>, parity: Parity) -> Value {
    let mut input = plain();
    (input.dimensions, input.orientation) = (Dimensions { width, height }, tag);
    let mut settings = settings();
    settings.parity = parity;
    let source = &written(&grid_image::project(input, &settings).unwrap())["source"];
    json!([source["orientationMetadata"], source["orientedDimensions"], source["orientation"]])
}

#[test]
fn sources_are_oriented_as_in_the_example() {
    let tagged = |tag: u32, width: u32, height: u32, lies: &str| json!([{"exifOrientation": tag}, {"width": width, "height": height}, lies]);
    let untagged = json!([null, null, "landscape"]);
    assert_eq!(source(64, 48, Some(6), Parity::Grid), tagged(6, 48, 64, "portrait"));
    assert_eq!(source(64, 48, Some(3), Parity::Grid), tagged(3, 64, 48, "landscape"));
    assert_eq!(source(64, 48, Some(5), Parity::Grid), tagged(5, 64, 48, "landscape"));
    assert_eq!(source(64, 48, Some(5), Parity::Fixed), tagged(5, 48, 64, "portrait"));
    for upright in [Some(1), None] {
        assert_eq!(source(64, 48, upright, Parity::Grid), untagged);
    }
    assert_eq!(source(50, 50, None, Parity::Grid), untagged);
    assert_eq!(source(1000, 3, None, Parity::Grid), untagged);
}

proptest! {
    #[test]
    fn any_bytes_have_an_answer(head in prop::collection::vec(any::<u8>(), 0..64), is_tiff in any::<bool>()) {
        let bytes = if is_tiff { [b"II*\0", head.as_slice()].concat() } else { head };
        let _ = MimeType::detect(&bytes, &bytes);
    }

    #[test]
    fn turning_keeps_the_pixels(width in 1_u32.., height in 1_u32.., tag in 0_u32..12) {
        let dimensions = Dimensions { width, height };
        for parity in [Parity::Grid, Parity::Fixed] {
            if let Some(tag) = ExifOrientation::new(Some(tag)) {
                let oriented = tag.oriented(dimensions, parity);
                prop_assert!(oriented == dimensions || oriented == dimensions.swapped());
            } else {
                prop_assert_eq!(tag, 1);
            }
        }
    }
}
