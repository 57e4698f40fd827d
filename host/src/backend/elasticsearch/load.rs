//! The settings of a load, and their restoration.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::{Index, client::Method, concrete::check_name, fault};
use crate::{
    capability::index::Tune,
    error::{Error, Result},
};

/// The settings that a load changes, with their values. Replicas that follow the number of nodes would return by
/// themselves.
const TUNED: [(&str, &str); 3] =
    [("refresh_interval", "-1"), ("number_of_replicas", "0"), ("auto_expand_replicas", "false")];

#[async_trait]
impl Tune for Index {
    /// Null means that the setting is not set.
    async fn load_settings(&self, concrete: &str) -> Result<String> {
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

    async fn tune(&self, concrete: &str) -> Result<()> {
        check_name(concrete)?;
        let tuned: Map<_, _> = TUNED.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        self.set(concrete, &Value::Object(tuned)).await
    }

    async fn restore(&self, concrete: &str, before: &str) -> Result<()> {
        check_name(concrete)?;
        let before: Map<String, Value> = serde_json::from_str(before)
            .map_err(|error| Error::bug("the settings to restore are not JSON").because(error))?;
        let known = before.into_iter().filter(|(name, _)| TUNED.iter().any(|(tuned, _)| tuned == name));
        let known: Map<_, _> = known.collect();
        if known.is_empty() { Ok(()) } else { self.set(concrete, &Value::Object(known)).await }
    }
}

impl Index {
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
}
