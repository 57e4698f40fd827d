//! One request, which of two requests for one object wins, and what a plugin is given. Pure.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::notice::Arrival;

/// A request to look at an object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The recipe's name of the bucket the object is in.
    #[serde(default)]
    pub bucket: String,
    /// The object's key there.
    pub key: String,
    /// The key up to its last slash, with the slash; empty if it has none.
    #[serde(default)]
    pub path: String,
    /// The object's etag when it was stored, if the event had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e_tag: Option<String>,
    /// Orders the events of one key, if the server numbers them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<String>,
    /// Whether the work is repeated although it was done for this object before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// All other fields.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Request {
    /// Makes a request for an object by its key.
    pub fn new(bucket: &str, key: &str) -> Self {
        let path = key.rfind('/').map_or("", |slash| &key[..=slash]);
        Self { bucket: bucket.to_owned(), key: key.to_owned(), path: path.to_owned(), ..Self::default() }
    }

    /// Makes a request for an object that was stored; `bucket` is the recipe's name of its bucket, and `key` its key
    /// there.
    pub fn of(arrival: &Arrival, bucket: &str, key: &str) -> Self {
        let (e_tag, sequencer) = (arrival.etag.clone(), arrival.sequencer.clone());
        Self { e_tag, sequencer, ..Self::new(bucket, key) }
    }

    /// Asks for the work to be repeated.
    #[must_use]
    pub fn forced(self) -> Self {
        Self { force: true, ..self }
    }

    /// The name of the request's file below the prefix: the same for every request for this object.
    pub fn file_name(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.bucket.as_bytes()).update(&[0]).update(self.key.as_bytes());
        format!("{}.json", &hasher.finalize().to_hex()[..32])
    }

    /// Returns what replaces an earlier request for the same object; none if the earlier one is of a later event. An
    /// equal request is written again, so that the object is looked at again. `force` of the earlier request is kept.
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
