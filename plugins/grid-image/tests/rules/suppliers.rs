//! Rules that find out who supplied an image.

use grid_image::{
    FileMetadata, ImageMetadata, Parity, Settings, UsageRights,
    settings::{Photographer, Photographers},
    suppliers::ALL,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::samples::{at, json as written, settings, some, texts, through, xmp};

fn credited(credit: &str) -> ImageMetadata {
    ImageMetadata { credit: some(credit), ..ImageMetadata::default() }
}

fn supplied(metadata: &ImageMetadata, file: &FileMetadata) -> (ImageMetadata, UsageRights) {
    through(&ALL, metadata, file, &settings())
}

fn agency(supplier: &str) -> Value {
    json!({"category": "agency", "supplier": supplier})
}

fn collection(supplier: &str, collection: &str) -> Value {
    json!({"category": "agency", "supplier": supplier, "suppliersCollection": collection})
}

/// Checks the rights, and the credit after the rules, of an image with nothing but a credit.
fn check(credit: &str, expected: (Value, &str)) {
    let (metadata, rights) = supplied(&credited(credit), &FileMetadata::default());
    assert_eq!((written(&rights), metadata.credit), (expected.0, some(expected.1)), "{credit}");
}

#[test]
fn suppliers_are_found_as_in_the_examples() {
    check("Lens Co/ap", (collection("AP", "Lens Co"), "Lens Co/AP"));
    check("Jo Park/PA Archive/PA Images/Film4", (agency("PA"), "Jo Park/Film4/PA"));
    check("Kim Doe/desk via Reuters", (agency("Reuters"), "Kim Doe/desk/Reuters"));
    check("Prod X/Alamy Stock Photo", (agency("Alamy"), "Prod X/Alamy"));
    check("ALLSTAR", (json!({}), "ALLSTAR"));
}

#[test]
fn getty_is_known_by_its_notes_as_in_the_example() {
    let file = FileMetadata { getty: texts(&[("Asset ID", "9")]), ..FileMetadata::default() };
    let metadata = ImageMetadata { source: some("Getty Images Asia"), ..credited("wireimage") };
    let (metadata, rights) = supplied(&metadata, &file);
    assert_eq!(written(&rights), collection("Getty Images", "WireImage"));
    assert_eq!((metadata.credit, metadata.suppliers_reference), (some("wireimage"), some("9")));

    let (metadata, rights) = supplied(&ImageMetadata::default(), &file);
    assert_eq!((written(&rights), metadata.credit), (agency("Getty Images"), some("Getty Images")));
}

#[test]
fn a_byline_that_is_the_collection_is_dropped_as_in_the_example() {
    let metadata = ImageMetadata { byline: some("Mega Films"), ..credited("MEGA FILMS/Allstar") };
    let (metadata, rights) = supplied(&metadata, &FileMetadata::default());
    assert_eq!(written(&rights), collection("Allstar Picture Library", "Mega Films"));
    assert_eq!((metadata.credit, metadata.byline), (some("Mega Films/Allstar"), None));
}

#[test]
fn an_exclusive_image_of_rex_has_no_rights_as_in_the_example() {
    let metadata = |instructions| ImageMetadata {
        source: some("Shutterstock"),
        special_instructions: instructions,
        ..ImageMetadata::default()
    };
    let rights = |instructions| written(&supplied(&metadata(instructions), &FileMetadata::default()).1);
    assert_eq!(rights(some("EXCLUSIVE - call")), json!({}));
    assert_eq!(rights(some("call")), agency("Rex Features"));
    assert_eq!(rights(None), agency("Rex Features"));
}

#[test]
fn each_agency_is_known_by_its_credits() {
    for (credit, rights, after) in [
        ("AAPIMAGE", agency("AAP"), "AAP"),
        ("Action images/Reuters", agency("Action Images"), "Action Images/Reuters"),
        ("Alamy Live News", json!({}), "Alamy Live News"),
        ("Associated Press", agency("AP"), "AP"),
        ("Invision/AP", collection("AP", "Invision"), "Invision/AP"),
        ("Invision for Acme", collection("AP", "Invision"), "Invision for Acme"),
        ("/ap", json!({}), "/ap"),
        ("Jo/EPA", agency("EPA"), "Jo/EPA"),
        ("EPAs", json!({}), "EPAs"),
        ("pa wire", agency("PA"), "PA"),
        ("PA Archive/PA", agency("PA"), "PA Archive/PA"),
        ("Jo/PA", agency("PA"), "Jo/PA"),
        ("PAX", json!({}), "PAX"),
        ("REUTERS/", agency("Reuters"), "Reuters"),
        ("via retuers", agency("Reuters"), "Reuters"),
        ("Jo / Reuters", agency("Reuters"), "Jo/Reuters"),
        ("Jo/Gazeta Agencja/REUTERS", agency("Reuters"), "Agencja Wyborcza.pl/Reuters"),
        ("x/Action Images via Reuters", json!({}), "x/Action Images via Reuters"),
        ("Jo/ Rex Features", agency("Rex Features"), "Jo/ Rex Features"),
        ("/ Rex Features", json!({}), "/ Rex Features"),
        ("Ronald Grant Archive", agency("Ronald Grant Archive"), "Ronald Grant"),
        ("Sportsphoto Ltd.", agency("Allstar Picture Library"), "Sportsphoto"),
        ("ACME/Sportsphoto/Film", collection("Allstar Picture Library", "Acme/Film"), "Acme/Film/Sportsphoto"),
        ("Allstar/x/Allstar Picture Library", collection("Allstar Picture Library", "X"), "X/Allstar"),
    ] {
        check(credit, (rights, after));
    }
}

#[test]
fn other_lines_and_tags_count_as_well() {
    let usa_today = ImageMetadata { copyright: some("USA Today Sports"), ..ImageMetadata::default() };
    let iptc = texts(&[("Fixture Identifier", "F1"), ("Unique Document Identifier", "U1")]);
    let file = FileMetadata { iptc, ..FileMetadata::default() };
    let (metadata, rights) = supplied(&usa_today, &file);
    assert_eq!(written(&rights), agency("Reuters"));
    assert_eq!((metadata.credit, metadata.suppliers_reference), (some("USA Today Sports"), some("F1")));
    assert_eq!(supplied(&credited("EPA"), &file).0.suppliers_reference, some("U1"));

    let corbis = ImageMetadata { source: some("Corbis"), ..credited("x") };
    assert_eq!(written(&supplied(&corbis, &file).1), agency("Corbis"));
    let pa = ImageMetadata { source: some("PA"), ..credited("x") };
    assert_eq!(written(&supplied(&pa, &file).1), agency("PA"));

    let file = xmp(&json!({"plus:ImageSupplierImageID": ["S1"]}));
    assert_eq!(supplied(&credited("AP Photo"), &file).0.suppliers_reference, some("S1"));
}

#[test]
fn pa_is_credited_once_where_quirks_are_fixed() {
    let fixed = Settings { parity: Parity::Fixed, ..settings() };
    let (metadata, _) = through(&ALL, &credited("PA Archive/PA"), &FileMetadata::default(), &fixed);
    assert_eq!(metadata.credit, some("PA"));
}

#[test]
fn an_agency_moves_from_the_byline_to_the_credit() {
    let metadata = ImageMetadata { byline: some("Jo/Allstar Picture Library/Film"), ..credited("Film") };
    let (metadata, rights) = supplied(&metadata, &FileMetadata::default());
    assert_eq!((metadata.byline, metadata.credit), (some("Jo"), some("Film/Allstar")));
    assert_eq!(written(&rights), collection("Allstar Picture Library", "Film"));

    let metadata = ImageMetadata { byline: some("Allstar"), ..ImageMetadata::default() };
    let (metadata, rights) = supplied(&metadata, &FileMetadata::default());
    assert_eq!((metadata.byline, metadata.credit), (None, some("Allstar")));
    assert_eq!(written(&rights), agency("Allstar Picture Library"));
}

#[test]
fn descriptions_of_rex_lose_what_stands_elsewhere() {
    let described = |description: &str, byline: &str, credit: &str| {
        let metadata = ImageMetadata {
            description: some(description),
            byline: some(byline),
            source: some("Rex Features"),
            special_instructions: some("Call first"),
            suppliers_reference: some("12(a)"),
            ..credited(credit)
        };
        supplied(&metadata, &FileMetadata::default()).0.description
    };
    let line = "Mandatory Credit: Photo by Jo Lee/ACME/Shutterstock (12(a))\n";
    let text = format!("Call first\n{line}A view\nCall first\nof it");
    assert_eq!(described(&text, "Jo Lee", "Acme/Shutterstock"), some("A view\nof it"));
    assert_eq!(described(&text, "Jo Lee", "Shutterstock"), some(&format!("{line}A view\nof it")));
    assert_eq!(described("A view", "Jo Lee", "Acme"), some("A view"));
}

fn with_photographers() -> Settings {
    let list = |publication: &str, name: &str, from: Option<&str>, to: Option<&str>| Photographers {
        publication: publication.to_owned(),
        photographers: vec![Photographer {
            name: name.to_owned(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        }],
    };
    let mut settings = settings();
    settings.own.staff_photographers = vec![list("The Guardian", "Jo Lee", Some("2020-01-02"), Some("2020-01-03"))];
    settings.own.contract_photographers = vec![list("The Observer", "Jo Lee", None, None)];
    settings
}

#[test]
fn own_photographers_are_known_by_name_and_day() {
    let rights = |taken: &str| {
        let metadata =
            ImageMetadata { byline: some("JO LEE"), date_taken: Some(at(taken)), ..ImageMetadata::default() };
        through(&ALL, &metadata, &FileMetadata::default(), &with_photographers())
    };
    let (metadata, staff) = rights("2020-01-03T23:59:00Z");
    assert_eq!(
        written(&staff),
        json!({"category": "staff-photographer", "photographer": "JO LEE", "publication": "The Guardian"})
    );
    let said = (metadata.byline, metadata.credit, metadata.copyright, metadata.image_type);
    assert_eq!(said, (some("JO LEE"), some("The Guardian"), some("The Guardian"), some("Photograph")));
    assert_eq!(rights("2020-01-02").1, staff);
    for taken in ["2020-01-01T23:59:59Z", "2020-01-04"] {
        assert_eq!(
            written(&rights(taken).1),
            json!({"category": "contract-photographer", "photographer": "JO LEE", "publication": "The Observer"})
        );
    }
}

#[test]
fn an_agency_comes_before_an_own_photographer() {
    let metadata = ImageMetadata { byline: some("Jo Lee"), ..credited("AAP") };
    let (_, rights) = through(&ALL, &metadata, &FileMetadata::default(), &with_photographers());
    assert_eq!(written(&rights), agency("AAP"));
}

proptest! {
    #[test]
    fn any_credit_line_has_an_answer(
        parts in prop::collection::vec(prop::sample::select(vec![
            "Jo", "ACME", "/", " ", "Allstar", "Sportsphoto Ltd", "Allstar Picture Library", "ap", "PA", "Reuters", "via ",
            "é", "\n", "Alamy",
        ]), 0..9),
        byline in any::<Option<String>>(),
    ) {
        for byline in [byline, Some(parts.iter().rev().copied().collect())] {
            let (metadata, rights) = supplied(&ImageMetadata { byline, ..credited(&parts.concat()) }, &FileMetadata::default());
            if rights.get("supplier") == Some("Allstar Picture Library") {
                let credit = metadata.credit.unwrap();
                prop_assert!(credit.ends_with("Allstar") || credit.ends_with("Sportsphoto"), "{}", credit);
                let byline = metadata.byline.unwrap_or_default();
                prop_assert!(byline.split('/').all(|part| part != "Allstar"), "{}", byline);
            }
        }
    }
}
