//! The definition of the index, by which every document must be accepted.

use grid_image::{
    Input,
    asset::Dimensions,
    merge::{Answer, Answers, crops::CropObject},
    project,
    projection::DerivedFile,
};
use serde_json::{Value, json};

use crate::samples::{ID, json as written, plain, settings, texts};

const DATE: &str = "2021-03-06T12:00:00Z";

fn definition() -> Value {
    serde_json::from_str(include_str!("../../index.json")).unwrap()
}

/// The paths of a document that a strict object of the index does not know.
fn unknown(document: &Value, mapping: &Value, path: &str) -> Vec<String> {
    match document {
        Value::Array(values) => values.iter().flat_map(|value| unknown(value, mapping, path)).collect(),
        Value::Object(members) if mapping["dynamic"] != true => members
            .iter()
            .flat_map(|(name, value)| match &mapping["properties"][name] {
                Value::Null => vec![format!("{path}.{name}")],
                field => unknown(value, field, &format!("{path}.{name}")),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Everything that users may have made of an image.
fn answers() -> Answers {
    let text =
        |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), json!("t"))).collect::<serde_json::Map<_, _>>();
    let mut metadata = text(&[
        "description",
        "credit",
        "creditUri",
        "byline",
        "bylineTitle",
        "title",
        "copyright",
        "suppliersReference",
        "source",
        "specialInstructions",
        "subLocation",
        "city",
        "state",
        "country",
        "imageType",
    ]);
    metadata.insert("dateTaken".to_owned(), json!(DATE));
    metadata.insert("domainMetadata".to_owned(), json!({"x": {"y": [1]}}));
    metadata.insert("keywords".to_owned(), json!(["k"]));
    let mut print = text(&[
        "sectionName",
        "storyName",
        "publicationCode",
        "publicationName",
        "orderedBy",
        "sectionCode",
        "notes",
        "source",
    ]);
    print.extend([("issueDate".to_owned(), json!(DATE)), ("size".to_owned(), json!({"x": 1, "y": 2}))]);
    print.extend(["pageNumber", "layoutId", "edition"].map(|name| (name.to_owned(), json!(1))));
    let usage = json!({
        "id": "u", "references": [{"type": "t", "uri": "u", "name": "n"}], "platform": "print", "media": "image",
        "status": "pending", "dateAdded": DATE, "dateRemoved": DATE, "lastModified": DATE, "printUsageMetadata": print,
        "digitalUsageMetadata": text(&["webUrl", "webTitle", "sectionId", "composerUrl"]),
        "syndicationUsageMetadata": text(&["partnerName", "syndicatedBy"]),
        "frontUsageMetadata": text(&["addedBy", "front"]), "downloadUsageMetadata": text(&["downloadedBy"]),
        "childUsageMetadata": text(&["addedBy", "childMediaId"]),
    });
    let rights = json!({
        "category": "creative-commons", "licence": "l", "source": "s", "creator": "c", "contentLink": "h",
        "restrictions": "r",
    });
    let noted = ["source", "bounds-x", "bounds-y", "bounds-w", "bounds-h", "rotation", "width", "height"];
    let noted = noted.map(|name| (name.to_owned(), "1".to_owned()));
    let crop = |path: &str| CropObject {
        key: format!("{ID}/{path}"),
        size: 1,
        content_type: Some("image/jpeg".to_owned()),
        metadata: noted.iter().cloned().chain([("date".to_owned(), DATE.to_owned())]).collect(),
    };
    Answers {
        edits: Answer::Found(json!({
            "archived": true, "labels": ["l"], "metadata": metadata, "usageRights": rights, "photoshoot": {"title": "t"},
            "lastModified": DATE,
        })),
        leases: Answer::Found(json!([{
            "id": "i", "leasedBy": "l", "startDate": DATE, "endDate": DATE, "access": "deny", "notes": "n", "mediaId": ID,
            "createdAt": DATE,
        }])),
        collections: Answer::Found(json!([{"path": ["a"], "actionData": {"author": "a", "date": DATE}}])),
        usages: Answer::Found(json!([usage])),
        syndication_rights: Answer::Found(json!({
            "published": DATE, "isInferred": true,
            "suppliers": [{"supplierName": "n", "supplierId": "i", "prAgreement": true}],
            "rights": [{
                "rightCode": "r", "acquired": true,
                "properties": [{"propertyCode": "p", "expiresOn": DATE, "value": "v"}],
            }],
        })),
        deletion: Answer::Found(json!({"isDeleted": true, "deleteTime": DATE, "deletedBy": "d"})),
        crops: Answer::Found(vec![crop("1/1.jpg"), crop("1/master/1.jpg")]),
    }
}

#[test]
fn the_strict_index_accepts_a_full_document() {
    let png = DerivedFile {
        size: Some(1),
        mime_type: "image/png".to_owned(),
        dimensions: Dimensions { width: 1, height: 1 },
    };
    let mut input = Input {
        user_metadata: vec![("identifier!x".to_owned(), "y".to_owned()), ("file-name".to_owned(), "f".to_owned())],
        orientation: Some(8),
        thumbnail: Some(png.clone()),
        optimised_png: Some(png),
        answers: answers(),
        ..plain()
    };
    input.file.iptc = texts(&[("Category", "S"), ("Credit", "AP")]);
    let document = written(&project(input, &settings()).unwrap());
    assert_eq!(unknown(&document, &definition()["mappings"], ""), [""; 0]);
    assert_eq!(document.as_object().unwrap().len(), 22, "every field of a document is tried");
}

#[test]
fn the_strict_index_refuses_a_surplus_field() {
    let document =
        json!({"metadata": {"caption": "x"}, "fileMetadata": {"iptc": {"any": "x"}}, "usages": [{"who": 1}]});
    assert_eq!(unknown(&document, &definition()["mappings"], ""), [".metadata.caption", ".usages.who"]);
}

#[test]
fn fields_that_copy_name_fields_that_are_there() {
    fn targets(value: &Value) -> Vec<String> {
        let Value::Object(members) = value else { return Vec::new() };
        let own = members.get("copy_to").and_then(Value::as_str).map(str::to_owned);
        own.into_iter().chain(members.values().flat_map(targets)).collect()
    }
    let mappings = definition()["mappings"].clone();
    let targets = targets(&mappings);
    assert!(targets.len() > 20);
    for target in targets {
        let field = target.split('.').fold(&mappings, |object, name| &object["properties"][name]);
        assert!(field["type"].is_string(), "{target}");
    }
}

#[test]
fn original_and_edited_metadata_have_the_types_of_the_merged() {
    let properties = definition()["mappings"]["properties"].clone();
    let merged = properties["metadata"]["properties"].as_object().unwrap();
    let types = |metadata: &Value| {
        let fields = metadata["properties"].as_object().unwrap().iter();
        fields.map(|(name, field)| (name.clone(), field["type"].clone())).collect::<serde_json::Map<_, _>>()
    };
    let original = types(&properties["originalMetadata"]);
    assert!(original.iter().all(|(name, kind)| merged[name]["type"] == *kind));
    assert_eq!(merged.len(), original.len() + 1);
    assert_eq!(types(&properties["userMetadata"]["properties"]["metadata"]), types(&properties["metadata"]));
}
