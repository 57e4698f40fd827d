//! What a recipe adds to the identity of a run. Made from the recipe as written, so that no secret is in it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{json::json, said};
use crate::{
    capability::grant::Grants,
    error::{Error, Result},
    record::canonical,
};

/// The parts by name: short ones as canonical text, settings as a digest, since they are as long as they like.
pub(super) fn identity(said: &said::Recipe) -> Result<BTreeMap<String, String>> {
    let settings = settings(said)?;
    let grants: Vec<_> = Grants::new(&said.grant).iter().map(ToString::to_string).collect();
    let parts = [
        ("source", text(&said.source)?),
        ("grants", grants.join(", ")),
        ("settings", blake3::hash(settings.as_bytes()).to_hex().to_string()),
        ("items", text(&said.plugin.items)?),
        ("indexes", text(&said.index)?),
    ];
    Ok(parts.into_iter().map(|(name, text)| (name.to_owned(), text)).collect())
}

/// The plugin's settings as canonical JSON.
pub(super) fn settings(said: &said::Recipe) -> Result<String> {
    let table = toml::Value::Table(said.plugin.settings.clone());
    let value = json(&table, "plugin.settings").map_err(|(path, reason)| Error::usage(format!("`{path}` {reason}")))?;
    text(&value)
}

fn text(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(value).map_err(|error| Error::bug("a recipe is not JSON").because(error))?;
    canonical(&text).map_err(|reason| Error::usage(format!("a part of the recipe {reason}")))
}
