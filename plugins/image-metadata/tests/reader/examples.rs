//! Worked examples of what documents contain.

use base64::{Engine, prelude::BASE64_STANDARD};
use image_metadata::{Flat, Picture, Shape, flat, fold, orientation, read};
use serde_json::{Value, json};

use crate::container::{blocks, of_jpeg};

fn flat_of(entries: &[(&str, &str)]) -> Flat {
    entries.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect()
}

fn folded(entries: &[(&str, &str)]) -> String {
    serde_json::to_string(&fold(flat_of(entries))).unwrap()
}

#[test]
fn a_text_in_a_language_comes_before_its_language() {
    let one = [("dc:title[1]", "Harbour"), ("dc:title[1]/xml:lang", "x-default")];
    assert_eq!(folded(&one), r#"{"dc:title":["Harbour",["{'xml:lang':'x-default'}"]]}"#);
    let two = [one[0], one[1], ("dc:title[2]", "Hafen"), ("dc:title[2]/xml:lang", "de")];
    assert_eq!(folded(&two), r#"{"dc:title":["Harbour","Hafen",["{'xml:lang':'x-default'}"],["{'xml:lang':'de'}"]]}"#);
}

#[test]
fn the_tenth_item_comes_after_the_second() {
    let items =
        [("dc:subject[10]", "k10"), ("dc:subject[2]", "k2"), ("dc:subject[1]", "k1"), ("dc:subject[11]", "k11")];
    assert_eq!(folded(&items), r#"{"dc:subject":["k1","k2","k10","k11"]}"#);
}

#[test]
fn a_struct_is_a_list_of_texts_that_look_like_objects() {
    let fields = [("a:Loc[1]/a:City", "Oslo"), ("a:Loc[1]/a:Code", "NO")];
    assert_eq!(folded(&fields), r#"{"a:Loc":[["{'a:City':'Oslo'}","{'a:Code':'NO'}"]]}"#);
    assert_eq!(folded(&[("x:S/f:q", r#"say "hi""#)]), r#"{"x:S":["{'f:q':'say \\'hi\\''}"]}"#);
    let nested = [("a:N[1]/a:M[1]", "Oslo"), ("a:N[1]/a:M[1]/xml:lang", "x-default")];
    assert_eq!(folded(&nested), r#"{"a:N":[["{'a:M':['Oslo']}"],["{'a:M':[['{'xml:lang':'x-default'}']]}"]]}"#);
}

#[test]
fn a_qualifier_comes_before_the_value_it_qualifies() {
    let qualified = [("p:Credit", "X"), ("p:Credit/p:note", "n")];
    assert_eq!(folded(&qualified), r#"{"p:Credit":["{'p:note':'n'}","X"]}"#);
}

const PACKET: &str = r##"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:q="http://example.org/q/"
 tiff:Artist="TA" photoshop:Author="PA" dc:format="image/jpeg" q:madeDate="20150300">
<dc:description>D</dc:description>
<dc:rights><rdf:Alt><rdf:li xml:lang="en">E</rdf:li><rdf:li xml:lang="x-default">X</rdf:li></rdf:Alt></dc:rights>
<q:link rdf:resource="http://h/r"/><q:empty/>
</rdf:Description></rdf:RDF></x:xmpmeta>"##;

#[test]
fn a_packet_is_a_list_of_paths() {
    let flat = flat(PACKET.as_bytes()).unwrap();
    let mut entries: Vec<_> = flat.entries().filter(|(_, value)| !value.is_empty()).collect();
    entries.sort_unstable();
    let expected = [
        ("dc:creator[1]", "PA"),
        ("dc:description[1]", "D"),
        ("dc:description[1]/xml:lang", "x-default"),
        ("dc:format", "image/jpeg"),
        ("dc:rights[1]", "X"),
        ("dc:rights[1]/xml:lang", "x-default"),
        ("dc:rights[2]", "X"),
        ("dc:rights[2]/xml:lang", "en"),
        ("q:link", "http://h/r"),
        ("q:madeDate", "20150300"),
    ];
    assert_eq!(entries, expected);
}

#[test]
fn dates_of_a_packet_are_cleaned_and_long_values_replaced() {
    let packet = PACKET.replace("image/jpeg", &"j".repeat(5001)).replace(">D<", &format!(">{}<", "d".repeat(5001)));
    let data = ["http://ns.adobe.com/xap/1.0/\0", &packet].concat();
    let owned = [crate::container::Owned::new("jpeg:APP1", data)];
    let metadata = serde_json::to_value(read(&blocks(&owned), &PHOTOGRAPH)).unwrap();
    assert_eq!(metadata["xmp"]["q:madeDate"], "2015-03-01T00:00:00.000Z");
    assert_eq!(metadata["xmp"]["dc:format"], image_metadata::REDACTED);
    assert_eq!(metadata["xmp"]["dc:description"][0], "d".repeat(5001));
    assert_eq!(metadata["xmp"].get("q:empty"), None);
}

const PHOTOGRAPH: Picture = Picture { interpretation: "srgb", alpha: false };

#[test]
fn a_photograph_has_all_its_maps() {
    let file = BASE64_STANDARD.decode(include_str!("ferry.jpg.base64").replace('\n', "")).unwrap();
    let segments = of_jpeg(&file);
    let metadata = serde_json::to_value(read(&blocks(&segments), &PHOTOGRAPH)).unwrap();
    let expected: Value = serde_json::from_str(include_str!("ferry.json")).unwrap();
    for (map, expected) in expected.as_object().unwrap() {
        assert_eq!(&metadata[map], expected, "{map}");
    }
    let turned = orientation(&blocks(&segments)).unwrap();
    assert_eq!(serde_json::to_value(turned).unwrap(), json!({"exifOrientation": 6}));
    let (width, height) = turned.oriented(64, 48);
    assert_eq!((width, height, Shape::of(width, height)), (48, 64, Shape::Portrait));
}
