//! The configuration of a table in DynamoDB.

use serde::{Deserialize, Serialize};

/// `[backend.<name>.dynamodb]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// The table; without it, the recipe's name of it.
    pub table: Option<String>,
    /// The AWS region; without it, the one the standard chain finds.
    pub region: Option<String>,
    /// The address of a server other than AWS.
    pub endpoint: Option<String>,
}
