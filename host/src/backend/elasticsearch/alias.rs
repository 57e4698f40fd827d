//! Concrete indexes and the alias before them: found, made, swapped in one request, removed.

use std::{collections::BTreeMap, time::Duration};

use elasticsearch::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Index, Known, definition,
    fault::{self, Said},
};
use crate::{
    capability::index::{Concrete, Stamp},
    error::{Error, Kind, Result},
};

/// Where a stamp stands in a mapping's `_meta`.
const STAMP: &str = "reindex";

/// What follows an index's name in the alias that its writes go through. It ends with its index, so that a bulk
/// request to it never makes an index anew, without its mapping, where somebody removed it.
const DOOR: &str = ".reindex-writes";

/// How long an index remembers the version of a deletion, unless its definition says so itself. The engines' own
/// 60 seconds are shorter than a message is redelivered, or a batch repeated. It is kept after a load, since there may
/// be writers at any time; a remembered deletion costs the engine some hundred bytes of memory.
const GC_DELETES: (&str, &str) = ("gc_deletes", "1h");

/// How often, and how far apart, an alias that names two indexes is looked at before that is an error.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// How often an alias that others move, too, is swapped.
const SWAPS: u32 = 3;

/// An index as `GET /<name>` answers it.
#[derive(Deserialize)]
struct There {
    aliases: Map<String, Value>,
    mappings: Value,
    settings: Value,
}

impl There {
    /// What is known of it from now on.
    fn known(&self, name: &str) -> Known {
        let stamp = serde_json::from_value(self.mappings["_meta"][STAMP].clone()).ok();
        let door = Some(door(name)).filter(|door| self.aliases.contains_key(door));
        Known { stamp, door: door.unwrap_or_else(|| name.to_owned()) }
    }

    fn concrete(self, name: String) -> Concrete {
        let stamp = self.known(&name).stamp;
        let created = self.settings["index"]["creation_date"].as_str().and_then(|date| date.parse().ok());
        let created = created.and_then(|date| Timestamp::from_millisecond(date).ok()).unwrap_or_default();
        let definition = json!({ "settings": self.settings, "mappings": self.mappings }).to_string();
        Concrete { name, definition, stamp, created }
    }
}

impl Index {
    /// The index the alias names, or the one that has its name.
    pub(super) async fn behind_alias(&self) -> Result<Option<Concrete>> {
        let mut found = self.look_up(&self.alias).await?;
        // Of two runs that give it their index at one moment, one takes its own off again.
        for _ in 0..LOOKS {
            if found.len() < 2 {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            found = self.look_up(&self.alias).await?;
        }
        if found.len() > 1 {
            let names: Vec<_> = found.into_keys().collect();
            return Err(Error::usage(format!("the alias `{}` names {} indexes", self.alias, names.len()))
                .with("names", names.join(", "))
                .hint("take it off all but one (`POST /_aliases`), or name another alias in the environment file"));
        }
        found.iter().for_each(|(name, there)| self.keep(name, there.known(name)));
        Ok(found.pop_first().map(|(name, there)| there.concrete(name)))
    }

    /// A concrete index.
    pub(super) async fn found(&self, name: &str) -> Result<Concrete> {
        check_name(name)?;
        let there = self.look_up(name).await?.remove(name).ok_or_else(|| no_index(name))?;
        self.keep(name, there.known(name));
        Ok(there.concrete(name.to_owned()))
    }

    /// Whatever an index or alias of this name stands for.
    async fn look_up(&self, name: &str) -> Result<BTreeMap<String, There>> {
        let operation = "the index cannot be looked up";
        let reply = self.client.call(operation, Method::Get, name, None).await?;
        match reply.status {
            200 => reply.json(),
            404 => Ok(BTreeMap::new()),
            _ => Err(fault::answered(operation, self.client.engine(), &reply).with("index", name)),
        }
    }

    /// Makes an index. If the reply is lost, or it is there already, what is there decides.
    pub(super) async fn make(&self, name: &str, definition: &str, stamp: &Stamp) -> Result<()> {
        check_name(name)?;
        let body = with_stamp(name, definition, stamp)?;
        let operation = "the index cannot be made";
        let failed = match self.client.call(operation, Method::Put, name, Some(&body)).await {
            Ok(reply) if reply.status == 200 => return Ok(()),
            Ok(reply) => {
                // The second is what the name of an alias is called.
                let taken = ["resource_already_exists_exception", "invalid_index_name_exception"];
                let there = taken.contains(&Said::of(&reply).kind.as_str());
                let error = fault::answered(operation, self.client.engine(), &reply).with("index", name);
                if !there {
                    let mend = reply.status == 400 && error.hint_text().is_none();
                    return Err(if mend {
                        error.hint("mend the plugin's index.json, or the recipe's override of it")
                    } else {
                        error
                    });
                }
                error
            }
            Err(error) => error,
        };
        match self.look_up(name).await?.remove(name) {
            Some(there) => fits(&there.concrete(name.to_owned()), definition, stamp),
            None if self.look_up(name).await?.is_empty() => Err(failed),
            None => Err(Error::usage(format!("`{name}` is an alias; no index can have its name"))),
        }
    }

    /// Lets the alias name this index and no other, in one request, and reads it back.
    pub(super) async fn point(&self, to: &str) -> Result<()> {
        self.found(to).await?;
        let mut failed = None;
        for _ in 0..SWAPS {
            let now = self.look_up(&self.alias).await?;
            if now.contains_key(&self.alias) {
                return Err(Error::usage(format!(
                    "`{0}` is an index itself, so `{0}` cannot become an alias",
                    self.alias
                ))
                .hint(
                    "name another alias in the environment file, or rename the index: clone it, remove it, then run",
                ));
            }
            if now.len() == 1 && now.contains_key(to) {
                return Ok(());
            }
            failed = self.exchange(now.keys(), to).await.err();
            if failed.as_ref().is_some_and(|error| !error.may_retry()) {
                break;
            }
        }
        let moved = || Error::new(Kind::Unavailable, format!("`{}` does not name {to} after the swap", self.alias));
        Err(failed.unwrap_or_else(|| moved().hint("somebody else moves this alias; run again to try again")))
    }

    /// Lets the alias name this index unless it names one. The engines cannot ask both in one request, so it is added
    /// and read back: whoever sees another beside its own takes its own off, so that never two are told they have it.
    pub(super) async fn put_forward(&self, to: &str) -> Result<bool> {
        self.found(to).await?;
        let mut now = self.look_up(&self.alias).await?;
        let mut failed = None;
        if now.is_empty() {
            failed = self.exchange(now.keys(), to).await.err();
            now = self.look_up(&self.alias).await?;
        }
        match (now.contains_key(to), now.len(), failed) {
            (true, 1, _) => Ok(true),
            (true, ..) => self.take_off(to).await.map(|()| false),
            (false, _, Some(error)) => Err(error),
            (false, _, None) => Ok(false),
        }
    }

    async fn take_off(&self, from: &str) -> Result<()> {
        let operation = "the alias cannot be taken off";
        let actions = json!({ "actions": [{ "remove": { "index": from, "alias": self.alias } }] });
        let reply = self.client.call(operation, Method::Post, "_aliases", Some(&actions)).await?;
        match reply.status {
            200 | 404 => Ok(()),
            _ => Err(fault::answered(operation, self.client.engine(), &reply).with("alias", self.alias.clone())),
        }
    }

    async fn exchange(&self, from: impl Iterator<Item = &String>, to: &str) -> Result<()> {
        let alias = &self.alias;
        let others = from.filter(|index| *index != to);
        let mut actions: Vec<_> = others.map(|index| json!({ "remove": { "index": index, "alias": alias } })).collect();
        actions.push(json!({ "add": { "index": to, "alias": alias } }));
        let operation = "the alias cannot be moved";
        let reply = self.client.call(operation, Method::Post, "_aliases", Some(&json!({ "actions": actions }))).await?;
        match reply.status {
            200 => Ok(()),
            // Somebody removed it from one of them, or removed that, since it was looked up.
            404 => Err(Error::new(Kind::Unavailable, format!("{operation}: {}", Said::of(&reply).reason))),
            _ => Err(fault::answered(operation, self.client.engine(), &reply).with("alias", alias.clone())),
        }
    }

    /// Removes an index that nothing names.
    pub(super) async fn delete(&self, name: &str) -> Result<()> {
        check_name(name)?;
        let Some(there) = self.look_up(name).await?.remove(name) else { return Ok(()) };
        if let Some(alias) = there.aliases.keys().find(|alias| **alias != door(name)) {
            return Err(Error::usage(format!("the index `{name}` is in use: the alias `{alias}` names it"))
                .hint("point the alias at another index first"));
        }
        let operation = "the index cannot be removed";
        let reply = self.client.call(operation, Method::Delete, name, None).await?;
        match reply.status {
            200 | 404 => Ok(()),
            _ => Err(fault::answered(operation, self.client.engine(), &reply).with("index", name)),
        }
    }
}

fn with_stamp(name: &str, definition: &str, stamp: &Stamp) -> Result<Value> {
    let wrong = |what: &str| Error::usage(format!("the definition of the index `{name}` {what}"));
    let mut body: Value = serde_json::from_str(definition).map_err(|error| wrong("is not JSON").because(error))?;
    let object = body.as_object_mut().ok_or_else(|| wrong("is not a JSON object"))?;
    // Aliases are this program's affair.
    object.insert("aliases".to_owned(), json!({ door(name): {} }));
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

fn fits(there: &Concrete, definition: &str, stamp: &Stamp) -> Result<()> {
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

/// The alias that writes to an index go through, if this program made it.
fn door(name: &str) -> String {
    format!("{name}{DOOR}")
}

/// The index behind a door; none if it is none.
pub(super) fn behind(door: &str) -> Option<&str> {
    door.strip_suffix(DOOR)
}

pub(super) fn no_index(name: &str) -> Error {
    Error::new(Kind::NotFound, format!("there is no index `{name}`"))
        .hint("run the recipe that fills it: reindex run RECIPE.toml")
}

/// Refuses what no index can be named, and what would name several.
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
