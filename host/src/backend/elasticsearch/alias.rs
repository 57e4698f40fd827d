//! The alias and its indexes: found, created, swapped in one request, removed.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::{
    Index,
    client::Method,
    concrete::{There, check_name, fits, no_index, with_stamp, write_alias},
    definition,
    fault::{self, Said},
};
use crate::{
    capability::index::{Alias, Concrete, Place, Route, Stamp, moved},
    error::{Error, Kind, Result},
};

/// The suffix of the alias of the indexes that rebuilds fill to replace the one behind the main alias.
const FILLING: &str = "_reindex-filling";

/// How often, and at which interval, an alias that names two indexes is read before that is an error.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// How often a swap without an answer is tried.
const SWAPS: u32 = 3;

#[async_trait]
impl Alias for Index {
    async fn cluster(&self) -> Result<Option<String>> {
        self.client.cluster().await
    }

    async fn current(&self) -> Result<Option<Concrete>> {
        let mut found = self.look_up(&self.alias).await?;
        // If two runs add their index to the alias at one moment, one of them removes its own again.
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

    async fn route(&self) -> Result<Route> {
        for _ in 0..LOOKS {
            let (mut named, filling) = self.look_at_route().await?;
            if named.len() < 2 {
                return Ok(Route { current: named.pop(), filling });
            }
            // One of two runs that added their index at one moment removes its own again.
            tokio::time::sleep(PAUSE).await;
        }
        Err(several(&self.alias, self.look_up(&self.alias).await?.into_keys()))
    }

    async fn describe(&self, name: &str) -> Result<Concrete> {
        check_name(name)?;
        let there = self.look_up(name).await?.remove(name).ok_or_else(|| no_index(name))?;
        self.keep(name, there.known(name));
        Ok(there.concrete(name.to_owned()))
    }

    fn contradictions(&self, found: &Concrete, definition: &str) -> Vec<String> {
        definition::contradictions(&found.definition, definition)
    }

    /// If the reply is lost, or the index already exists, the existing index decides.
    async fn create(&self, name: &str, definition: &str, stamp: &Stamp) -> Result<()> {
        check_name(name)?;
        let body = with_stamp(name, definition, stamp)?;
        let operation = "the index cannot be made";
        let failed = match self.client.call(operation, Method::Put, name, Some(&body)).await {
            Ok(reply) if reply.status == 200 => return Ok(()),
            Ok(reply) => {
                // The second one is the error for a name that an alias has.
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

    /// Adds the alias of filled indexes to the index, so that every writer of the main alias finds it.
    async fn announce(&self, name: &str) -> Result<()> {
        self.describe(name).await?;
        let now = self.look_up(&self.alias).await?;
        if now.contains_key(name) {
            return Ok(());
        }
        now.values().try_for_each(|there| properties(&self.alias, there).map(drop))?;
        let add = json!({ "add": { "index": name, "alias": filling(&self.alias), "is_hidden": true } });
        self.act("the rebuild cannot be announced", &[add]).await
    }

    /// One request moves the alias, and the result is read back.
    async fn swap(&self, from: Option<&str>, to: &str) -> Result<()> {
        self.describe(to).await?;
        for _ in 1..SWAPS {
            match self.try_swap(from, to).await {
                Err(error) if error.may_retry() => tokio::time::sleep(PAUSE).await,
                pointed => return pointed,
            }
        }
        self.try_swap(from, to).await
    }

    /// The engines cannot compare and set in one request, so the alias is added and read back: a caller that sees
    /// another index beside its own removes its own, so that two callers are never both told that they have it.
    async fn claim(&self, to: &str) -> Result<bool> {
        self.describe(to).await?;
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

    async fn remove(&self, name: &str) -> Result<()> {
        check_name(name)?;
        self.forget(name);
        let Some(there) = self.look_up(name).await?.remove(name) else { return Ok(()) };
        if let Some(alias) =
            there.aliases.keys().find(|alias| **alias != write_alias(name) && **alias != filling(&self.alias))
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

impl Index {
    /// The indexes that the alias names, and those that are filled for it.
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

    /// Looks up the indexes behind an index name or alias.
    async fn look_up(&self, name: &str) -> Result<BTreeMap<String, There>> {
        let operation = "the index cannot be looked up";
        let reply = self.client.call(operation, Method::Get, name, None).await?;
        match reply.status {
            200 => {
                let found: BTreeMap<_, _> = reply.json()?;
                // An unknown name has another answer.
                if found.is_empty() { Err(fault::incomplete(operation, "it names no index")) } else { Ok(found) }
            }
            404 if Said::of(&reply).is_no_index() => Ok(BTreeMap::new()),
            _ => Err(fault::answered(operation, self.client.engine(), &reply).with("index", name)),
        }
    }

    async fn try_swap(&self, from: Option<&str>, to: &str) -> Result<()> {
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
            if now.is_empty() && from.is_none() && self.claim(to).await? {
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

    /// Checks that the alias has the same properties after a swap as before.
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

    async fn take_off(&self, from: &str) -> Result<()> {
        let remove = json!({ "remove": { "index": from, "alias": self.alias } });
        absent(self.act("the alias cannot be taken off", &[remove]).await)
    }

    /// Changes aliases, all of them or none.
    async fn act(&self, operation: &str, actions: &[Value]) -> Result<()> {
        let reply = self.client.call(operation, Method::Post, "_aliases", Some(&json!({ "actions": actions }))).await?;
        match reply.status {
            200 => Ok(()),
            _ => Err(fault::answered(operation, self.client.engine(), &reply).with("alias", self.alias.clone())),
        }
    }
}

fn several(alias: &str, names: impl Iterator<Item = String>) -> Error {
    let names: Vec<_> = names.collect();
    Error::usage(format!("the alias `{alias}` names {} indexes", names.len()))
        .with("names", names.join(", "))
        .hint("take it off all but one (`POST /_aliases`), or name another alias in the environment file")
}

/// Removing an alias that is already gone is not an error.
fn absent(removed: Result<()>) -> Result<()> {
    match removed {
        Err(error) if error.kind() == Kind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The properties that an alias keeps when it moves.
///
/// *Errors*: it routes documents or searches to specific shards.
fn properties(alias: &str, there: &There) -> Result<Map<String, Value>> {
    let properties = there.aliases.get(alias).and_then(Value::as_object).cloned().unwrap_or_default();
    match properties.keys().find(|name| name.ends_with("routing")) {
        None => Ok(properties),
        Some(name) => Err(Error::usage(format!("the alias `{alias}` has `{name}`, which a rebuild cannot carry over"))
            .hint("documents are written by their ids alone and would not be found through it; take the routing off the alias, or name another alias in the environment file")),
    }
}

/// The name of the alias of the indexes that rebuilds fill to replace the one behind `alias`.
fn filling(alias: &str) -> String {
    format!("{alias}{FILLING}")
}
