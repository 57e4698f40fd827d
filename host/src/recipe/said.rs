//! What a recipe says: its keys as they are written. What they mean is `check`'s business.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    capability::{grant, image},
    pipeline,
    record::{Form, Key, Version},
    sandbox::Limits,
};

/// A recipe: which source to read, which plugin maps it, and what that plugin may touch.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Recipe {
    /// The version of the recipe format.
    #[schemars(extend("examples" = [1]))]
    #[expect(dead_code, reason = "looked at before the other keys, which a newer format may have changed")]
    pub recipe: u32,
    /// What the recipe is called in commands and in the ledger; without it, the file's name.
    #[schemars(regex(pattern = crate::document::NAME), extend("examples" = ["parcels"]))]
    pub name: Option<String>,
    /// The environment that binds the recipe's names to servers, where `--env` does not say another one.
    #[schemars(regex(pattern = crate::document::NAME))]
    pub default_env: String,
    /// The plugin that maps the records.
    pub plugin: Plugin,
    /// Where the records come from: exactly one of `scan`, `file`, `export`, `queue` and `requests`.
    pub source: Source,
    /// What the plugin may touch; nothing, unless it is granted here.
    pub grant: grant::Config,
    /// What is particular about an index, by its name.
    #[serde(default)]
    pub index: BTreeMap<String, Index>,
    /// When `reindex serve` runs the recipe; without it, as soon as there is something to do.
    pub schedule: Option<Schedule>,
    /// How images are opened, and what one may cost.
    pub image: image::Config,
    /// What one call of the plugin may use.
    pub limits: Limits,
    /// How the run is paced.
    pub run: pipeline::Config,
}

/// The plugin: a `source` directory or a compiled `file`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["source"] }, { "required": ["file"] }]))]
pub(super) struct Plugin {
    /// A directory of source inside the recipe's own workspace, built on demand; relative to the recipe.
    #[schemars(extend("examples" = ["../plugins/parcels"]))]
    pub source: Option<PathBuf>,
    /// A compiled component; relative to the recipe.
    #[schemars(extend("examples" = ["parcels.wasm"]))]
    pub file: Option<PathBuf>,
    /// How the plugin reads its items.
    pub items: Form,
    /// Handed to the plugin as JSON.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub settings: toml::Table,
}

/// Where records come from.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Source {
    /// Every record of a table.
    Scan(Scan),
    /// The lines of a JSON lines file, plain or gzip.
    File(File),
    /// A DynamoDB export to S3: where it was exported to, or a directory it was fetched to.
    Export(Export),
    /// The messages of a queue, or the records that they name.
    Queue(Queue),
    /// Requests to look at an object, each a JSON file.
    Requests(Requests),
}

/// `[source.scan]`. What only paces a scan is no part of a run's identity, and so is not written.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Scan {
    /// The table's name; the environment says where it is.
    #[schemars(regex(pattern = crate::document::NAME), extend("examples" = ["people"]))]
    pub table: String,
    /// The attribute that is the record's key, or a list of them.
    #[schemars(extend("examples" = ["id"]))]
    pub key: Key,
    /// The attribute that holds the record's version, a whole number; "none" if records carry none.
    #[schemars(extend("examples" = ["versionNumber"]))]
    pub version: Version,
    /// Into how many parts the table is cut to be read in parallel; 0 means as many as suit the store.
    pub segments: u32,
    /// The attributes that are read, besides key and version; none means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["firstName", "surname"]]))]
    pub attributes: Vec<String>,
    /// Whether the scan reads consistently, at twice the price.
    #[serde(skip_serializing)]
    pub consistent: bool,
    /// The share of the table's provisioned read capacity that the scan may take, from 0 to 1.
    #[serde(skip_serializing)]
    #[schemars(extend("examples" = [0.5]))]
    pub read_share: Option<f64>,
    /// The units of read capacity a second that the scan may take.
    #[serde(skip_serializing)]
    #[schemars(extend("examples" = [500]))]
    pub max_rcu: Option<u32>,
}

/// `[source.file]`
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The file, relative to the recipe.
    #[schemars(extend("examples" = ["parcels.jsonl"]))]
    pub path: PathBuf,
    /// The attribute that is the record's key, or a list of them.
    #[schemars(extend("examples" = ["id"]))]
    pub key: Key,
    /// The attribute that holds the record's version, a whole number; "none" if records carry none.
    #[schemars(extend("examples" = ["versionNumber"]))]
    pub version: Version,
    /// How the lines are written.
    pub form: Form,
}

/// `[source.export]`
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["directory"] }, { "required": ["bucket"] }]))]
pub(super) struct Export {
    /// The directory that holds the export's manifests and data, relative to the recipe.
    #[schemars(extend("examples" = ["export/"]))]
    pub directory: Option<PathBuf>,
    /// The name of the bucket it was exported to; the environment says where it is.
    #[schemars(regex(pattern = crate::document::NAME), extend("examples" = ["exports"]))]
    pub bucket: Option<String>,
    /// What the keys of its manifests begin with in that bucket; without it, they lie at its top.
    #[schemars(extend("examples" = ["AWSDynamoDB/01693685827463-2d8752fd"]))]
    pub prefix: Option<String>,
    /// The attribute that is the record's key, or a list of them.
    #[schemars(extend("examples" = ["id"]))]
    pub key: Key,
    /// The attribute that holds the record's version, a whole number; "none" if records carry none.
    #[schemars(extend("examples" = ["versionNumber"]))]
    pub version: Version,
}

/// `[source.queue]`. How it is consumed is no part of a run's identity.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Queue {
    /// The queue's name; the environment says where it is.
    #[schemars(regex(pattern = crate::document::NAME), extend("examples" = ["changes"]))]
    pub queue: String,
    /// The table whose records the messages name by id; without it, the messages are the records.
    #[schemars(regex(pattern = crate::document::NAME), extend("examples" = ["people"]))]
    pub table: Option<String>,
    /// The attribute that is the record's key, or a list of them.
    #[schemars(extend("examples" = ["id"]))]
    pub key: Key,
    /// The attribute that holds the record's version, a whole number; "none" if records carry none.
    #[schemars(extend("examples" = ["versionNumber"]))]
    pub version: Version,
    /// How messages are written that are records.
    pub form: Form,
    /// How many lines of work take messages; 0 means one per core.
    pub consumers: u32,
    /// For how long a message is taken; begun anew while it is worked on.
    #[serde(with = "compact::required", skip_serializing)]
    #[schemars(with = "String", regex(pattern = crate::document::TIME))]
    pub lease: Duration,
    /// A run ends when no message came for so long; "0s" means never.
    #[serde(with = "compact::required", skip_serializing)]
    #[schemars(with = "String", regex(pattern = crate::document::TIME))]
    pub idle: Duration,
    /// A message that was delivered more often is recorded as failed.
    #[serde(skip_serializing)]
    pub max_deliveries: u32,
}

/// `[source.requests]`. How requests come about is no part of a run's identity.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Requests {
    /// The name of the bucket in which requests lie as JSON files; the environment says where it is.
    #[schemars(regex(pattern = crate::document::NAME), extend("examples" = ["process"]))]
    pub bucket: String,
    /// What the keys of requests begin with in that bucket.
    pub prefix: String,
    /// The name of the bucket whose objects requests name.
    #[schemars(regex(pattern = crate::document::NAME), extend("examples" = ["masters"]))]
    pub objects: String,
    /// What the keys of objects begin with that become requests; none means all.
    #[serde(skip_serializing)]
    #[schemars(extend("examples" = [["digital/"]]))]
    pub prefixes: Vec<String>,
    /// How the names of objects end that become requests, in any case; none means any.
    #[serde(skip_serializing)]
    pub endings: Vec<String>,
    /// The name of the queue to which the bucket sends notifications of new objects: S3's, or MinIO's.
    #[serde(skip_serializing)]
    #[schemars(regex(pattern = crate::document::NAME), extend("examples" = ["uploads"]))]
    pub queue: Option<String>,
    /// Whether the bucket is a folder that is watched for new files instead.
    #[serde(skip_serializing)]
    pub watch: bool,
    /// How often `serve` looks for requests that others have put there.
    #[serde(with = "compact::required", skip_serializing)]
    #[schemars(with = "String", regex(pattern = crate::document::TIME))]
    pub poll: Duration,
    /// Into how many parts requests are divided; 0 means one per core.
    pub segments: u32,
}

/// `[schedule]`
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Schedule {
    /// When: minute, hour, day of the month, month and day of the week, as crontab has them.
    #[schemars(extend("examples" = ["30 5 * * *"]))]
    pub cron: String,
    /// The time zone of these, by its name in the IANA database.
    #[schemars(extend("examples" = ["Europe/London"]))]
    pub zone: String,
}

/// `[index.<name>]`
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Index {
    /// A JSON file with `settings` and `mappings`, relative to the recipe, in place of what the plugin describes.
    #[schemars(extend("examples" = ["parcels.index.json"]))]
    pub definition: Option<PathBuf>,
    /// Removes documents whose item is gone, after each error-free run over the whole source.
    pub prune: Option<Prune>,
}

/// `[index.<name>.prune]`
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Prune {
    /// The share of the index's documents that may go at once, from 0 to 1; if more would, none does.
    #[schemars(extend("examples" = [0.01]))]
    pub max_share: f64,
    /// Which documents are this recipe's own, in the engine's query language; without it, all of them.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>", extend("examples" = [{ "term": { "kind": "parcel" } }]))]
    pub query: Option<toml::Table>,
}
