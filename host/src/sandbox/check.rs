//! Checks each effect before it leaves the sandbox: whether it is granted, and whether it is well-formed.
//!
//! A bad effect affects only its own item.

use std::{collections::BTreeMap, fmt};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{context::Services, guest::types, mapper::Failure, rendition};
use crate::{
    capability::{
        Capability,
        grant::Access,
        index::{MAX_ID_BYTES, MAX_VERSION},
        storage::Put,
    },
    error::Error,
    ledger::State,
    record::{Condition, Content, Effect, Outcome},
};

/// The longest key an object may have, in bytes.
const MAX_KEY_BYTES: usize = 1024;

/// Turns a plugin's answer for one item into an outcome.
pub fn outcome(services: &Services, outcome: types::Outcome) -> Result<Outcome, Failure> {
    Ok(match outcome {
        types::Outcome::Effects(list) => Outcome::Effects(effects(services, list)?),
        types::Outcome::Skip(text) => Outcome::Skip(text),
        types::Outcome::NotFound(text) => Outcome::NotFound(text),
        types::Outcome::Invalid(text) => Outcome::Invalid(text),
        types::Outcome::TooBig(text) => Outcome::TooBig(text),
        types::Outcome::Retry(text) => Outcome::Retry(text),
    })
}

fn effects(services: &Services, list: Vec<types::Effect>) -> Result<Vec<Effect>, Failure> {
    list.into_iter().enumerate().map(|(n, effect)| checked(services, n + 1, convert(effect))).collect()
}

fn checked(services: &Services, number: usize, effect: Effect) -> Result<Effect, Failure> {
    for (capability, name, access) in grants(&effect) {
        services.check(capability, name, access).map_err(|error| denied(&error))?;
    }
    match flaw(&effect) {
        None => Ok(effect),
        Some(flaw) => {
            let group = format!("the plugin returned a bad effect: {} {}", word(&effect), flaw.group);
            let reason = format!("effect {number}, {}: {}", word(&effect), flaw.reason);
            Err(Failure { state: State::KnownError, reason, group })
        }
    }
}

fn denied(error: &Error) -> Failure {
    let group = error.message().to_owned();
    let reason = match error.hint_text() {
        Some(hint) => format!("{group}\nhint: {hint}"),
        None => group.clone(),
    };
    Failure { state: State::KnownError, reason, group }
}

/// The grants an effect needs.
fn grants(effect: &Effect) -> impl Iterator<Item = (Capability, &str, Access)> {
    let (capability, name) = match effect {
        Effect::PutDocument { index, .. } | Effect::DeleteDocument { index, .. } => (Capability::Index, index),
        Effect::PutRecord { table, .. } | Effect::UpdateRecord { table, .. } => (Capability::Storage, table),
        Effect::PutObject { bucket, .. } | Effect::CopyObject { bucket, .. } | Effect::DeleteObject { bucket, .. } => {
            (Capability::Storage, bucket)
        }
        Effect::SendMessage { queue, .. } => (Capability::Queue, queue),
    };
    let source = match effect {
        Effect::CopyObject { source_bucket, .. } => Some((Capability::Storage, source_bucket.as_str(), Access::Read)),
        Effect::PutObject { content: Content::Rendition(rendition), .. } => {
            Some((Capability::Image, rendition.picture.bucket.as_str(), Access::Read))
        }
        _ => None,
    };
    source.into_iter().chain([(capability, name.as_str(), Access::Write)])
}

/// Why an effect is refused.
struct Flaw {
    reason: String,
    group: &'static str,
}

impl Flaw {
    fn new(group: &'static str, detail: impl fmt::Display) -> Self {
        Self { reason: format!("{group}: {detail}"), group }
    }
}

fn flaw(effect: &Effect) -> Option<Flaw> {
    match effect {
        Effect::PutDocument { id, version, body, .. } => {
            id_flaw(id).or_else(|| version_flaw(*version)).or_else(|| body_flaw(body))
        }
        Effect::DeleteDocument { id, version, .. } => id_flaw(id).or_else(|| version_flaw(*version)),
        Effect::PutRecord { body, .. } => body_flaw(body),
        Effect::UpdateRecord { attributes, .. } => body_flaw(attributes),
        Effect::PutObject { key, content, metadata, .. } => {
            key_flaw(key).or_else(|| content_flaw(content)).or_else(|| metadata_flaw(metadata))
        }
        Effect::DeleteObject { key, .. } => key_flaw(key),
        Effect::CopyObject { source_key, key, .. } => key_flaw(source_key).or_else(|| key_flaw(key)),
        Effect::SendMessage { .. } => None,
    }
}

fn id_flaw(id: &str) -> Option<Flaw> {
    let ok = (1..=MAX_ID_BYTES).contains(&id.len());
    (!ok).then(|| Flaw::new("has an id of a forbidden length", format!("{} bytes, not 1 to {MAX_ID_BYTES}", id.len())))
}

fn key_flaw(key: &str) -> Option<Flaw> {
    let ok = (1..=MAX_KEY_BYTES).contains(&key.len());
    (!ok)
        .then(|| Flaw::new("has a key of a forbidden length", format!("{} bytes, not 1 to {MAX_KEY_BYTES}", key.len())))
}

fn content_flaw(content: &Content) -> Option<Flaw> {
    let Content::Rendition(rendition) = content else { return None };
    let group = "has a rendition that cannot be made";
    rendition.flaw().map(|flaw| Flaw::new(group, flaw)).or_else(|| key_flaw(&rendition.picture.key))
}

fn metadata_flaw(metadata: &BTreeMap<String, String>) -> Option<Flaw> {
    let put = Put { metadata: metadata.clone(), ..Put::default() };
    put.check().err().map(|error| Flaw::new("has metadata that no bucket keeps", error))
}

fn version_flaw(version: Option<u64>) -> Option<Flaw> {
    let version = version.filter(|version| *version > MAX_VERSION)?;
    Some(Flaw::new("has a version beyond what an index keeps", format!("{version}, more than {MAX_VERSION}")))
}

fn body_flaw(body: &str) -> Option<Flaw> {
    let error = serde_json::from_str::<JsonObject>(body).err()?;
    Some(Flaw::new("has a body that is not the text of one JSON object", error))
}

/// A JSON object that is checked and not kept.
struct JsonObject;

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self)
    }
}

impl<'de> Visitor<'de> for JsonObject {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self)
    }
}

fn word(effect: &Effect) -> &'static str {
    match effect {
        Effect::PutDocument { .. } => "put-document",
        Effect::DeleteDocument { .. } => "delete-document",
        Effect::PutRecord { .. } => "put-record",
        Effect::UpdateRecord { .. } => "update-record",
        Effect::PutObject { .. } => "put-object",
        Effect::CopyObject { .. } => "copy-object",
        Effect::DeleteObject { .. } => "delete-object",
        Effect::SendMessage { .. } => "send-message",
    }
}

fn convert(effect: types::Effect) -> Effect {
    match effect {
        types::Effect::PutDocument(types::DocumentWrite { index, id, version, body }) => {
            Effect::PutDocument { index, id, version, body }
        }
        types::Effect::DeleteDocument(types::DocumentDelete { index, id, version }) => {
            Effect::DeleteDocument { index, id, version }
        }
        types::Effect::PutRecord(types::RecordWrite { table, body }) => Effect::PutRecord { table, body },
        types::Effect::UpdateRecord(types::RecordUpdate { table, key, attributes, timed }) => {
            Effect::UpdateRecord { table, key, attributes, timed }
        }
        types::Effect::PutObject(types::ObjectWrite { bucket, key, content, content_type, metadata, condition }) => {
            let content = match content {
                types::Content::Bytes(bytes) => Content::Bytes(bytes),
                types::Content::Rendition(described) => Content::Rendition(rendition::converted(described)),
            };
            let condition = match condition {
                types::Condition::Always => Condition::Always,
                types::Condition::Absent => Condition::Absent,
                types::Condition::Etag(etag) => Condition::Etag(etag),
            };
            Effect::PutObject {
                bucket,
                key,
                content,
                content_type,
                metadata: metadata.into_iter().collect(),
                condition,
            }
        }
        types::Effect::CopyObject(types::ObjectCopy { source_bucket, source_key, bucket, key }) => {
            Effect::CopyObject { source_bucket, source_key, bucket, key }
        }
        types::Effect::DeleteObject(types::ObjectDelete { bucket, key, etag }) => {
            Effect::DeleteObject { bucket, key, etag }
        }
        types::Effect::SendMessage(types::MessageSend { queue, body, priority }) => {
            Effect::SendMessage { queue, body, priority }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_is_the_text_of_exactly_one_object() {
        for body in ["{}", r#" {"a":[1,{"b":null}]} "#] {
            assert!(body_flaw(body).is_none(), "{body}");
        }
        for body in ["", "[]", "1", "{", "{}{}", "{} x", r#"{"a":}"#, r#"{a:1}"#, "null"] {
            assert!(body_flaw(body).is_some(), "{body}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let _ = body_flaw(&deep);
    }

    #[test]
    fn lengths_are_counted_in_bytes() {
        assert!(id_flaw(&"é".repeat(256)).is_none());
        assert!(id_flaw(&"é".repeat(257)).is_some());
        assert!(id_flaw("").is_some());
        assert!(key_flaw(&"k".repeat(1024)).is_none());
        assert!(key_flaw(&"k".repeat(1025)).is_some());
        assert!(version_flaw(Some(MAX_VERSION)).is_none());
        assert!(version_flaw(Some(MAX_VERSION + 1)).is_some());
    }

    proptest! {
        #[test]
        fn a_body_passes_exactly_if_serde_reads_an_object_from_it(body in r#"[\{\}\[\]",:a1 ]{0,12}"#) {
            let reads = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&body).is_ok();
            prop_assert_eq!(body_flaw(&body).is_none(), reads);
        }
    }
}
