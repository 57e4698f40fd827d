//! What an environment says: its keys as they are written.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Deserialize;
use serde_json::Value;

use crate::backend;

/// An environment: which server, account and region each named resource is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Environment {
    /// The version of the environment format.
    #[schemars(extend("examples" = [1]))]
    #[expect(dead_code, reason = "looked at before the other keys, which a newer format may have changed")]
    pub environment: u32,
    /// What each resource is, by the name recipes use: `[backend.<name>.<kind>]`.
    #[serde(default)]
    pub backend: BTreeMap<String, backend::Config>,
    /// Where the ledger is kept; without it, in the environment's own SQLite file.
    pub ledger: Option<Ledger>,
}

/// `[ledger.<kind>]`
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Ledger {
    /// A SQLite file.
    Sqlite(SqliteLedger),
    /// A DynamoDB table, which workers on several machines share.
    Dynamodb(backend::LedgerConfig),
}

/// `[ledger.sqlite]`
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SqliteLedger {
    /// The database file, relative to the environment file.
    #[schemars(extend("examples" = ["../data/ledger.db"]))]
    pub file: PathBuf,
}

/// The JSON Schema of an environment.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Environment>().to_value()
}
