//! A concrete index: its name, the request that creates it, and its form in an answer.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Known, definition};
use crate::{
    capability::index::{Concrete, Stamp},
    error::{Error, Kind, Result},
};

/// The key of a stamp in a mapping's `_meta`.
const STAMP: &str = "reindex";

/// The suffix of the alias that writes to an index go through. The alias is removed with its index, so that a bulk
/// request to it never creates the index again, without its mapping, after the index was removed.
const WRITE_ALIAS: &str = ".reindex-writes";

/// How long an index remembers the version of a deletion, unless its definition sets it. The engines' own 60 seconds
/// are shorter than the time until a message is delivered again, or a batch is repeated. It is kept after a load, since
/// there may be writers at any time; a remembered deletion costs the engine a few hundred bytes of memory.
const GC_DELETES: (&str, &str) = ("gc_deletes", "1h");

/// An index in the answer to `GET /<name>`.
#[derive(Deserialize)]
pub(super) struct There {
    #[serde(default)]
    pub aliases: Map<String, Value>,
    #[serde(default)]
    mappings: Value,
    settings: Value,
}

impl There {
    /// The part of it that is cached.
    pub fn known(&self, name: &str) -> Known {
        let stamp = serde_json::from_value(self.mappings["_meta"][STAMP].clone()).ok();
        let write_alias = Some(write_alias(name)).filter(|write_alias| self.aliases.contains_key(write_alias));
        Known { stamp, write_alias: write_alias.unwrap_or_else(|| name.to_owned()) }
    }

    pub fn concrete(self, name: String) -> Concrete {
        let stamp = self.known(&name).stamp;
        let created = self.settings["index"]["creation_date"].as_str().and_then(|date| date.parse().ok());
        let created = created.and_then(|date| Timestamp::from_millisecond(date).ok()).unwrap_or_default();
        let identity = self.identity();
        let definition = json!({ "settings": self.settings, "mappings": self.mappings }).to_string();
        Concrete { name, definition, stamp, created, identity }
    }

    /// Changes when an index is created again under its name, or closed and restored from a snapshot.
    pub fn identity(&self) -> String {
        let index = &self.settings["index"];
        let parts = [&index["uuid"], &index["history"]["uuid"]];
        parts.into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    }
}

pub(super) fn with_stamp(name: &str, definition: &str, stamp: &Stamp) -> Result<Value> {
    let wrong = |what: &str| Error::usage(format!("the definition of the index `{name}` {what}"));
    let mut body: Value = serde_json::from_str(definition).map_err(|error| wrong("is not JSON").because(error))?;
    let object = body.as_object_mut().ok_or_else(|| wrong("is not a JSON object"))?;
    // Only this program sets aliases.
    object.insert("aliases".to_owned(), json!({ write_alias(name): {} }));
    let settings = object.entry("settings").or_insert_with(|| json!({}));
    let (setting, long) = GC_DELETES;
    if let Some(settings) = settings.as_object_mut().filter(|own| !definition::sets(&json!(own), setting)) {
        settings.insert(format!("index.{setting}"), json!(long));
    }
    let mappings = object.entry("mappings").or_insert_with(|| json!({}));
    let meta = mappings.as_object_mut().map(|mappings| mappings.entry("_meta").or_insert_with(|| json!({})));
    let meta = meta.and_then(Value::as_object_mut).ok_or_else(|| wrong("has `mappings` that are no JSON object"))?;
    meta.insert(STAMP.to_owned(), json!(stamp));
    Ok(body)
}

pub(super) fn fits(there: &Concrete, definition: &str, stamp: &Stamp) -> Result<()> {
    let mut said = definition::contradictions(&there.definition, definition);
    if there.stamp.as_ref() != Some(stamp) {
        said.push("its versions have another meaning".to_owned());
    }
    match said.as_slice() {
        [] => Ok(()),
        said => Err(Error::usage(format!("the index `{}` exists and is another: {}", there.name, said.join("; ")))
            .hint("fill a new index with `--rebuild`")),
    }
}

/// The alias for writes to an index, if this program created it.
pub(super) fn write_alias(name: &str) -> String {
    format!("{name}{WRITE_ALIAS}")
}

/// The index behind a write alias; none if the name is not one.
pub(super) fn behind(write_alias: &str) -> Option<&str> {
    write_alias.strip_suffix(WRITE_ALIAS)
}

pub(super) fn no_index(name: &str) -> Error {
    Error::new(Kind::NotFound, format!("there is no index `{name}`"))
        .hint("run the recipe that fills it: reindex run RECIPE.toml")
}

/// Refuses a name that no index can have, or that would match several.
pub(super) fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > 255 || name.starts_with(['_', '-', '.']) || !name.chars().all(plain) {
        let shown: String = name.chars().take(60).collect();
        return Err(Error::usage(format!("an index cannot be named {shown:?}"))
            .hint("use small letters, digits, `_`, `-` and `.`, and begin with a letter or digit; `alias` in the environment file names it there"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_reach_other_indexes_are_refused() {
        for bad in ["", "*", "a,b", "_all", "-a", "a/b", "A", "a b", "a?", "..", "a#", "<a>", "a%2f"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        for good in ["persons", "persons_20261120t101500_a1b2c3", "größe"] {
            check_name(good).unwrap();
        }
    }

    #[test]
    fn a_stamp_joins_what_a_definition_says_of_itself() {
        let stamp = Stamp { version: "v".to_owned() };
        let body = with_stamp("i", r#"{"mappings":{"_meta":{"a":1}},"aliases":{"x":{}}}"#, &stamp).unwrap();
        let mappings = json!({ "_meta": { "a": 1, "reindex": { "version": "v" } } });
        let settings = json!({ "index.gc_deletes": "1h" });
        let aliases = json!({ "i.reindex-writes": {} });
        assert_eq!(body, json!({ "settings": settings, "mappings": mappings, "aliases": aliases }));
        for bad in ["", "[]", r#"{"mappings":[]}"#, r#"{"mappings":{"_meta":3}}"#] {
            assert!(with_stamp("i", bad, &stamp).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_definition_may_say_how_long_deletions_are_remembered() {
        let stamp = Stamp { version: "v".to_owned() };
        let settings = |text: &str| with_stamp("i", text, &stamp).unwrap()["settings"].clone();
        let own = [r#"{"index":{"gc_deletes":"1s"}}"#, r#"{"index.gc_deletes":"1s"}"#, r#"{"gc_deletes":"1s"}"#];
        for own in own {
            let unchanged: Value = serde_json::from_str(own).unwrap();
            assert_eq!(settings(&format!("{{\"settings\":{own}}}")), unchanged);
        }
        let another = settings(r#"{"settings":{"index":{"refresh_interval":"7s"}}}"#);
        assert_eq!(another, json!({ "index": { "refresh_interval": "7s" }, "index.gc_deletes": "1h" }));
    }
}
