//! One request, which of two for one object counts, and what a plugin is handed. Pure.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::notice::Arrival;

/// What asks that an object be looked at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The recipe's name of the bucket the object is in.
    #[serde(default)]
    pub bucket: String,
    /// The object's key there.
    pub key: String,
    /// Everything of the key up to its last slash, that included; empty if it has none.
    #[serde(default)]
    pub path: String,
    /// The object's etag when it came, if whoever told knew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e_tag: Option<String>,
    /// Orders the events of one key, where their server numbers them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<String>,
    /// Whether the work is to be done although it was done for this very object before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// Whatever else it says.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Request {
    /// Asks for an object by its key.
    pub fn new(bucket: &str, key: &str) -> Self {
        let path = key.rfind('/').map_or("", |slash| &key[..=slash]);
        Self { bucket: bucket.to_owned(), key: key.to_owned(), path: path.to_owned(), ..Self::default() }
    }

    /// Asks for an object that came; `bucket` is the recipe's name for where, and `key` the object's key there.
    pub fn of(arrival: &Arrival, bucket: &str, key: &str) -> Self {
        let (e_tag, sequencer) = (arrival.etag.clone(), arrival.sequencer.clone());
        Self { e_tag, sequencer, ..Self::new(bucket, key) }
    }

    /// Asks for the work to be done again.
    #[must_use]
    pub fn forced(self) -> Self {
        Self { force: true, ..self }
    }

    /// The name of the file that holds it, among those of a prefix: the same for every request for this object.
    pub fn file_name(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.bucket.as_bytes()).update(&[0]).update(self.key.as_bytes());
        format!("{}.json", &hasher.finalize().to_hex()[..32])
    }

    /// What is to stand in place of an earlier request for the same object; none if that one is of a later event. One that
    /// says the same is put again, so that it is looked at again. That the work was asked for once more is not forgotten.
    pub fn over(&self, earlier: &Self) -> Option<Self> {
        let is_older = |(own, other): (&String, &String)| by_sequencer(own, other).is_lt();
        if self.sequencer.as_ref().zip(earlier.sequencer.as_ref()).is_some_and(is_older) {
            return None;
        }
        Some(Self { force: self.force || earlier.force, ..self.clone() })
    }
}

/// Orders two sequencers: the shorter one is padded with zeros on the right.
fn by_sequencer(one: &str, other: &str) -> Ordering {
    let width = one.len().max(other.len());
    let padded = |sequencer: &str| format!("{:0<width$}", sequencer.to_ascii_uppercase());
    padded(one).cmp(&padded(other))
}
