//! What is decided about thumbnails and optimised PNGs.

use grid_image::{
    FileMetadata, MimeType, Parity, Settings,
    asset::{Dimensions, ExifOrientation},
    derived::{self, Decision, Optimised, Original, Thumbnail},
};
use proptest::prelude::*;

use crate::samples::{settings, some, texts};

fn made(original: Original, settings: &Settings) -> Thumbnail {
    match derived::thumbnail(original, false, settings) {
        Decision::Make(thumbnail) => thumbnail,
        Decision::Reuse => panic!("nothing is stored"),
    }
}

fn original(mime_type: MimeType, width: u32, height: u32, tag: Option<u32>, file: &FileMetadata) -> Original<'_> {
    let orientation = ExifOrientation::new(tag);
    Original { mime_type, dimensions: Dimensions { width, height }, orientation, file }
}

fn without_transcoding(parity: Parity) -> Settings {
    Settings { transcoded_types: Vec::new(), parity, ..settings() }
}

#[test]
fn thumbnails_fill_their_box() {
    let file = FileMetadata::default();
    for ((width, height, tag), expected) in [
        ((64, 48, Some(6)), (192, 256)),
        ((64, 48, Some(3)), (256, 192)),
        ((64, 48, Some(5)), (256, 192)),
        ((64, 48, None), (256, 192)),
        ((48, 64, None), (192, 256)),
        ((50, 50, None), (256, 256)),
        ((1000, 3, None), (256, 1)),
        ((333, 77, None), (256, 59)),
    ] {
        let Dimensions { width, height } =
            made(original(MimeType::Jpeg, width, height, tag, &file), &settings()).dimensions;
        assert_eq!((width, height), expected);
    }
}

#[test]
fn a_tiff_that_is_not_transcoded_is_as_wide_as_the_box() {
    let file = FileMetadata::default();
    let size = |parity| made(original(MimeType::Tiff, 100, 200, None, &file), &without_transcoding(parity)).dimensions;
    assert_eq!(size(Parity::Grid), Dimensions { width: 256, height: 512 });
    assert_eq!(size(Parity::Fixed), Dimensions { width: 128, height: 256 });
}

#[test]
fn mirrored_images_are_turned_only_where_quirks_are_fixed() {
    let file = FileMetadata::default();
    let grid = made(original(MimeType::Jpeg, 64, 48, Some(5), &file), &settings());
    assert_eq!((grid.turn, grid.orient), (0, false));
    let fixed = Settings { parity: Parity::Fixed, ..settings() };
    let fixed = made(original(MimeType::Jpeg, 64, 48, Some(5), &file), &fixed);
    assert_eq!((fixed.turn, fixed.orient, fixed.dimensions), (0, true, Dimensions { width: 192, height: 256 }));
}

#[test]
fn a_profile_of_other_colours_is_left_aside() {
    let assumed = |model: Option<&str>, space: &str, mime_type| {
        let file = FileMetadata {
            colour_model: model.and_then(some),
            icc: texts(&[("Color space", space)]),
            ..FileMetadata::default()
        };
        made(original(mime_type, 1, 1, None, &file), &settings()).assumed_profile
    };
    assert_eq!(assumed(Some("RGB"), "CMYK", MimeType::Jpeg), some("RGB"));
    assert_eq!(assumed(Some("RGB"), "RGB", MimeType::Jpeg), None);
    assert_eq!(assumed(Some("Greyscale"), "GRAY", MimeType::Jpeg), None);
    assert_eq!(assumed(Some("LAB"), "RGB", MimeType::Jpeg), None);
    assert_eq!(assumed(None, "RGB", MimeType::Jpeg), None);
    assert_eq!(assumed(Some("RGB"), "CMYK", MimeType::Tiff), None, "a transcoded image has its colours already");
}

#[test]
fn what_is_stored_is_taken_again() {
    let file = FileMetadata::default();
    let jpeg = original(MimeType::Jpeg, 1, 1, None, &file);
    assert_eq!(derived::thumbnail(jpeg, true, &settings()), Decision::Reuse);
    let optimised = derived::optimised(MimeType::Png, Some("True Color"), true, &settings());
    assert_eq!(optimised, Some(Decision::Reuse));
}

#[test]
fn pngs_of_true_colour_and_tiffs_are_optimised() {
    let palette = Some(Decision::Make(Optimised::Palette { least: 1, quality: 85, speed: 10 }));
    let viewable = Some(Decision::Make(Optimised::Viewable));
    let optimised = |mime_type, colour, settings: &Settings| derived::optimised(mime_type, colour, false, settings);
    let (usual, plain) = (settings(), without_transcoding(Parity::Grid));
    assert_eq!(optimised(MimeType::Jpeg, None, &usual), None);
    assert_eq!(optimised(MimeType::Png, Some("True Color"), &usual), palette);
    assert_eq!(optimised(MimeType::Png, Some("True Color with Alpha"), &usual), palette);
    assert_eq!(optimised(MimeType::Png, Some("Greyscale"), &usual), None);
    assert_eq!(optimised(MimeType::Tiff, Some("True Color"), &usual), palette);
    assert_eq!(optimised(MimeType::Tiff, Some("Greyscale"), &usual), viewable);
    assert_eq!(optimised(MimeType::Tiff, None, &plain), palette);
}

proptest! {
    #[test]
    fn one_side_of_a_thumbnail_is_that_of_the_box(width in any::<u32>(), height in any::<u32>()) {
        let fitted = derived::fitted(Dimensions { width, height });
        prop_assert_eq!(fitted.width.max(fitted.height), 256);
        prop_assert!(fitted.width.min(fitted.height) >= 1);
        prop_assert_eq!(derived::fitted(Dimensions { width: height, height: width }), fitted.swapped());
    }
}
