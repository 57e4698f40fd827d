//! Outcomes as JSON text, by the names of `wit/types.wit`. Documents keep their own text.

use base64::Engine as _;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use crate::record::{Content, Effect, Outcome};

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
            Effect::PutObject { bucket, key, content: Content::Bytes(bytes), content_type } => {
                let bytes = base64::engine::general_purpose::STANDARD.encode(bytes);
                map.serialize_entry(
                    "put-object",
                    &Object { bucket, key, bytes, content_type: content_type.as_deref() },
                )?;
            }
            Effect::CopyObject { source_bucket, source_key, bucket, key } => {
                map.serialize_entry("copy-object", &Copied { source_bucket, source_key, bucket, key })?;
            }
            Effect::DeleteObject { bucket, key } => {
                map.serialize_entry("delete-object", &Deleted { bucket, key })?;
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
    bytes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
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
