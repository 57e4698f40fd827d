//! The configuration of a resource in SQLite.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[backend.<name>.sqlite]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// The database file, relative to the environment file; without it the environment's own.
    pub file: Option<PathBuf>,
    /// The resource's name in that file; without it the recipe's name.
    pub name: Option<String>,
}
