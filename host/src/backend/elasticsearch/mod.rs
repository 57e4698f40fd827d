//! Indexes in Elasticsearch and OpenSearch.

use serde::{Deserialize, Serialize};

/// `[backend.<name>.elasticsearch]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The cluster's address.
    pub url: String,
    /// The alias.
    pub alias: Option<String>,
    /// The cluster's uuid.
    pub cluster: Option<String>,
}

impl Config {
    /// Whether requests are signed for Amazon's managed domains.
    pub(super) fn signs(&self) -> bool {
        false
    }
}
