//! What the users of an image have made of it.

use grid_image::{
    Failure, Input, Parity, Settings,
    merge::{
        Answer, Answers,
        crops::CropObject,
        metadata::{Way, merge},
    },
    project,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::samples::{ID, json as written, plain, settings};

fn projected(answers: Answers) -> Result<Value, Failure> {
    project(Input { answers, ..plain() }, &settings()).map(|document| written(&document))
}

fn found(answers: Answers) -> Value {
    projected(answers).unwrap()
}

fn reason(answers: Answers) -> String {
    projected(answers).unwrap_err().to_string()
}

fn lease(created: &str) -> Value {
    json!({"access": "deny-use", "mediaId": ID, "createdAt": created})
}

fn usage() -> Value {
    json!({
        "id": "u1", "platform": "digital", "media": "image", "status": "published",
        "lastModified": "2021-03-06T10:30:00Z",
        "digitalUsageMetadata": {"webUrl": "http://h/", "webTitle": "T", "sectionId": "s", "surplus": 1},
        "grouping": "left out", "dateRemoved": null,
    })
}

fn crop_object(path: &str, metadata: &[(&str, &str)]) -> CropObject {
    CropObject {
        key: format!("{ID}/{path}"),
        size: 7,
        content_type: Some("image/jpeg".to_owned()),
        metadata: metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
}

const CROP: [(&str, &str); 10] = [
    ("source", "http://api/images/x"),
    ("bounds-x", "1"),
    ("bounds-y", "2"),
    ("bounds-width", "30"),
    ("bounds-height", "40"),
    ("aspect-ratio", "3:4"),
    ("author", "jo@example.org"),
    ("date", "2021-03-06T09:00:00Z"),
    ("width", "15"),
    ("height", "20"),
];

/// The edit of the example, and what it edits.
fn example() -> (Value, Value) {
    let original = json!({"title": "A", "byline": "B", "domainMetadata": {"x": {"k": 1}}});
    let edit = json!({"title": "", "credit": "C", "domainMetadata": {"x": {"k": 2}, "y": {}}});
    (original, edit)
}

/// Metadata as a record of edits has it.
fn metadata(value: &Value) -> grid_image::ImageMetadata {
    let answers = Answers { edits: Answer::Found(json!({"metadata": value})), ..Answers::default() };
    let document = project(Input { answers, ..plain() }, &settings()).unwrap();
    document.user_metadata.unwrap().metadata
}

#[test]
fn an_edit_is_applied_in_both_ways_as_in_the_example() {
    let (original, edit) = example();
    let merged = |way| written(&merge(metadata(&original), Some(&metadata(&edit)), way));
    assert_eq!(
        merged(Way::Projected),
        json!({"title": "", "byline": "B", "credit": "C", "domainMetadata": {"x": {"k": 1}, "y": {}}})
    );
    assert_eq!(merged(Way::Indexed), json!({"byline": "B", "credit": "C", "domainMetadata": {"x": {"k": 2}, "y": {}}}));
}

#[test]
fn dates_are_the_latest_as_in_the_example() {
    let document = found(Answers {
        edits: Answer::Found(json!({"metadata": example().1, "lastModified": "2021-03-06T10:00:00Z"})),
        leases: Answer::Found(json!({"leases": [lease("2021-03-06T11:00:00Z"), lease("2021-03-06T07:00:00Z")]})),
        crops: Answer::Found(vec![crop_object("1_2_30_40/15.jpg", &CROP)]),
        ..Answers::default()
    });
    assert_eq!(document["lastModified"], "2021-03-06T11:00:00.000Z");
    assert_eq!(document["userMetadataLastModified"], "2021-03-06T10:00:00.000Z");
    assert_eq!(document["leases"]["lastModified"], "2021-03-06T11:00:00.000Z");
}

#[test]
fn an_image_without_users_has_no_date_of_change() {
    let document = found(Answers::default());
    assert_eq!((document.get("lastModified"), document.get("userMetadataLastModified")), (None, None));
}

#[test]
fn edits_without_a_date_take_the_latest_of_the_others() {
    let document = found(Answers {
        edits: Answer::Found(json!({"metadata": {}})),
        usages: Answer::Found(json!([usage()])),
        ..Answers::default()
    });
    assert_eq!(document["userMetadataLastModified"], "2021-03-06T10:30:00.000Z");
    assert_eq!(document["userMetadata"], json!({"archived": false, "labels": []}));
}

#[test]
fn edited_lists_take_the_place_of_the_original() {
    let edits = json!({"metadata": {"keywords": ["k"], "dateTaken": "2020-01-01T00:00:00+02:00"}, "usageRights": {}});
    let document = found(Answers { edits: Answer::Found(edits), ..Answers::default() });
    assert_eq!(document["metadata"]["keywords"], json!(["k"]));
    assert_eq!(document["metadata"]["subjects"], json!([]));
    assert_eq!(document["metadata"]["dateTaken"], "2020-01-01T00:00:00.000+02:00");
    assert_eq!(document["originalMetadata"]["keywords"], json!([]));
    assert_eq!(document["userMetadata"]["usageRights"], json!({}));
}

#[test]
fn edited_rights_take_the_place_of_the_original() {
    for (said, expected) in [
        (json!({"supplier": "AP"}), json!({"category": "agency", "supplier": "AP"})),
        (
            json!({"restrictions": "r", "photographer": "p", "category": "contract-photographer", "surplus": 1}),
            json!({"category": "contract-photographer", "photographer": "p", "restrictions": "r"}),
        ),
        (json!({"category": "PR Image"}), json!({"category": "PR Image"})),
        (json!({}), json!({})),
    ] {
        let document = found(Answers { edits: Answer::Found(json!({"usageRights": said})), ..Answers::default() });
        assert_eq!(document["usageRights"].to_string(), expected.to_string());
    }
}

#[test]
fn leases_are_active_between_their_dates() {
    let active = |dates: Value| {
        let mut lease = lease("2021-01-01T00:00:00Z");
        lease.as_object_mut().unwrap().extend(dates.as_object().unwrap().clone());
        let document = found(Answers { leases: Answer::Found(json!([lease])), ..Answers::default() });
        document["leases"]["leases"][0]["active"].clone()
    };
    assert_eq!(active(json!({})), true);
    assert_eq!(active(json!({"startDate": "2021-12-31T00:00:00Z", "endDate": "2022-01-02T00:00:00Z"})), true);
    assert_eq!(active(json!({"startDate": "2022-01-02T00:00:00Z"})), false);
    assert_eq!(active(json!({"endDate": "2022-01-01T00:30:00+01:00"})), false);
}

#[test]
fn the_access_of_an_old_lease_is_written_as_today() {
    let mut old = lease("2021-01-01T00:00:00Z");
    old["access"] = "allow".into();
    let document = found(Answers { leases: Answer::Found(json!([old])), ..Answers::default() });
    assert_eq!(document["leases"]["leases"][0]["access"], "allow-use");
}

#[test]
fn collections_are_named_by_their_paths() {
    let collections =
        json!([{"path": ["Home", "News"], "actionData": {"author": "jo", "date": "2021-03-06T12:00:00Z"}}]);
    let document = found(Answers { collections: Answer::Found(collections), ..Answers::default() });
    assert_eq!(
        document["collections"],
        json!([{
            "path": ["Home", "News"], "pathId": "home/news", "description": "News",
            "actionData": {"author": "jo", "date": "2021-03-06T12:00:00.000Z"},
        }])
    );
    assert_eq!(document["lastModified"], "2021-03-06T12:00:00.000Z");
}

#[test]
fn usages_and_syndication_rights_keep_the_fields_of_documents() {
    let rights = json!({
        "isInferred": false, "published": "2021-03-06", "suppliers": [{"supplierId": "s", "prAgreement": true}],
        "rights": [{"rightCode": "r", "acquired": true, "properties": [{"propertyCode": "p", "value": null}]}],
    });
    let document = found(Answers {
        usages: Answer::Found(json!({"usages": [usage()]})),
        syndication_rights: Answer::Found(rights),
        ..Answers::default()
    });
    assert_eq!(
        document["usages"],
        json!([{
            "id": "u1", "references": [], "platform": "digital", "media": "image", "status": "published",
            "lastModified": "2021-03-06T10:30:00.000Z",
            "digitalUsageMetadata": {"webUrl": "http://h/", "webTitle": "T", "sectionId": "s"},
        }])
    );
    assert_eq!(
        document["syndicationRights"],
        json!({
            "published": "2021-03-06T00:00:00.000Z", "suppliers": [{"supplierId": "s", "prAgreement": true}],
            "rights": [{"rightCode": "r", "acquired": true, "properties": [{"propertyCode": "p"}]}],
            "isInferred": false,
        })
    );
}

#[test]
fn an_image_is_deleted_while_its_record_says_so() {
    let deleted = |is: bool| {
        let record = json!({"id": ID, "isDeleted": is, "deleteTime": "2021-03-06T12:00:00Z", "deletedBy": "jo"});
        found(Answers { deletion: Answer::Found(record), ..Answers::default() })["softDeletedMetadata"].clone()
    };
    assert_eq!(deleted(true), json!({"deleteTime": "2021-03-06T12:00:00.000Z", "deletedBy": "jo"}));
    assert_eq!(deleted(false), Value::Null);
}

#[test]
fn objects_of_equal_bounds_are_one_crop() {
    let old = CROP.map(|(name, value)| match name {
        "bounds-width" => ("bounds_w", value),
        "bounds-height" => ("bounds_h", value),
        "bounds-x" => ("bounds_x", value),
        name => (name, value),
    });
    let mut full = CROP;
    full[1] = ("bounds-x", "9");
    full[5] = ("type", "full");
    let document = found(Answers {
        crops: Answer::Found(vec![
            crop_object("1_2_30_40/15.jpg", &CROP),
            crop_object("9_2_30_40/15.jpg", &full),
            crop_object("1_2_30_40/master/30.jpg", &old),
            crop_object("1_2_30_40/other.jpg", &CROP[1..]),
        ]),
        ..Answers::default()
    });
    let asset = |path: &str| {
        json!({
            "file": format!("http://media.guim.co.uk/{ID}/{path}"), "size": 7, "mimeType": "image/jpeg",
            "dimensions": {"width": 15, "height": 20}, "secureUrl": format!("{}://media.guim.co.uk/{ID}/{path}", "https"),
            "orientation": "portrait",
        })
    };
    assert_eq!(
        document["exports"][0],
        json!({
            "id": "1_2_30_40", "author": "jo@example.org", "date": "2021-03-06T09:00:00.000Z",
            "specification": {
                "uri": "http://api/images/x", "bounds": {"x": 1, "y": 2, "width": 30, "height": 40},
                "aspectRatio": "3:4", "type": "crop",
            },
            "master": asset("1_2_30_40/master/30.jpg"), "assets": [asset("1_2_30_40/15.jpg")],
        })
    );
    assert_eq!(document["exports"][1]["specification"]["type"], "full");
    assert_eq!(document["exports"].as_array().unwrap().len(), 2);
}

#[test]
fn a_wrong_type_is_named_with_its_store_and_key() {
    let edits = |value: Value| reason(Answers { edits: Answer::Found(value), ..Answers::default() });
    let hint = "; hint: correct the record in the store";
    assert_eq!(edits(json!({"metadata": {"title": 1}})), format!("edits: metadata.title is `1`, not a text{hint}"));
    assert_eq!(
        edits(json!({"metadata": {"keywords": ["a", null]}})),
        format!("edits: metadata.keywords[1] is null, not a text{hint}")
    );
    assert_eq!(edits(json!([])), format!("edits: the record is a list, not an object{hint}"));
    assert_eq!(
        edits(json!({"usageRights": {"category": "stolen"}})),
        format!("edits: usageRights.category is `\"stolen\"`, not a category of rights{hint}")
    );
    let mut wrong = usage();
    wrong["digitalUsageMetadata"].as_object_mut().unwrap().remove("webUrl");
    assert_eq!(
        reason(Answers { usages: Answer::Found(json!([wrong])), ..Answers::default() }),
        format!("usages: [0].digitalUsageMetadata.webUrl is missing{hint}")
    );
    let object = crop_object("c/15.jpg", &[("source", "s"), ("bounds-x", "wide")]);
    assert_eq!(
        reason(Answers { crops: Answer::Found(vec![object]), ..Answers::default() }),
        format!("crops: {ID}/c/15.jpg: bounds-x is not a whole number{hint}")
    );
}

#[test]
fn a_store_that_fails_fails_the_projection_and_may_be_tried_again() {
    let failure = projected(Answers { leases: Answer::Failed("status 503".to_owned()), ..Answers::default() });
    let failure = failure.unwrap_err();
    assert!(failure.is_transient());
    assert_eq!(failure.to_string(), "leases did not answer: status 503; hint: retry once the store is well");
}

#[test]
fn blanked_fields_are_dropped_where_quirks_are_fixed() {
    let (_, edit) = example();
    let answers = Answers { edits: Answer::Found(json!({"metadata": edit})), ..Answers::default() };
    let fixed = Settings { parity: Parity::Fixed, ..settings() };
    let document = written(&project(Input { answers, ..plain() }, &fixed).unwrap());
    assert_eq!(document["metadata"].get("title"), None);
    assert_eq!(document["userMetadata"]["metadata"]["title"], "");
}

/// JSON of any shape.
fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::from("2021-03-06T12:00:00Z")),
        Just(Value::from("agency")),
    ];
    let name = prop::sample::select(vec![
        "metadata",
        "title",
        "keywords",
        "usageRights",
        "category",
        "supplier",
        "leases",
        "access",
        "createdAt",
        "mediaId",
        "path",
        "actionData",
        "author",
        "date",
        "usages",
        "id",
        "isInferred",
        "rights",
        "isDeleted",
        "domainMetadata",
        "lastModified",
        "photoshoot",
        "labels",
    ]);
    scalar.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_records_never_panic(value in any_json(), which in 0..6) {
        let mut answers = Answers::default();
        let answer = Answer::Found(value.clone());
        let store = match which {
            0 => { answers.edits = answer; "edits" }
            1 => { answers.leases = answer; "leases" }
            2 => { answers.collections = answer; "collections" }
            3 => { answers.usages = answer; "usages" }
            4 => { answers.syndication_rights = answer; "syndication rights" }
            _ => { answers.deletion = answer; "soft deletions" }
        };
        match projected(answers) {
            Ok(_) => prop_assert!(value.is_object() || value.is_array()),
            Err(Failure::Record { store: named, .. }) => prop_assert_eq!(named, store),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn arbitrary_objects_of_crops_never_panic(
        noted in prop::collection::vec((prop::sample::select(CROP.map(|(name, _)| name).to_vec()), "[-0-9a-z:]{0,12}"), 0..12),
        key in any::<String>(),
    ) {
        let noted: Vec<_> = noted.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let object = CropObject { key, ..crop_object("", &noted) };
        let _ = projected(Answers { crops: Answer::Found(vec![object.clone(), object]), ..Answers::default() });
    }

    #[test]
    fn an_edit_that_says_nothing_changes_nothing(title in any::<Option<String>>(), byline in "[a-z]{1,5}") {
        let original = grid_image::ImageMetadata { title, byline: Some(byline), ..Default::default() };
        let nothing = grid_image::ImageMetadata::default();
        prop_assert_eq!(merge(original.clone(), Some(&nothing), Way::Projected), original.clone());
        prop_assert_eq!(
            merge(original.clone(), Some(&nothing), Way::Indexed),
            merge(original, None, Way::Indexed)
        );
    }
}
