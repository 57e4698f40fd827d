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
    /// Which AWS account and region its resources are in.
    pub aws: Option<Aws>,
    /// What each resource is, by the name recipes use: `[backend.<name>.<kind>]`.
    #[serde(default)]
    pub backend: BTreeMap<String, backend::Config>,
    /// Where the ledger is kept; without it, in the environment's own SQLite file.
    pub ledger: Option<Ledger>,
}

/// `[aws]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aws {
    /// The account the credentials have to belong to; a run with others is refused before it writes.
    #[schemars(extend("examples" = ["123456789012"]))]
    pub account: Option<String>,
    /// The region of every resource that names none; without it, the one the standard chain finds.
    #[schemars(extend("examples" = ["eu-west-2"]))]
    pub region: Option<String>,
    /// The address of every service that names none, where it is not AWS's own.
    #[schemars(extend("examples" = ["http://127.0.0.1:4566"]))]
    pub endpoint: Option<String>,
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
