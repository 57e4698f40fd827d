//! Objects in S3.

use serde::{Deserialize, Serialize};

/// `[backend.<name>.s3]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The bucket.
    pub bucket: String,
    /// What every key begins with there, such as `masters/`.
    #[serde(default)]
    pub prefix: String,
    /// The AWS region; without it, the one the standard chain finds.
    pub region: Option<String>,
    /// The address of a server that is not AWS's own.
    pub endpoint: Option<String>,
}
