//! Settings for a load, and their way back.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Index,
    alias::{check_name, no_index},
    client::{Method, Reply},
    fault::{self, Said, Shards},
};
use crate::error::{Error, Result};

/// What a load changes, and what to. Replicas that follow the number of nodes would come back by themselves.
const TUNED: [(&str, &str); 3] =
    [("refresh_interval", "-1"), ("number_of_replicas", "0"), ("auto_expand_replicas", "false")];

#[derive(Deserialize)]
struct Shown {
    _shards: Shards,
}

impl Index {
    /// What is set before a load, null where nothing is.
    pub(super) async fn settings_before(&self, concrete: &str) -> Result<String> {
        check_name(concrete)?;
        let names: Vec<_> = TUNED.iter().map(|(name, _)| format!("*.settings.index.{name}")).collect();
        let path = format!("{concrete}/_settings?filter_path={}", names.join(","));
        let operation = "its settings cannot be read";
        let there: Value = self.on(concrete, operation, Method::Get, &path, None).await?.json()?;
        // Each index has a number of replicas.
        let there = &there[concrete]["settings"]["index"];
        if !there.is_object() {
            return Err(fault::incomplete(operation, "it has no settings").with("index", concrete));
        }
        let before: Map<_, _> = TUNED.iter().map(|(name, _)| ((*name).to_owned(), there[*name].clone())).collect();
        Ok(Value::Object(before).to_string())
    }

    /// No refreshing and no replicas.
    pub(super) async fn set_up(&self, concrete: &str) -> Result<()> {
        check_name(concrete)?;
        let tuned: Map<_, _> = TUNED.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        self.set(concrete, &Value::Object(tuned)).await
    }

    /// The settings that [`settings_before`](Self::settings_before) answered.
    pub(super) async fn set_back(&self, concrete: &str, before: &str) -> Result<()> {
        check_name(concrete)?;
        let before: Map<String, Value> = serde_json::from_str(before)
            .map_err(|error| Error::bug("the settings to restore are not JSON").because(error))?;
        let known = before.into_iter().filter(|(name, _)| TUNED.iter().any(|(tuned, _)| tuned == name));
        let known: Map<_, _> = known.collect();
        if known.is_empty() { Ok(()) } else { self.set(concrete, &Value::Object(known)).await }
    }

    async fn set(&self, concrete: &str, settings: &Value) -> Result<()> {
        let body = json!({ "index": settings });
        let path = format!("{concrete}/_settings");
        let operation = "its settings cannot be changed";
        let said: Value = self.on(concrete, operation, Method::Put, &path, Some(&body)).await?.json()?;
        if said["acknowledged"] == true {
            return Ok(());
        }
        Err(fault::incomplete(operation, "it is not acknowledged").with("index", concrete))
    }

    /// Makes what was written visible to searches and counts.
    pub(super) async fn show(&self, concrete: &str) -> Result<()> {
        check_name(concrete)?;
        let path = format!("{concrete}/_refresh");
        let operation = "it cannot be refreshed";
        let said: Shown = self.on(concrete, operation, Method::Post, &path, None).await?.json()?;
        fault::complete(operation, false, &said._shards).map_err(|error| error.with("index", concrete))
    }

    /// Asks something of a concrete index that has to be there.
    pub(super) async fn on(
        &self,
        concrete: &str,
        operation: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply> {
        let reply = self.client.call(operation, method, path, body).await?;
        match reply.status {
            200 => Ok(reply),
            404 if Said::of(&reply).is_no_index() => Err(no_index(concrete)),
            _ => Err(fault::answered(operation, self.client.engine(), &reply).with("index", concrete)),
        }
    }
}
