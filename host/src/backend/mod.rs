//! Who really does it. This file is the only list of backends.

pub mod files;
pub mod sqlite;

use serde::{Deserialize, Serialize};

/// What an environment says of one resource: `[backend.<name>.<kind>]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Config {
    /// Tables, queues and indexes in one SQLite file.
    Sqlite(sqlite::Config),
    /// Objects as files of a directory.
    Files(files::Config),
}
