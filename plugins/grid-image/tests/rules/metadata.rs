//! Which tags of a file become metadata.

use grid_image::{FileMetadata, Parity, image_metadata::from_file};
use serde_json::json;

use crate::samples::{at, some, texts, xmp};

fn read(file: &FileMetadata) -> grid_image::ImageMetadata {
    from_file(file, at("2021-01-20T00:00:00Z"), Parity::Grid)
}

fn taken(file: &FileMetadata) -> Option<String> {
    read(file).date_taken.map(|date| date.to_string())
}

#[test]
fn the_first_candidate_that_is_there_wins() {
    let mut file = xmp(&json!({"photoshop:Credit": [["x"], "xmp"], "dc:title": "title"}));
    file.iptc = texts(&[("Credit", "iptc"), ("By-line", "iptc"), ("Object Name", "object")]);
    file.exif = texts(&[("Artist", "exif"), ("Copyright", "exif")]);
    let metadata = read(&file);
    assert_eq!(metadata.credit, some("xmp"));
    assert_eq!(metadata.byline, some("iptc"));
    assert_eq!(metadata.copyright, some("exif"));
    assert_eq!(metadata.suppliers_reference, some("title"));
    assert_eq!(metadata.title, None);
}

#[test]
fn the_standard_rights_count_only_where_quirks_are_fixed() {
    let file = xmp(&json!({"dc:rights": ["Standard"]}));
    let copyright = |file, parity| from_file(file, at("2021-01-20T00:00:00Z"), parity).copyright;
    assert_eq!(copyright(&file, Parity::Grid), None);
    assert_eq!(copyright(&file, Parity::Fixed), some("Standard"));
    let both = xmp(&json!({"dc:rights": ["Standard"], "dc:Rights": "Capital"}));
    assert_eq!(copyright(&both, Parity::Fixed), some("Capital"));
}

#[test]
fn a_single_text_of_xmp_is_a_keyword_in_quotes_unless_quirks_are_fixed() {
    let file = xmp(&json!({"dc:subject": "sea", "GettyImagesGIFT:Personality": "Kari \"K\" Dahl"}));
    let metadata = read(&file);
    assert_eq!(metadata.keywords, Some(vec!["\"sea\"".to_owned()]));
    assert_eq!(metadata.people_in_image, Some(vec![r#""Kari \"K\" Dahl""#.to_owned()]));
    let fixed = from_file(&file, at("2021-01-20T00:00:00Z"), Parity::Fixed);
    assert_eq!(fixed.keywords, Some(vec!["sea".to_owned()]));
    assert_eq!(fixed.people_in_image, Some(vec!["Kari \"K\" Dahl".to_owned()]));
}

#[test]
fn keywords_of_iptc_are_cut_trimmed_and_distinct() {
    let keywords = |text: &str| {
        read(&FileMetadata { iptc: texts(&[("Keywords", text)]), ..FileMetadata::default() }).keywords.unwrap()
    };
    assert_eq!(keywords("boat, sea;Lofoten;sea"), ["boat", "sea", "Lofoten"]);
    assert_eq!(keywords(";"), [""; 0]);
    assert_eq!(read(&FileMetadata::default()).keywords, Some(Vec::new()));
}

#[test]
fn people_of_both_tags_come_together() {
    let file = xmp(&json!({
        "Iptc4xmpExt:PersonInImage": ["A", "B", ["{'x':'y'}"]],
        "GettyImagesGIFT:Personality": ["B", "C"],
    }));
    assert_eq!(read(&file).people_in_image, Some(["A", "B", "C"].map(str::to_owned).to_vec()));
}

#[test]
fn a_date_out_of_bounds_leaves_its_place_to_the_next() {
    let mut file = xmp(&json!({"photoshop:DateCreated": "2021-01-19T00:00:00.000Z"}));
    assert_eq!(taken(&file).as_deref(), Some("2021-01-19T00:00:00.000Z"));
    file.exif_sub = texts(&[("Date/Time Original Composite", "2021-01-20T14:00:00.000Z")]);
    assert_eq!(taken(&file).as_deref(), Some("2021-01-19T00:00:00.000Z"), "fourteen hours after the upload");
    file.exif_sub = texts(&[("Date/Time Original Composite", "2021-01-20T13:59:59.999Z")]);
    assert_eq!(taken(&file).as_deref(), Some("2021-01-20T13:59:59.999Z"));
    file.exif_sub = texts(&[("Date/Time Original Composite", "0001-01-03T00:00:00.000Z")]);
    assert_eq!(taken(&file).as_deref(), Some("2021-01-19T00:00:00.000Z"), "clocks that were never set");
}

#[test]
fn subjects_are_distinct_and_in_order() {
    let iptc = texts(&[("Supplemental Category(s)", "wea  XXX\tOdd"), ("Category", "L")]);
    let subjects = read(&FileMetadata { iptc, ..FileMetadata::default() }).subjects;
    assert_eq!(subjects, Some(vec!["weather".to_owned(), "lifestyle".to_owned()]));
}
