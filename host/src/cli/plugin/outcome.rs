//! Outcomes as JSON text, by the names of `wit/types.wit`. Documents keep their own text.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use crate::record::{Condition, Content, Effect, Outcome, Rendition};

/// The text of an expected file.
pub(super) fn text(outcomes: &[Outcome]) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Expected<'a> {
        outcomes: Vec<Said<'a>>,
    }
    let outcomes = outcomes.iter().map(Said).collect();
    serde_json::to_string(&Expected { outcomes }).map(|text| crate::cli::json::pretty(&text))
}

struct Said<'a>(&'a Outcome);

impl Serialize for Said<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        let (name, reason) = match self.0 {
            Outcome::Effects(effects) => {
                map.serialize_entry("effects", &effects.iter().map(Done).collect::<Vec<_>>())?;
                return map.end();
            }
            Outcome::Skip(reason) => ("skip", reason),
            Outcome::NotFound(reason) => ("not-found", reason),
            Outcome::Invalid(reason) => ("invalid", reason),
            Outcome::TooBig(reason) => ("too-big", reason),
            Outcome::Retry(reason) => ("retry", reason),
        };
        map.serialize_entry(name, reason)?;
        map.end()
    }
}

struct Done<'a>(&'a Effect);

impl Serialize for Done<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self.0 {
            Effect::PutDocument { index, id, version, body } => {
                map.serialize_entry("put-document", &Document { index, id, version: *version, body: raw(body) })?;
            }
            Effect::DeleteDocument { index, id, version } => {
                map.serialize_entry("delete-document", &Document { index, id, version: *version, body: None })?;
            }
            Effect::PutRecord { table, body } => {
                map.serialize_entry("put-record", &Record { table, body: raw(body) })?;
            }
            Effect::UpdateRecord { table, key, attributes, timed } => {
                let update = Update { table, key, attributes: raw(attributes), timed: timed.as_deref() };
                map.serialize_entry("update-record", &update)?;
            }
            Effect::PutObject { bucket, key, content, content_type, metadata, condition } => {
                let (bytes, rendition) = match content {
                    Content::Bytes(bytes) => (Some(base64::engine::general_purpose::STANDARD.encode(bytes)), None),
                    Content::Rendition(rendition) => (None, Some(rendition)),
                };
                let content_type = content_type.as_deref();
                let object = Object { bucket, key, bytes, rendition, content_type, metadata, condition };
                map.serialize_entry("put-object", &object)?;
            }
            Effect::CopyObject { source_bucket, source_key, bucket, key } => {
                map.serialize_entry("copy-object", &Copied { source_bucket, source_key, bucket, key })?;
            }
            Effect::DeleteObject { bucket, key, etag } => {
                map.serialize_entry("delete-object", &Deleted { bucket, key, etag: etag.as_deref() })?;
            }
            Effect::SendMessage { queue, body, priority } => {
                map.serialize_entry("send-message", &Message { queue, body, priority: *priority })?;
            }
        }
        map.end()
    }
}

/// The body as JSON; the sandbox lets no other through.
fn raw(body: &str) -> Option<&RawValue> {
    serde_json::from_str(body).ok()
}

#[derive(Serialize)]
struct Document<'a> {
    index: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Record<'a> {
    table: &'a str,
    body: Option<&'a RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Object<'a> {
    bucket: &'a str,
    key: &'a str,
    /// Base64, since JSON has no bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rendition: Option<&'a Rendition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_always")]
    condition: &'a Condition,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it on so")]
fn is_always(condition: &&Condition) -> bool {
    **condition == Condition::Always
}

#[derive(Serialize)]
struct Update<'a> {
    table: &'a str,
    key: &'a str,
    attributes: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timed: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Copied<'a> {
    source_bucket: &'a str,
    source_key: &'a str,
    bucket: &'a str,
    key: &'a str,
}

#[derive(Serialize)]
struct Deleted<'a> {
    bucket: &'a str,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
}

#[derive(Serialize)]
struct Message<'a> {
    queue: &'a str,
    body: &'a str,
    priority: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_has_the_names_of_the_wit_and_a_document_its_own_order() {
        let put = Effect::PutDocument {
            index: "persons".into(),
            id: "p1".into(),
            version: None,
            body: r#"{"z":1.0,"a":2}"#.into(),
        };
        let outcomes = [Outcome::Effects(vec![put]), Outcome::NotFound("gone".into())];
        insta::assert_snapshot!(text(&outcomes).unwrap(), @r#"
        {
          "outcomes": [
            {
              "effects": [
                {
                  "put-document": {
                    "index": "persons",
                    "id": "p1",
                    "body": {
                      "z": 1.0,
                      "a": 2
                    }
                  }
                }
              ]
            },
            {
              "not-found": "gone"
            }
          ]
        }
        "#);
    }
}
