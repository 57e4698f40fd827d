//! Which of the tags of a file become its metadata: for each field the first that is there.

use serde_json::Value;

use super::{ImageMetadata, subjects::subjects};
use crate::{
    FileMetadata, Json, Parity,
    dates::{DateTime, parse},
    file_metadata::{texts, xmp_head},
    text::{distinct, trim, without_empty_tail},
};

/// How long after its upload an image may have been taken: clocks of cameras are in any time zone.
const LATEST_HOURS: i64 = 14;

/// `0001-01-03T00:00:00.000Z`. Dates up to here are those of clocks that were never set.
const EARLIEST_MILLIS: i64 = -62_135_596_800_000 + 2 * 86_400_000;

/// Reads the metadata of a file that was uploaded at this time.
pub fn from_file(file: &FileMetadata, upload_time: DateTime, parity: Parity) -> ImageMetadata {
    let xmp = |name: &str| xmp_head(file, name);
    let iptc = |name: &str| file.iptc.get(name).map(String::as_str);
    let exif = |name: &str| file.exif.get(name).map(String::as_str);
    let first = |candidates: &[Option<&str>]| candidates.iter().flatten().next().map(|text| (*text).to_owned());
    let standard_rights = if parity == Parity::Fixed { xmp("dc:rights") } else { None };
    ImageMetadata {
        date_taken: date_taken(file, upload_time, parity),
        description: first(&[xmp("dc:description"), iptc("Caption/Abstract"), exif("Image Description")]),
        credit: first(&[xmp("photoshop:Credit"), iptc("Credit")]),
        byline: first(&[xmp("dc:creator"), iptc("By-line"), exif("Artist")]),
        byline_title: first(&[xmp("photoshop:AuthorsPosition"), iptc("By-line Title")]),
        title: first(&[xmp("photoshop:Headline"), iptc("Headline")]),
        copyright: first(&[xmp("dc:Rights"), standard_rights, iptc("Copyright Notice"), exif("Copyright")]),
        suppliers_reference: first(&[
            xmp("photoshop:TransmissionReference"),
            iptc("Original Transmission Reference"),
            xmp("dc:title"),
            iptc("Object Name"),
        ]),
        source: first(&[xmp("photoshop:Source"), iptc("Source")]),
        special_instructions: first(&[xmp("photoshop:Instructions"), iptc("Special Instructions")]),
        keywords: Some(keywords(file, parity)),
        sub_location: first(&[xmp("Iptc4xmpCore:Location"), iptc("Sub-location")]),
        city: first(&[xmp("photoshop:City"), iptc("City")]),
        state: first(&[xmp("photoshop:State"), iptc("Province/State")]),
        country: first(&country_candidates(file)),
        subjects: Some(subjects(&file.iptc)),
        people_in_image: Some(people(file, parity)),
        ..ImageMetadata::default()
    }
}

/// Where a file names its country, by name or by code.
pub(crate) fn country_candidates(file: &FileMetadata) -> [Option<&str>; 4] {
    let iptc = |name: &str| file.iptc.get(name).map(String::as_str);
    [
        xmp_head(file, "photoshop:Country"),
        iptc("Country/Primary Location Name"),
        xmp_head(file, "Iptc4xmpCore:CountryCode"),
        iptc("Country/Primary Location Code"),
    ]
}

fn date_taken(file: &FileMetadata, upload_time: DateTime, parity: Parity) -> Option<DateTime> {
    let candidates = [
        file.exif_sub.get("Date/Time Original Composite").map(String::as_str),
        file.iptc.get("Date Time Created Composite").map(String::as_str),
        xmp_head(file, "photoshop:DateCreated"),
        file.iptc.get("Date Created").map(String::as_str),
    ];
    let latest = upload_time.plus_hours(LATEST_HOURS).millis();
    let is_within = |date: DateTime| date.millis() > EARLIEST_MILLIS && date.millis() < latest;
    candidates.into_iter().flatten().find_map(|text| parse(text, parity, is_within))
}

fn keywords(file: &FileMetadata, parity: Parity) -> Vec<String> {
    let said = xmp_texts(file, "dc:subject", parity);
    if !said.is_empty() {
        return distinct(said);
    }
    let listed = file.iptc.get("Keywords").map(String::as_str).unwrap_or_default();
    if listed.is_empty() {
        return Vec::new();
    }
    distinct(without_empty_tail(listed.split([';', ','])).into_iter().map(|keyword| trim(keyword).to_owned()))
}

fn people(file: &FileMetadata, parity: Parity) -> Vec<String> {
    let names = ["Iptc4xmpExt:PersonInImage", "GettyImagesGIFT:Personality"];
    distinct(names.into_iter().flat_map(|name| xmp_texts(file, name, parity)))
}

/// The texts of an array. One that stands alone is in quotes, as its JSON is.
fn xmp_texts(file: &FileMetadata, name: &str, parity: Parity) -> Vec<String> {
    match file.xmp.get(name) {
        Some(Json::List(values)) => texts(values).map(str::to_owned).collect(),
        Some(Json::Text(text)) if parity == Parity::Fixed => vec![text.clone()],
        Some(Json::Text(text)) => vec![Value::from(text.as_str()).to_string()],
        None => Vec::new(),
    }
}
