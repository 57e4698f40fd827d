//! Concrete indexes and the alias before them: found, made, swapped in one request, removed.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Index, Known,
    client::Method,
    definition,
    fault::{self, Said},
};
use crate::{
    capability::index::{Concrete, Place, Route, Stamp, moved},
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

/// What follows an alias's name in the alias of the indexes that rebuilds fill to replace the one it names.
const FILLING: &str = "_reindex-filling";

/// How often, and how far apart, an alias that names two indexes is looked at before that is an error.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// How often a swap is tried that the cluster did not answer.
const SWAPS: u32 = 3;

/// An index as `GET /<name>` answers it.
#[derive(Deserialize)]
struct There {
    #[serde(default)]
    aliases: Map<String, Value>,
    #[serde(default)]
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
        let identity = self.identity();
        let definition = json!({ "settings": self.settings, "mappings": self.mappings }).to_string();
        Concrete { name, definition, stamp, created, identity }
    }

    /// Differs once an index is made anew under its name, or closed and restored from a snapshot.
    fn identity(&self) -> String {
        let index = &self.settings["index"];
        let parts = [&index["uuid"], &index["history"]["uuid"]];
        parts.into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
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
            return Err(several(&self.alias, found.into_keys()));
        }
        found.iter().for_each(|(name, there)| self.keep(name, there.known(name)));
        Ok(found.pop_first().map(|(name, there)| there.concrete(name)))
    }

    /// The concrete indexes that a write through the alias has to reach.
    pub(super) async fn places(&self) -> Result<Route> {
        for _ in 0..LOOKS {
            let (mut named, filling) = self.look_at_route().await?;
            if named.len() < 2 {
                return Ok(Route { current: named.pop(), filling });
            }
            // One of two runs that gave it their index at one moment takes its own off again.
            tokio::time::sleep(PAUSE).await;
        }
        Err(several(&self.alias, self.look_up(&self.alias).await?.into_keys()))
    }

    /// Those that the alias names, and those that are filled for it.
    async fn look_at_route(&self) -> Result<(Vec<Place>, Vec<Place>)> {
        let (operation, filling) = ("the alias cannot be looked up", filling(&self.alias));
        let parts = "*.aliases,*.settings.index.uuid,*.settings.index.history.uuid";
        let path = format!("{},{filling}?ignore_unavailable=true&filter_path={parts}", self.alias);
        let reply = self.client.call(operation, Method::Get, &path, None).await?;
        let found: BTreeMap<String, There> = match reply.status {
            200 => reply.json()?,
            _ => return Err(fault::answered(operation, self.client.engine(), &reply).with("alias", self.alias.clone())),
        };
        let (mut named, mut filled) = (Vec::new(), Vec::new());
        for (name, there) in found {
            let place = Place { identity: there.identity(), name };
            let is_current = place.name == self.alias || there.aliases.contains_key(&self.alias);
            if is_current { named.push(place) } else { filled.push(place) }
        }
        Ok((named, filled))
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
            200 => {
                let found: BTreeMap<_, _> = reply.json()?;
                // A name that stands for nothing is answered otherwise.
                if found.is_empty() { Err(fault::incomplete(operation, "it names no index")) } else { Ok(found) }
            }
            404 if Said::of(&reply).is_no_index() => Ok(BTreeMap::new()),
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

    /// Gives the index the alias of those that are filled, so that every writer of the alias finds it.
    pub(super) async fn give_notice(&self, name: &str) -> Result<()> {
        self.found(name).await?;
        let now = self.look_up(&self.alias).await?;
        if now.contains_key(name) {
            return Ok(());
        }
        now.values().try_for_each(|there| properties(&self.alias, there).map(drop))?;
        let add = json!({ "add": { "index": name, "alias": filling(&self.alias), "is_hidden": true } });
        self.act("the rebuild cannot be announced", &[add]).await
    }

    /// Lets the alias name this index instead of another, in one request, and reads it back.
    pub(super) async fn point(&self, from: Option<&str>, to: &str) -> Result<()> {
        self.found(to).await?;
        for _ in 1..SWAPS {
            match self.try_to_point(from, to).await {
                Err(error) if error.may_retry() => tokio::time::sleep(PAUSE).await,
                pointed => return pointed,
            }
        }
        self.try_to_point(from, to).await
    }

    async fn try_to_point(&self, from: Option<&str>, to: &str) -> Result<()> {
        let now = self.look_up(&self.alias).await?;
        if now.contains_key(&self.alias) {
            return Err(Error::usage(format!("`{0}` is an index itself, so `{0}` cannot become an alias", self.alias))
                .hint(
                    "name another alias in the environment file, or rename the index: clone it, remove it, then run",
                ));
        }
        if now.len() > 1 {
            return Err(several(&self.alias, now.into_keys()));
        }
        if now.contains_key(to) {
            return Ok(());
        }
        let Some((from, there)) = from.and_then(|from| now.get_key_value(from)) else {
            if now.is_empty() && from.is_none() && self.put_forward(to).await? {
                return self.withdraw(to).await;
            }
            let now = self.look_up(&self.alias).await?;
            return Err(moved(&self.alias, from, now.keys().next().map(String::as_str)));
        };
        let properties = properties(&self.alias, there)?;
        let failed = self.exchange(from, to, &properties).await.err();
        let now = self.look_up(&self.alias).await?;
        match (now.get(to), failed) {
            (Some(there), _) if now.len() == 1 => self.kept(there, &properties),
            (_, Some(error)) if error.kind() != Kind::NotFound => Err(error),
            _ => Err(moved(&self.alias, Some(from), now.keys().next().map(String::as_str))),
        }
    }

    /// Moves the alias in one request, which changes nothing unless the alias still names `from`.
    async fn exchange(&self, from: &str, to: &str, properties: &Map<String, Value>) -> Result<()> {
        let alias = &self.alias;
        let mut add = properties.clone();
        add.extend([("index".to_owned(), json!(to)), ("alias".to_owned(), json!(alias))]);
        let actions = [
            json!({ "remove": { "index": from, "alias": alias, "must_exist": true } }),
            json!({ "remove": { "index": to, "alias": filling(alias), "must_exist": false } }),
            json!({ "add": add }),
        ];
        self.act("the alias cannot be moved", &actions).await
    }

    /// Compares the properties of the alias after a swap with those from before.
    fn kept(&self, there: &There, properties: &Map<String, Value>) -> Result<()> {
        let now = there.aliases.get(&self.alias).and_then(Value::as_object).cloned().unwrap_or_default();
        if now == *properties {
            return Ok(());
        }
        let (alias, before) = (&self.alias, Value::Object(properties.clone()));
        Err(Error::new(Kind::Stopped, format!("`{alias}` was swapped, but its properties are not those it had"))
            .with("before", before.to_string())
            .with("now", Value::Object(now).to_string())
            .hint("give them back with `POST /_aliases`, then run the same command again"))
    }

    async fn withdraw(&self, name: &str) -> Result<()> {
        let remove = json!({ "remove": { "index": name, "alias": filling(&self.alias) } });
        absent(self.act("the announcement cannot be taken back", &[remove]).await)
    }

    /// Lets the alias name this index unless it names one. The engines cannot ask both in one request, so it is added
    /// and read back: whoever sees another beside its own takes its own off, so that never two are told they have it.
    pub(super) async fn put_forward(&self, to: &str) -> Result<bool> {
        self.found(to).await?;
        let mut now = self.look_up(&self.alias).await?;
        let mut failed = None;
        if now.is_empty() {
            let add = json!({ "add": { "index": to, "alias": self.alias } });
            failed = self.act("the alias cannot be set", &[add]).await.err();
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
        let remove = json!({ "remove": { "index": from, "alias": self.alias } });
        absent(self.act("the alias cannot be taken off", &[remove]).await)
    }

    /// Changes aliases: all of it or nothing.
    async fn act(&self, operation: &str, actions: &[Value]) -> Result<()> {
        let reply = self.client.call(operation, Method::Post, "_aliases", Some(&json!({ "actions": actions }))).await?;
        match reply.status {
            200 => Ok(()),
            _ => Err(fault::answered(operation, self.client.engine(), &reply).with("alias", self.alias.clone())),
        }
    }

    /// Removes an index that nothing names.
    pub(super) async fn delete(&self, name: &str) -> Result<()> {
        check_name(name)?;
        let Some(there) = self.look_up(name).await?.remove(name) else { return Ok(()) };
        if let Some(alias) = there.aliases.keys().find(|alias| **alias != door(name) && **alias != filling(&self.alias))
        {
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

fn several(alias: &str, names: impl Iterator<Item = String>) -> Error {
    let names: Vec<_> = names.collect();
    Error::usage(format!("the alias `{alias}` names {} indexes", names.len()))
        .with("names", names.join(", "))
        .hint("take it off all but one (`POST /_aliases`), or name another alias in the environment file")
}

/// The removal of an alias that is gone already is none.
fn absent(removed: Result<()>) -> Result<()> {
    match removed {
        Err(error) if error.kind() == Kind::NotFound => Ok(()),
        removed => removed,
    }
}

/// What an alias keeps when it moves.
///
/// *Errors*: it routes documents or searches to shards of their own.
fn properties(alias: &str, there: &There) -> Result<Map<String, Value>> {
    let properties = there.aliases.get(alias).and_then(Value::as_object).cloned().unwrap_or_default();
    match properties.keys().find(|name| name.ends_with("routing")) {
        None => Ok(properties),
        Some(name) => Err(Error::usage(format!("the alias `{alias}` has `{name}`, which a rebuild cannot carry over"))
            .hint("documents are written by their ids alone and would not be found through it; take the routing off the alias, or name another alias in the environment file")),
    }
}

/// The alias of the indexes that rebuilds fill to take over an alias.
fn filling(alias: &str) -> String {
    format!("{alias}{FILLING}")
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
