//! Rules that tidy metadata.

use grid_image::{
    FileMetadata, ImageMetadata, Parity, Settings,
    cleaners::{self, ALL},
    processors::Rule,
};
use proptest::prelude::*;
use serde_json::json;

use crate::samples::{settings, some, texts, through, xmp};

fn lines(byline: &str, credit: &str) -> ImageMetadata {
    let line = |text: &str| some(text).filter(|text| text != "<absent>");
    ImageMetadata { byline: line(byline), credit: line(credit), ..ImageMetadata::default() }
}

fn cleaned(metadata: &ImageMetadata) -> ImageMetadata {
    through(&ALL, metadata, &FileMetadata::default(), &settings()).0
}

/// Byline and credit after these rules.
fn credited(rules: &[Rule], byline: &str, credit: &str) -> (String, String) {
    let (metadata, _) = through(rules, &lines(byline, credit), &FileMetadata::default(), &settings());
    let line = |line: Option<String>| line.unwrap_or_else(|| "<absent>".to_owned());
    (line(metadata.byline), line(metadata.credit))
}

fn pair(byline: &str, credit: &str) -> (String, String) {
    (byline.to_owned(), credit.to_owned())
}

#[test]
fn bylines_and_credits_are_tidied_as_in_the_examples() {
    for ((byline, credit), expected) in [
        (("© Copyright: J. K. smith / HANDOUT", "Handout"), pair("JK smith", "Handout")),
        (("Stringer", "AFP via Getty Images"), pair("<absent>", "AFP/Getty Images")),
        (("mary o'neil for the guardian.", "x"), pair("Mary O’Neil", "The Guardian")),
        (("Ann Lee - Blue Pics#Red", "Red"), pair("Ann Lee", "Blue Pics/Red")),
        (("Alexandrina Merrick for the Gua", "<absent>"), pair("Alexandrina Merrick", "The Guardian")),
        (("POOL", "Staff/Pool"), pair("<absent>", "Pool")),
    ] {
        assert_eq!(credited(&ALL, byline, credit), expected);
    }
}

#[test]
fn a_whole_image_is_tidied_as_in_the_example() {
    let metadata = ImageMetadata {
        city: some("NEW YORK"),
        state: some("-"),
        country: some("USA"),
        title: some("Rain"),
        description: some("Rain over the bay"),
        ..lines("JANE VAN DER BERG via Getty Images", "Getty Images")
    };
    let iptc = texts(&[("Country/Primary Location Name", "USA")]);
    let (metadata, _) = through(&ALL, &metadata, &FileMetadata { iptc, ..FileMetadata::default() }, &settings());
    let expected = ImageMetadata {
        city: some("New York"),
        country: some("United States"),
        description: some("Rain over the bay"),
        ..lines("Jane van der Berg", "Getty Images")
    };
    assert_eq!(metadata, expected);
}

#[test]
fn places_are_capitalised_as_in_the_example() {
    let metadata = ImageMetadata { city: some("ST. JOHN'S"), country: some("CÔTE-D'OR"), ..ImageMetadata::default() };
    let metadata = cleaned(&metadata);
    assert_eq!((metadata.city, metadata.country), (some("St. John'S"), some("Côte-D'Or")));
}

#[test]
fn a_genitive_stays_small_where_quirks_are_fixed() {
    let fixed = Settings { parity: Parity::Fixed, ..settings() };
    let city = |name: &str| {
        let metadata = ImageMetadata { city: some(name), ..ImageMetadata::default() };
        through(&ALL, &metadata, &FileMetadata::default(), &fixed).0.city
    };
    assert_eq!(city("ST. JOHN'S"), some("St. John's"));
    assert_eq!(city("O'NEIL-S-"), some("O'Neil-S-"));
}

#[test]
fn places_of_dots_and_dashes_are_absent() {
    for name in ["", " ", "-", "...", " .-. "] {
        let metadata = ImageMetadata { city: some(name), state: some("- x"), ..ImageMetadata::default() };
        let (metadata, _) =
            through(&[cleaners::rubbish_location::clean], &metadata, &FileMetadata::default(), &settings());
        assert_eq!((metadata.city, metadata.state), (None, some("- x")));
    }
}

#[test]
fn the_mark_of_copyright_is_taken_from_one_line() {
    let rule: &[Rule] = &[cleaners::copyright_prefix::clean];
    assert_eq!(credited(rule, "(C) copyright OF : Jo ", "Jo ©"), pair("Jo ", "Jo ©"));
    assert_eq!(credited(rule, "© Jo\nLee", "<absent>"), pair("© Jo\nLee", "<absent>"));
}

#[test]
fn tokens_that_name_no_one_are_removed() {
    let rule: &[Rule] = &[cleaners::redundant_tokens::clean];
    assert_eq!(credited(rule, "Jo/ Stringer /Lee", "Handout via AFP"), pair("Jo/Lee", "AFP"));
    assert_eq!(credited(rule, "handout", "- / Stringer ."), pair("handout", "Stringer ."));
    assert_eq!(credited(rule, " ", ""), pair("<absent>", ""));
}

#[test]
fn one_name_stays_in_the_byline() {
    let rule: &[Rule] = &[cleaners::byline_credit_split::clean];
    for ((byline, credit), expected) in [
        (("Jo Lee", "AFP"), pair("Jo Lee", "AFP")),
        (("Jo Lee / AFP", "afp"), pair("Jo Lee", "afp")),
        (("Jo Lee VIA AFP", "Getty"), pair("Jo Lee", "AFP/Getty")),
        (("Jo Lee", "jo lee/AFP/AFP"), pair("Jo Lee", "AFP")),
        (("Jo Lee/", "<absent>"), pair("Jo Lee", "<absent>")),
        (("Olivia Lee", "A"), pair("Olivia Lee", "A")),
        (("/", "A / B"), pair("/", "A/B")),
        (("<absent>", "A via B / C"), pair("<absent>", "A via B/C")),
        (("Jo Lee", "Jo Lee/"), pair("Jo Lee", "Jo Lee/")),
        (("Jo Lee/Ann", "Jo Lee"), pair("Jo Lee", "Ann")),
    ] {
        assert_eq!(credited(rule, byline, credit), expected);
    }
}

#[test]
fn the_publication_of_a_byline_becomes_the_credit() {
    let rule: &[Rule] = &[cleaners::credit_from_byline::clean];
    for ((byline, credit), expected) in [
        (("Jo FOR THE OBSERVER", "x"), pair("Jo", "The Observer")),
        (("Jo for the Guardian Weekly", "x"), pair("Jo for the Guardian Weekly", "x")),
        (("Jo for the Gua", "x"), pair("Jo for the Gua", "x")),
        ((" for the Guardian", "x"), pair(" for the Guardian", "x")),
        (("Alexandrina Merrick for the Obs", "x"), pair("Alexandrina Merrick for the Obs", "x")),
    ] {
        assert_eq!(credited(rule, byline, credit), expected);
    }
}

#[test]
fn a_credit_and_a_photographer_are_written_as_configured() {
    let settings = Settings { photographer_names: texts(&[("J Doe", "Jane Doe")]), ..settings() };
    let (metadata, _) = through(&ALL, &lines("J. Doe", "Guardian"), &FileMetadata::default(), &settings);
    assert_eq!(metadata, lines("Jane Doe", "The Guardian"));
}

#[test]
fn initials_lose_their_dots() {
    let rule: &[Rule] = &[cleaners::byline_style::clean];
    for (byline, expected) in [
        ("A. B. Carter", "A B Carter"),
        ("J.kodama", "J kodama"),
        ("Jo B.", "Jo B"),
        ("Jo St. Lee", "Jo St. Lee"),
        ("A.-B. Lee", "A.-B Lee"),
        ("É. Lee", "É. Lee"),
        ("éA. Lee", "éA. Lee"),
        ("O'Neil", "O’Neil"),
    ] {
        assert_eq!(credited(rule, byline, "<absent>"), pair(expected, "<absent>"));
    }
}

#[test]
fn initials_are_joined_in_pairs() {
    let rule: &[Rule] = &[cleaners::join_initials::clean];
    for (byline, expected) in
        [("A B Carter", "AB Carter"), ("A B C Carter", "AB C Carter"), ("Jo A Lee", "Jo A Lee"), ("A  É", "AÉ")]
    {
        assert_eq!(credited(rule, byline, "<absent>"), pair(expected, "<absent>"));
    }
}

#[test]
fn only_names_of_persons_are_capitalised() {
    let rule: &[Rule] = &[cleaners::byline_case::clean];
    for (byline, expected) in [
        ("VON DER HEIDE", "Von der Heide"),
        ("JO LEE/AFP", "JO LEE/AFP"),
        ("JO LEE 2", "JO LEE 2"),
        ("MADONNA", "MADONNA"),
        ("Jo LEE", "Jo LEE"),
        ("jo  le’a-lee", "Jo Le’A-Lee"),
    ] {
        assert_eq!(credited(rule, byline, "<absent>"), pair(expected, "<absent>"));
    }
}

#[test]
fn the_first_known_code_names_the_country() {
    let country = |code: &str, iptc: &[(&str, &str)]| {
        let file = FileMetadata { iptc: texts(iptc), ..xmp(&json!({ "Iptc4xmpCore:CountryCode": code })) };
        let metadata = ImageMetadata { country: some("as it was"), ..ImageMetadata::default() };
        through(&[cleaners::country_code::clean], &metadata, &file, &settings()).0.country
    };
    assert_eq!(country("NOR", &[("Country/Primary Location Name", "NORGE")]), some("Norway"));
    assert_eq!(country("nor", &[("Country/Primary Location Code", "GDR")]), some("German Democratic Republic"));
    assert_eq!(country("Norway", &[]), some("as it was"));
    assert_eq!(country("XXX", &[("Country/Primary Location Code", "UK")]), some("United Kingdom"));
    assert_eq!(country("CI", &[]), some("Côte d’Ivoire"));
}

#[test]
fn the_source_type_says_the_type_of_the_image() {
    let image_type = |source: serde_json::Value| {
        let file = xmp(&json!({ "Iptc4xmpExt:DigitalSourceType": source }));
        let metadata = ImageMetadata { image_type: some("Photograph"), ..ImageMetadata::default() };
        through(&[cleaners::image_type::clean], &metadata, &file, &settings()).0.image_type
    };
    let term = |term: &str| json!(format!("{}://cv.iptc.org/newscodes/digitalsourcetype/{term}", "https"));
    assert_eq!(image_type(term("digitalArt")), some("Illustration"));
    assert_eq!(image_type(json!([term("composite")])), some("Composite"));
    assert_eq!(image_type(term("print")), None);
    assert_eq!(image_type(json!("digitalArt")), None);
    assert_eq!(image_type(json!([])), some("Photograph"));
}

/// Texts in which the rules find something to do.
fn line() -> impl Strategy<Value = Option<String>> {
    let token = prop::sample::select(vec![
        "Jo",
        "LEE",
        "o'neil",
        "A.",
        "B",
        " via ",
        "/",
        " - ",
        "#",
        " ",
        "Handout",
        "©",
        "for the ",
        "Guardian",
        "é",
        "\n",
        "Copyright",
        "-",
    ]);
    let tokens = prop::collection::vec(token, 0..8).prop_map(|tokens| tokens.concat());
    prop::option::of(prop_oneof![tokens, any::<String>()])
}

proptest! {
    #[test]
    fn any_metadata_can_be_tidied(byline in line(), credit in line(), city in line(), other in line()) {
        let untouched = ImageMetadata { source: other.clone(), copyright: other.clone(), ..ImageMetadata::default() };
        let metadata = ImageMetadata { byline, credit, city, title: other.clone(), description: other, ..untouched };
        for parity in [Parity::Grid, Parity::Fixed] {
            let settings = Settings { parity, ..settings() };
            let (tidy, rights) = through(&ALL, &metadata, &FileMetadata::default(), &settings);
            prop_assert_eq!((&tidy.source, &tidy.copyright), (&metadata.source, &metadata.copyright));
            prop_assert_eq!(tidy.title, None, "the description begins with it");
            prop_assert!(rights.are_none());
            prop_assert!(tidy.byline.is_none() || metadata.byline.is_some());
        }
    }

    #[test]
    fn what_these_rules_have_tidied_is_tidy(byline in line(), credit in line(), city in line(), title in line()) {
        let metadata =
            ImageMetadata { byline, credit, city, description: title.clone(), title, ..ImageMetadata::default() };
        let idempotent: [Rule; 6] = [
            cleaners::rubbish_location::clean,
            cleaners::copyright_prefix::clean,
            cleaners::canonical_credit::clean,
            cleaners::byline_style::clean,
            cleaners::redundant_title::clean,
            cleaners::image_type::clean,
        ];
        for rule in idempotent {
            let once = through(&[rule], &metadata, &FileMetadata::default(), &settings()).0;
            prop_assert_eq!(through(&[rule], &once, &FileMetadata::default(), &settings()).0, once);
        }
    }
}
