//! Queues in NATS JetStream.

use serde::{Deserialize, Serialize};

/// `[backend.<name>.nats]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The server's address.
    pub url: String,
}
