//! What a message about a bucket says: which objects came. Pure.
//!
//! *Source*: notifications of S3 as SQS and SNS carry them, those of MinIO, and events of EventBridge. Each says only
//! "look at this key": it may come late, twice and in any order.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value};

/// An object that was stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The server's name of the bucket.
    pub bucket: String,
    /// Its whole key there.
    pub key: String,
    /// Its etag, without quotes.
    pub etag: Option<String>,
    /// Orders the events of one key: a hexadecimal number that is compared from the left.
    pub sequencer: Option<String>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// When it was stored, as the server writes it.
    pub time: Option<String>,
}

/// A message, or one record of it, that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its text.
    pub text: String,
    /// Why, as a lowercase fragment.
    pub reason: String,
}

/// What a message says. A message about a test or about removals says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notice {
    /// The objects that came, in the message's order.
    pub arrivals: Vec<Arrival>,
    /// What cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// A notification of S3 about one event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    event_time: Option<String>,
    s3: Option<Place>,
}

#[derive(Deserialize)]
struct Place {
    bucket: Named,
    object: Object,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    size: Option<u64>,
    #[serde(alias = "eTag")]
    etag: Option<String>,
    sequencer: Option<String>,
}

/// Reads a message.
pub fn read(message: &str) -> Notice {
    let unreadable = |reason: String| Unreadable { text: message.to_owned(), reason };
    let mut notice = Notice::default();
    match opened(message) {
        Ok(fields) => notice.take(&fields).unwrap_or_else(|reason| notice.unreadable.push(unreadable(reason))),
        Err(reason) => notice.unreadable.push(unreadable(reason)),
    }
    notice
}

/// The fields of a message, out of the envelope of SNS if it is in one.
fn opened(message: &str) -> Result<Map<String, Value>, String> {
    let fields = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err("the message is not a JSON object".to_owned()),
        Err(error) => Err(format!("the message is not JSON: {error}")),
    };
    let outer = fields(message)?;
    match outer.get("Message").and_then(Value::as_str) {
        Some(inner) if is(&outer, "Type", "Notification") => fields(inner),
        _ => Ok(outer),
    }
}

fn is(fields: &Map<String, Value>, name: &str, value: &str) -> bool {
    fields.get(name).and_then(Value::as_str) == Some(value)
}

impl Notice {
    fn take(&mut self, fields: &Map<String, Value>) -> Result<(), String> {
        if let Some(Value::Array(records)) = fields.get("Records") {
            records.iter().for_each(|record| self.take_record(record));
            return Ok(());
        }
        if is(fields, "Event", "s3:TestEvent") {
            return Ok(());
        }
        match fields.get("detail-type").and_then(Value::as_str) {
            Some("Object Created") => {
                let place = fields.get("detail").cloned().unwrap_or_default();
                let place: Place = serde_json::from_value(place)
                    .map_err(|error| format!("the event does not say which object came: {error}"))?;
                let time = fields.get("time").and_then(Value::as_str).map(str::to_owned);
                self.arrivals.push(place.arrival(time)?);
                Ok(())
            }
            Some(_) if is(fields, "source", "aws.s3") => Ok(()),
            _ => Err("the message tells of no object: neither `Records` of S3 nor an event of EventBridge".to_owned()),
        }
    }

    fn take_record(&mut self, record: &Value) {
        match arrival(record) {
            Ok(arrival) => self.arrivals.extend(arrival),
            Err(reason) => self.unreadable.push(Unreadable { text: record.to_string(), reason }),
        }
    }
}

/// The object that a record is about; none if the record is about another kind of event.
fn arrival(record: &Value) -> Result<Option<Arrival>, String> {
    let record = Record::deserialize(record).map_err(|error| format!("the record is none of S3's: {error}"))?;
    let name = record.event_name.strip_prefix("s3:").unwrap_or(&record.event_name);
    if !name.starts_with("ObjectCreated:") {
        return Ok(None);
    }
    let mut place = record.s3.ok_or("the record does not say which object came")?;
    place.object.key = decoded(&place.object.key)?;
    place.arrival(record.event_time).map(Some)
}

/// Decodes a key from the form in which a record has it: `+` is a space, `%XX` a byte.
fn decoded(key: &str) -> Result<String, String> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(String::from).map_err(|_| format!("the key {key:?} is not Unicode text once it is decoded"))
}

impl Place {
    fn arrival(self, time: Option<String>) -> Result<Arrival, String> {
        let Object { key, size, etag, sequencer } = self.object;
        if key.is_empty() {
            return Err("the object's key is empty".to_owned());
        }
        let etag = etag.map(|etag| etag.trim_matches('"').to_owned()).filter(|etag| !etag.is_empty());
        Ok(Arrival { bucket: self.bucket.name, key, etag, sequencer, size, time })
    }
}
