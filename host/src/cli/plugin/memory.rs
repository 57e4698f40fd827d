//! What a sample names, in memory: tables and indexes here, buckets and images in `objects`. All of it is read only: a
//! test carries out no effect.

mod objects;

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    capability::{
        index::{self, Alias, Concrete, Document, Index, List, Route, Stamp, Tune, Write, Written},
        storage::{Page, Row, Sameness, Scan, Segment, SourceInfo, Table, Update},
    },
    error::{Error, Result},
    record::Form,
};

pub(super) use objects::{Album, Object, Objects, Picture};

/// Texts by key.
pub(super) type Texts = BTreeMap<String, String>;

/// A table of a sample.
pub(super) struct Records {
    name: String,
    records: Texts,
    key: Vec<String>,
}

impl Records {
    /// Finds out which attributes hold the key, as a table knows of itself.
    pub(super) fn new(name: &str, records: Texts) -> Result<Self> {
        let Some((first, body)) = records.first_key_value() else {
            return Ok(Self { name: name.to_owned(), records, key: vec!["id".to_owned()] });
        };
        let fields: BTreeMap<String, Value> = serde_json::from_str(body).unwrap_or_default();
        let parts = match serde_json::from_str::<Vec<Value>>(first) {
            Ok(parts) if parts.len() > 1 => parts,
            _ => vec![Value::from(first.as_str())],
        };
        let attribute = |part: &Value| {
            let holds = |value: &Value| value == part || part.as_str() == Some(&value.to_string());
            let id = fields.get_key_value("id").filter(|(_, value)| holds(value));
            id.or_else(|| fields.iter().find(|(_, value)| holds(value))).map(|(attribute, _)| attribute.clone())
        };
        let key = parts.iter().map(attribute).collect::<Option<Vec<_>>>().ok_or_else(|| {
            Error::usage(format!("record `{first}` of the sample's table `{name}` does not contain its own key"))
                .hint(format!("add the key attribute to the record, such as \"id\": \"{first}\""))
        })?;
        Ok(Self { name: name.to_owned(), records, key })
    }
}

#[async_trait]
impl Scan for Records {
    async fn info(&self) -> Result<SourceInfo> {
        let count = Some(self.records.len() as u64);
        Ok(SourceInfo {
            fingerprint: self.name.clone(),
            count,
            form: Form::Plain,
            segments: None,
            max_segments: Some(1),
            key: Some(self.key.clone()),
            passing: false,
        })
    }

    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        Ok(Sameness::of(&self.name, fingerprint))
    }

    async fn read(&self, _segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        let later = self.records.iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
        let mut later = later.peekable();
        let rows: Vec<_> = later.by_ref().take(limit.max(1)).map(row).collect();
        let next = later.peek().and_then(|_| rows.last()).map(|row| row.cursor.clone());
        Ok(Page { rows, next })
    }

    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        Ok(positions.iter().map(|key| self.records.get_key_value(key).map(row)).collect())
    }
}

#[async_trait]
impl Table for Records {
    async fn key(&self) -> Result<Vec<String>> {
        Ok(self.key.clone())
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        Ok(keys.iter().map(|key| self.records.get(key).map(|body| body.clone().into_bytes())).collect())
    }

    async fn put_many(&self, _records: &[String]) -> Result<Vec<Result<()>>> {
        Err(read_only())
    }

    async fn update_many(&self, _updates: &[Update]) -> Result<Vec<Result<bool>>> {
        Err(read_only())
    }
}

fn row((key, body): (&String, &String)) -> Row {
    Row { cursor: key.clone(), position: key.clone(), body: body.clone().into_bytes() }
}

/// An index of a sample.
pub(super) struct Documents(pub Texts);

impl Documents {
    fn document(&self, id: &str) -> Option<Document> {
        let body = self.0.get(id)?.clone();
        Some(Document { id: id.to_owned(), version: None, body })
    }
}

#[async_trait]
impl index::Documents for Documents {
    async fn write(&self, _concrete: &str, _writes: Vec<Write>) -> Result<Vec<Written>> {
        Err(read_only())
    }

    async fn get_many(&self, _concrete: Option<&str>, ids: &[String]) -> Result<Vec<Option<Document>>> {
        Ok(ids.iter().map(|id| self.document(id)).collect())
    }

    async fn count(&self, _concrete: &str) -> Result<u64> {
        Ok(self.0.len() as u64)
    }

    async fn refresh(&self, _concrete: &str) -> Result<()> {
        Ok(())
    }

    async fn search(&self, _query: &str, _limit: usize) -> Result<(u64, Vec<Document>)> {
        Err(Error::usage("a sample's index is read by id only"))
    }
}

#[async_trait]
impl Alias for Documents {
    async fn cluster(&self) -> Result<Option<String>> {
        Ok(None)
    }

    async fn current(&self) -> Result<Option<Concrete>> {
        Ok(None)
    }

    async fn route(&self) -> Result<Route> {
        Ok(Route::default())
    }

    async fn describe(&self, _name: &str) -> Result<Concrete> {
        Err(read_only())
    }

    async fn create(&self, _name: &str, _definition: &str, _stamp: &Stamp) -> Result<()> {
        Err(read_only())
    }

    async fn announce(&self, _name: &str) -> Result<()> {
        Err(read_only())
    }

    async fn swap(&self, _from: Option<&str>, _to: &str) -> Result<()> {
        Err(read_only())
    }

    async fn remove(&self, _name: &str) -> Result<()> {
        Err(read_only())
    }
}

impl Index for Documents {
    fn lists(&self) -> Option<&dyn List> {
        None
    }

    fn tunes(&self) -> Option<&dyn Tune> {
        None
    }
}

fn read_only() -> Error {
    Error::usage("what a sample names is only read")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str, body: &str) -> Result<Vec<String>> {
        Records::new("people", Texts::from([(key.to_owned(), body.to_owned())])).map(|table| table.key)
    }

    #[test]
    fn a_table_knows_its_key_from_its_records() {
        assert_eq!(key("x", r#"{"a":"x","id":"x"}"#).unwrap(), ["id"]);
        assert_eq!(key("x", r#"{"a":"y","uprn":"x"}"#).unwrap(), ["uprn"]);
        assert_eq!(key("7", r#"{"number":7}"#).unwrap(), ["number"]);
        assert_eq!(key(r#"["x",2]"#, r#"{"a":"x","b":2}"#).unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_record_that_does_not_contain_its_key_is_refused_with_the_field_to_add() {
        let error = key("x", r#"{"a":"y"}"#).unwrap_err();
        assert!(error.report().contains("\"id\": \"x\""), "{error:?}");
    }
}
