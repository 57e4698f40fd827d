//! The configuration of a bucket of local files.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[backend.<name>.files]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The directory that holds the objects, relative to the environment file.
    pub directory: PathBuf,
}
