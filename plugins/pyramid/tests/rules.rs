//! The rules of names, owners, limits and settings, without any bucket.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use proptest::prelude::*;
use pyramid::{
    name::{ENDINGS, Master},
    options::Options,
    plan::{Seen, Task, plan},
    request::Request,
};
use reindex_guest::{
    Compression, Condition, Content, Effect, Format, Kept, ObjectDelete, ObjectWrite, Outcome, Rendition, Step,
    image::{Header, Size},
    storage::ObjectInfo,
};

fn request(key: &str) -> Request {
    Request::read(&format!("{{\"key\":{key:?}}}"), false).unwrap()
}

fn object(key: &str, etag: &str, metadata: &[(&str, &str)]) -> ObjectInfo {
    let metadata = metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ObjectInfo { key: key.to_owned(), size: 9, etag: etag.to_owned(), content_type: None, metadata }
}

fn header(width: u32, height: u32) -> Header {
    Header {
        format: "jpeg".to_owned(),
        size: 9,
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

/// What is planned for a master that lies alone.
fn planned(request: Request, metadata: &[(&str, &str)], options: &Options) -> Task {
    let master = object(&request.master.key, "e1", metadata);
    let namesakes = vec![request.master.key.clone()];
    plan(request, Seen { master: Some(master), namesakes, made: None, record: None }, options).unwrap()
}

fn bounds(rendition: &Rendition) -> (u32, u32) {
    let found =
        rendition.steps.iter().find_map(|step| if let Step::Reduce(bounds) = step { Some(*bounds) } else { None });
    found.map(|bounds| (bounds.width, bounds.height)).unwrap()
}

fn limits(body: &str, metadata: &[(&str, &str)], settings: &str) -> (u32, u32) {
    let options = Options::read(settings).unwrap();
    bounds(&planned(Request::read(body, false).unwrap(), metadata, &options).measured(&options))
}

fn effects(task: Task, header: &Header, options: &Options) -> Vec<Effect> {
    let size = Size { width: header.width, height: header.height };
    match task.outcome(header, size, options) {
        Outcome::Effects(effects) => effects,
        other => panic!("{other:?}"),
    }
}

fn stored(effects: &[Effect]) -> &ObjectWrite {
    effects.iter().find_map(|effect| if let Effect::PutObject(write) = effect { Some(write) } else { None }).unwrap()
}

fn rendition(write: &ObjectWrite) -> &Rendition {
    if let Content::Rendition(rendition) = &write.content { rendition } else { panic!("{write:?}") }
}

#[test]
fn a_name_that_ends_like_an_image_is_one_whatever_its_letters() {
    for (key, output) in [
        ("digital/isaac_gala/lantern.png", "digital/isaac_gala/lantern.tif"),
        ("lantern.JPG", "lantern.tif"),
        ("a/b.c/d.e.Jpeg", "a/b.c/d.e.tif"),
        ("a/p.tif", "a/p.tif"),
        ("a/p.TIFF", "a/p.tif"),
        (" a / p+q%20.heic", " a / p+q%20.tif"),
        ("写真/灯.webp", "写真/灯.tif"),
        ("/p.gif", "/p.tif"),
        ("//p.bmp", "//p.tif"),
        ("a/p.jpg.png", "a/p.jpg.tif"),
    ] {
        assert_eq!(Master::of(key).unwrap().output(false).unwrap(), output, "{key}");
    }
    assert_eq!(Master::of("x/p.jpg").unwrap().output(true).unwrap(), "x/p.jpg.tif");
    let document = Master::of("x/p.PDF").unwrap();
    assert_eq!((document.copy(false), document.copy(true)), ("x/p.pdf".to_owned(), "x/p.PDF".to_owned()));
}

#[test]
fn any_other_name_is_skipped_with_the_reason() {
    for key in ["a/notes.txt", "jpg", "a.jpg/b", "a.jpg/", "p.jpg ", "p.jpgx", "pjpg", "ä.svg", ""] {
        assert!(matches!(Master::of(key), Err(Outcome::Skip(reason)) if reason.contains(".heic")), "{key}");
    }
    for key in [".jpg", "a/.p.jpg", ".DS_Store", "a/._p.tif"] {
        assert!(matches!(Master::of(key), Err(Outcome::Skip(reason)) if reason.contains("dot")), "{key}");
    }
}

#[test]
fn a_key_for_which_there_is_no_room_is_refused() {
    let key = format!("{}.jpg", "a".repeat(1020));
    let master = Master::of(&key).unwrap();
    assert_eq!(master.output(false).unwrap().len(), 1024);
    assert!(master.output(true).unwrap_err().reason().contains("1028"));
    assert!(matches!(Request::read(&format!("{{\"key\":{key:?}}}"), true), Err(Outcome::Invalid(_))));
}

#[test]
fn a_request_that_names_no_image_says_why() {
    let reason = |body: &str| match Request::read(body, false) {
        Err(Outcome::Invalid(reason)) => reason,
        other => panic!("{body}: {other:?}"),
    };
    assert_eq!(reason("{}"), "key is missing");
    assert_eq!(reason(r#"{"key":""}"#), "key is empty");
    assert_eq!(reason(r#"{"key":null}"#), "key is null");
    assert_eq!(
        reason(r#"{"key":"requests/message-1.json","message":"<xml>","unreadable":"it is not JSON"}"#),
        "an event that could not be read: it is not JSON: <xml>"
    );
    assert_eq!(
        reason(r#"{"bucket":"other","key":"p.jpg"}"#),
        "its bucket is `other`; masters are looked for in `masters`"
    );
    assert_eq!(reason(r#"{"key":"p.jpg","request":{"bucket":"process"}}"#), "request.key is missing");
    assert_eq!(reason("[]"), "the item is not a map");
}

#[test]
fn a_request_is_removed_only_while_nobody_replaced_it() {
    let body = r#"{"key":"p.jpg","request":{"bucket":"process","key":"r.json","eTag":"r1"}}"#;
    let removal = |etag: Option<&str>| {
        let etag = etag.map(str::to_owned);
        Effect::DeleteObject(ObjectDelete { bucket: "process".to_owned(), key: "r.json".to_owned(), etag })
    };
    let last = |body: &str| {
        let options = Options::default();
        let task = planned(Request::read(body, false).unwrap(), &[], &options);
        effects(task, &header(10, 10), &options).pop().unwrap()
    };
    assert_eq!(last(body), removal(Some("r1")));
    assert_eq!(last(&body.replace(r#","eTag":"r1""#, "")), removal(None));
    assert!(matches!(last(r#"{"key":"p.jpg"}"#), Effect::PutObject(_)));
}

#[test]
fn the_status_comes_from_the_request_else_from_the_object_else_from_the_recipe() {
    let (usual, small) = ((4000, 4000), (843, 560));
    let plain = r#"{"key":"p.jpg"}"#;
    let default = r#"{"default-status":"Copyright"}"#;
    assert_eq!(limits(plain, &[], "{}"), usual);
    assert_eq!(limits(plain, &[], default), small);
    assert_eq!(limits(plain, &[("copyrightstatus", "public domain")], default), usual);
    assert_eq!(limits(plain, &[("copyright-status", "COPYRIGHT")], "{}"), small);
    assert_eq!(limits(r#"{"copyrightStatus":"copyright","key":"p.jpg"}"#, &[], "{}"), small);
    assert_eq!(
        limits(r#"{"copyrightStatus":" CopyRight ","key":"p.jpg"}"#, &[("copyrightstatus", "free")], "{}"),
        small
    );
    assert_eq!(
        limits(r#"{"copyrightStatus":"free","key":"p.jpg"}"#, &[("copyrightstatus", "copyright")], default),
        usual
    );
    for nothing in ["null", "\"\"", "[]"] {
        let body = format!(r#"{{"copyrightStatus":{nothing},"key":"p.jpg"}}"#);
        assert_eq!(limits(&body, &[("copyrightstatus", "copyright")], "{}"), small, "{nothing}");
    }
    let settings = r#"{"copyright-max-height":2,"copyright-max-width":1,"max-height":4,"max-width":3}"#;
    assert_eq!(limits(plain, &[], settings), (3, 4));
    assert_eq!(limits(r#"{"copyrightStatus":"copyright","key":"p.jpg"}"#, &[], settings), (1, 2));
}

/// A TIFF that some master of `p.*` was made into.
fn made(ending: &str) -> ObjectInfo {
    object("p.tif", "t1", &[("master-ending", ending), ("master-etag", "e1")])
}

fn owner(key: &str, namesakes: &[&str], made: Option<ObjectInfo>) -> Result<Task, Outcome> {
    let namesakes = namesakes.iter().map(|key| (*key).to_owned()).collect();
    plan(
        request(key),
        Seen { master: Some(object(key, "e9", &[])), namesakes, made, record: None },
        &Options::default(),
    )
}

#[test]
fn of_two_masters_of_one_stem_the_first_by_key_has_the_tiff() {
    let both = ["p.jpg", "p.png"];
    assert!(owner("p.jpg", &both, None).is_ok());
    let refused = owner("p.png", &both, None);
    assert!(
        matches!(&refused, Err(Outcome::Invalid(reason)) if reason.contains("`p.tif` is made of `p.jpg`")),
        "{refused:?}"
    );
    // Large letters come first.
    assert!(owner("p.PNG", &["p.jpg", "p.PNG"], None).is_ok());
}

#[test]
fn a_tiff_belongs_to_the_master_it_was_made_of_while_that_is_there() {
    let both = ["p.jpg", "p.png"];
    assert!(owner("p.png", &both, Some(made(".png"))).is_ok());
    assert!(matches!(owner("p.jpg", &both, Some(made(".png"))), Err(Outcome::Invalid(_))));
    assert!(owner("p.jpg", &["p.jpg"], Some(made(".png"))).is_ok());
    // One of another program belongs to nobody.
    let foreign = || Some(object("p.tif", "t1", &[]));
    assert!(owner("p.jpg", &both, foreign()).is_ok());
    assert!(matches!(owner("p.png", &both, foreign()), Err(Outcome::Invalid(_))));
}

#[test]
fn a_whole_name_is_nobody_elses() {
    let request = Request::read(r#"{"key":"p.png"}"#, true).unwrap();
    let seen = Seen { master: Some(object("p.png", "e9", &[])), namesakes: Vec::new(), made: None, record: None };
    assert!(plan(request, seen, &Options::default()).is_ok());
}

#[test]
fn a_tiff_is_stored_only_where_what_was_seen_is_there_still() {
    let condition = |made| {
        let task = owner("p.jpg", &["p.jpg"], made).unwrap();
        stored(&effects(task, &header(10, 10), &Options::default())).condition.clone()
    };
    assert_eq!(condition(None), Condition::Absent);
    assert_eq!(condition(Some(made(".jpg"))), Condition::Etag("t1".to_owned()));
}

#[test]
fn a_master_is_not_replaced_where_both_buckets_are_one() {
    let itself = object("p.tif", "e9", &[]);
    let refused = owner("p.tif", &["p.tif"], Some(itself.clone()));
    assert!(matches!(&refused, Err(Outcome::Invalid(reason)) if reason.contains("one bucket")), "{refused:?}");
    assert!(owner("p.tif", &["p.tif"], Some(ObjectInfo { etag: "t1".to_owned(), ..itself })).is_ok());
}

#[test]
fn what_is_not_there_is_not_found() {
    let outcome = plan(
        request("p.jpg"),
        Seen { master: None, namesakes: Vec::new(), made: None, record: None },
        &Options::default(),
    );
    assert_eq!(outcome, Err(Outcome::NotFound("there is no object `p.jpg` in `masters`".to_owned())));
}

#[test]
fn what_was_made_of_this_master_in_this_way_is_left_alone_unless_it_is_forced() {
    let options = Options::default();
    let body = r#"{"key":"p.jpg","request":{"bucket":"process","key":"r.json","eTag":"r1"}}"#;
    let first = effects(planned(Request::read(body, false).unwrap(), &[], &options), &header(40, 30), &options);
    let metadata = stored(&first).metadata.clone();
    let again = |body: &str, etag: &str, settings: &str| {
        let made = ObjectInfo { metadata: metadata.clone(), ..object("p.tif", "t1", &[]) };
        let master = Some(object("p.jpg", etag, &[]));
        let seen = Seen { master, namesakes: vec!["p.jpg".to_owned()], made: Some(made), record: None };
        plan(Request::read(body, false).unwrap(), seen, &Options::read(settings).unwrap())
    };
    assert_eq!(again(body, "e1", "{}"), Err(Outcome::Effects(first[1..].to_vec())));
    assert!(again(body, "e2", "{}").is_ok());
    assert!(again(&body.replace("p.jpg\"", "p.jpg\",\"force\":true"), "e1", "{}").is_ok());
    for other in [r#"{"tile":256}"#, r#"{"preset":"serving"}"#, r#"{"max-width":3999}"#, r#"{"keep":"nothing"}"#] {
        assert!(again(body, "e1", other).is_ok(), "{other}");
    }
}

#[test]
fn what_is_noted_down_with_a_tiff_fits_where_metadata_is_kept() {
    let task = planned(request(&format!("{}.JPEG", "灯".repeat(339))), &[], &Options::default());
    let effects = effects(task, &header(4000, 3000), &Options::default());
    let metadata = &stored(&effects).metadata;
    assert_eq!(metadata[0], ("master-ending".to_owned(), ".JPEG".to_owned()));
    assert_eq!(metadata[3], ("size".to_owned(), "4000x3000".to_owned()));
    assert!(metadata.iter().all(|(_, value)| value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')));
}

#[test]
fn of_a_document_the_first_page_is_taken_and_itself_copied_before() {
    let options = Options::read(r#"{"pdf-density":150}"#).unwrap();
    let effects = effects(planned(request("a/p.PDF"), &[], &options), &header(10, 10), &options);
    assert_eq!(effects[0], Effect::copy_object(("masters", "a/p.PDF"), ("images", "a/p.pdf")));
    let write = stored(&effects);
    assert_eq!((write.key.as_str(), write.content_type.as_deref()), ("a/p.tif", Some("image/tiff")));
    let picture = &rendition(write).picture;
    assert_eq!((picture.page, picture.density, picture.etag.as_deref()), (0, Some(150.0), Some("e1")));
}

#[test]
fn an_image_is_turned_before_it_is_reduced() {
    let options = Options::default();
    let steps = planned(request("p.jpg"), &[], &options).measured(&options).steps;
    assert!(matches!(steps[..], [Step::Orient, Step::Reduce(_)]), "{steps:?}");
}

#[test]
fn what_a_compression_cannot_hold_is_taken_care_of_before() {
    let steps_of = |key: &str, settings: &str, header: &Header| {
        let options = Options::read(settings).unwrap();
        let effects = effects(planned(request(key), &[], &options), header, &options);
        rendition(stored(&effects)).steps.len()
    };
    let steps = |settings: &str, header: &Header| steps_of("p.png", settings, header);
    let transparent = Header { alpha: true, bands: 4, ..header(10, 10) };
    let deep = Header { bits: 16, colour: "rgb16".to_owned(), ..header(10, 10) };
    assert_eq!(steps("{}", &transparent), 2);
    assert_eq!(steps_of("p.pdf", "{}", &transparent), 3);
    assert_eq!(steps(r#"{"preset":"serving"}"#, &transparent), 3);
    assert_eq!(steps(r#"{"preset":"serving"}"#, &header(10, 10)), 2);
    assert_eq!(steps(r#"{"compression":"webp"}"#, &deep), 3);
    assert_eq!(steps(r#"{"compression":"webp"}"#, &header(10, 10)), 2);
}

#[test]
fn a_tiff_that_may_pass_four_gibibytes_is_a_big_one() {
    let big = |settings: &str, header: &Header| {
        let options = Options::read(settings).unwrap();
        let effects = effects(planned(request("p.png"), &[], &options), header, &options);
        let Format::Tiff(tiff) = rendition(stored(&effects)).format else { panic!() };
        tiff.bigtiff
    };
    assert!(!big("{}", &header(30_000, 30_000)));
    assert!(big("{}", &header(40_000, 30_000)));
    assert!(big("{}", &Header { bits: 16, ..header(30_000, 30_000) }));
    assert!(big(r#"{"bigtiff":true}"#, &header(10, 10)));
}

#[test]
fn the_presets_are_those_of_the_documentation_and_each_part_can_be_said() {
    let archive = Options::default().tiff;
    assert_eq!((archive.tile, archive.compression, archive.resolution), (512, Compression::Deflate, Some(11.812)));
    let serving = Options::read(r#"{"preset":"serving"}"#).unwrap().tiff;
    assert_eq!((serving.tile, serving.compression, serving.quality), (256, Compression::Jpeg, 85));
    let own = r#"{"preset":"serving","compression":"webp","quality":70,"tile":128,"subifd":true,"bigtiff":true,
        "rgbjpeg":true,"resolution":4,"keep":"all"}"#;
    let own = Options::read(own).unwrap().tiff;
    assert_eq!((own.tile, own.compression, own.quality, own.resolution), (128, Compression::Webp, 70, Some(4.0)));
    assert!(own.subifd && own.bigtiff && own.rgb_jpeg && own.keep == Kept::All && own.pyramid);
}

#[test]
fn a_setting_that_is_none_or_cannot_be_is_refused_in_words() {
    for (settings, reason) in [
        (r#"{"tiles":256}"#, "the plugin has no setting `tiles`; there are preset, compression"),
        (r#"{"tile":100}"#, "the plugin's setting `tile` is `100`, not a multiple of 16"),
        (r#"{"tile":"256"}"#, "the plugin's setting `tile` is `256`, not a whole number from 16 to 8192"),
        (r#"{"quality":0}"#, "not a whole number from 1 to 100"),
        (r#"{"quality":256}"#, "not a whole number from 1 to 100"),
        (r#"{"compression":"gzip"}"#, "is `gzip`, not one of none, deflate, lzw, jpeg, zstd, webp"),
        (r#"{"preset":"small"}"#, "is `small`, not one of archive, serving"),
        (r#"{"whole-name":1}"#, "is `1`, not true or false"),
        (r#"{"max-width":0}"#, "not a whole number from 1 to"),
        (r#"{"resolution":-1}"#, "not a number from"),
        (r#"{"default-status":null}"#, "is `null`, not a text"),
        (r#"{"records":true}"#, "is `true`, not a table of attribute names"),
        (r#"{"records":{"hight":"h"}}"#, "has no setting `records.hight`; there are height, width, time"),
        (r#"{"records":{"height":"a\"b"}}"#, "not an attribute's name"),
    ] {
        let flaws = Options::read(settings).unwrap_err();
        assert!(flaws.len() == 1 && flaws[0].reason.contains(reason), "{settings}: {flaws:?}");
    }
    let all = Options::read(r#"{"tiles":256,"records":{"hight":"h"},"preset":"small","quality":90}"#).unwrap_err();
    let wrong: Vec<_> = all.iter().map(|flaw| flaw.setting.as_str()).collect();
    assert_eq!(wrong, ["preset", "tiles", "records.hight"]);
    assert_eq!(Options::read("[]").unwrap_err()[0].setting, "");
}

/// The updates of a record of this text, when its TIFF is made and when that is done already.
fn updates(record: Option<&str>) -> [Vec<Effect>; 2] {
    let options = Options::read(r#"{"records":{"time":"dateModified","width":"w"}}"#).unwrap();
    let seen = |made| Seen {
        master: Some(object("p.jpg", "e1", &[])),
        namesakes: vec!["p.jpg".to_owned()],
        made,
        record: record.map(str::to_owned),
    };
    let only = |effects: Vec<Effect>| {
        effects.into_iter().filter(|effect| matches!(effect, Effect::UpdateRecord(_))).collect::<Vec<_>>()
    };
    let first = effects(plan(request("p.jpg"), seen(None), &options).unwrap(), &header(40, 30), &options);
    let made = ObjectInfo { metadata: stored(&first).metadata.clone(), ..object("p.tif", "t1", &[]) };
    let Err(Outcome::Effects(again)) = plan(request("p.jpg"), seen(Some(made)), &options) else { panic!() };
    [only(first), only(again)]
}

#[test]
fn a_record_that_is_there_takes_height_width_and_time_under_the_names_of_the_recipe() {
    let update = || Effect::update_record("records", "p.jpg", r#"{"height":30,"w":40}"#).with_time("dateModified");
    assert_eq!(updates(None), [vec![], vec![]]);
    assert_eq!(updates(Some(r#"{"height":30,"id":"p.jpg","w":40}"#)), [vec![update()], vec![]]);
    // A run was killed before it.
    for record in [r#"{"id":"p.jpg"}"#, r#"{"height":40,"id":"p.jpg","w":30}"#, r#"{"height":null,"id":"p.jpg"}"#] {
        assert_eq!(updates(Some(record)), [vec![update()], vec![update()]], "{record}");
    }
}

proptest! {
    #[test]
    fn every_spelling_of_every_ending_is_found_among_the_namesakes(
        base in "[a-zé./+% ]{0,20}[a-z]", at in 0..ENDINGS.len(), large in any::<u32>(),
    ) {
        let spelled = |(n, c): (usize, char)| if large >> n & 1 == 1 { c.to_ascii_uppercase() } else { c };
        let key = format!("{base}{}", ENDINGS[at].chars().enumerate().map(spelled).collect::<String>());
        let other = Master::of(&format!("{base}.jpg"));
        prop_assume!(other.is_ok());
        let other = other.unwrap();
        prop_assert!(other.shares_stem_with(&key));
        prop_assert!(other.namesakes().any(|namesake| namesake == key));
        let master = Master::of(&key).unwrap();
        prop_assert_eq!(master.output(false).unwrap(), format!("{base}.tif"));
        prop_assert_eq!(format!("{}{}", master.base(), master.ending()), key);
    }

    #[test]
    fn any_key_is_an_image_or_skipped(key in "\\PC{0,30}") {
        match Master::of(&key) {
            Ok(master) => prop_assert!(master.output(true).unwrap().starts_with(&key)),
            Err(outcome) => prop_assert!(matches!(outcome, Outcome::Skip(_))),
        }
    }

    #[test]
    fn any_text_is_survived_as_a_request_and_as_settings(text in "\\PC{0,60}") {
        let _ = Request::read(&text, false);
        let _ = Options::read(&text);
    }
}
