//! The configuration of a resource in an environment, one variant per backend. A backend that is not in this build has
//! a variant, too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::IgnoredAny};

#[cfg(feature = "dynamodb")]
use super::dynamodb;
#[cfg(feature = "elasticsearch")]
use super::elasticsearch;
#[cfg(feature = "nats")]
use super::nats;
#[cfg(feature = "s3")]
use super::s3;
#[cfg(feature = "sqs")]
use super::sqs;
use super::{files, sqlite};

/// The backend of one resource: `[backend.<name>.<kind>]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Config {
    /// Tables, queues and indexes in one SQLite file.
    Sqlite(sqlite::Config),
    /// Objects as files of a directory.
    Files(files::Config),
    /// Tables in DynamoDB.
    #[cfg(feature = "dynamodb")]
    Dynamodb(dynamodb::Config),
    /// Not in this build: tables in DynamoDB.
    #[cfg(not(feature = "dynamodb"))]
    Dynamodb(Absent),
    /// Objects in S3.
    #[cfg(feature = "s3")]
    S3(s3::Config),
    /// Not in this build: objects in S3.
    #[cfg(not(feature = "s3"))]
    S3(Absent),
    /// Queues in SQS.
    #[cfg(feature = "sqs")]
    Sqs(sqs::Config),
    /// Not in this build: queues in SQS.
    #[cfg(not(feature = "sqs"))]
    Sqs(Absent),
    /// Queues in NATS JetStream.
    #[cfg(feature = "nats")]
    Nats(nats::Config),
    /// Not in this build: queues in NATS JetStream.
    #[cfg(not(feature = "nats"))]
    Nats(Absent),
    /// Indexes in Elasticsearch.
    #[cfg(feature = "elasticsearch")]
    Elasticsearch(elasticsearch::Config),
    /// Not in this build: indexes in Elasticsearch.
    #[cfg(not(feature = "elasticsearch"))]
    Elasticsearch(Absent),
    /// Indexes in OpenSearch.
    #[cfg(feature = "elasticsearch")]
    Opensearch(elasticsearch::Config),
    /// Not in this build: indexes in OpenSearch.
    #[cfg(not(feature = "elasticsearch"))]
    Opensearch(Absent),
}

/// The ledger that workers on several machines share: `[ledger.dynamodb]`.
#[cfg(feature = "dynamodb")]
pub use super::dynamodb::LedgerConfig;

/// The shared ledger, which this build does not contain.
#[cfg(not(feature = "dynamodb"))]
pub type LedgerConfig = Absent;

/// The configuration of a backend that is not in this build: any keys, which are ignored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(from = "IgnoredAny")]
#[schemars(with = "BTreeMap<String, serde_json::Value>", extend("x-absent" = true))]
pub struct Absent {}

impl From<IgnoredAny> for Absent {
    fn from(_: IgnoredAny) -> Self {
        Self {}
    }
}

impl Config {
    /// The backend's name in an environment.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Files(_) => "files",
            Self::Dynamodb(_) => "dynamodb",
            Self::S3(_) => "s3",
            Self::Sqs(_) => "sqs",
            Self::Nats(_) => "nats",
            Self::Elasticsearch(_) => "elasticsearch",
            Self::Opensearch(_) => "opensearch",
        }
    }

    /// The uses of this backend; empty if it is not in this build.
    pub(super) fn serves(&self) -> &'static [&'static str] {
        match self {
            Self::Sqlite(_) => &["a table", "a queue", "an index"],
            Self::Files(_) => &["a bucket"],
            Self::Dynamodb(_) if cfg!(feature = "dynamodb") => &["a table"],
            Self::S3(_) if cfg!(feature = "s3") => &["a bucket"],
            Self::Sqs(_) if cfg!(feature = "sqs") => &["a queue"],
            Self::Nats(_) if cfg!(feature = "nats") => &["a queue"],
            Self::Elasticsearch(_) | Self::Opensearch(_) if cfg!(feature = "elasticsearch") => &["an index"],
            _ => &[],
        }
    }

    /// The uuid of the required cluster, if the environment sets it.
    pub fn cluster(&self) -> Option<&str> {
        match self {
            #[cfg(feature = "elasticsearch")]
            Self::Elasticsearch(config) | Self::Opensearch(config) => config.cluster.as_deref(),
            _ => None,
        }
    }

    /// The address of its cluster, whether that is OpenSearch, and the alias, if it is an index of a cluster.
    #[cfg_attr(not(feature = "elasticsearch"), expect(unused_variables, reason = "no index is on a cluster"))]
    pub fn searched(&self, name: &str) -> Option<(String, bool, String)> {
        match self {
            #[cfg(feature = "elasticsearch")]
            Self::Elasticsearch(config) | Self::Opensearch(config) => {
                let opensearch = matches!(self, Self::Opensearch(_));
                Some((config.shown(), opensearch, config.alias.clone().unwrap_or_else(|| name.to_owned())))
            }
            _ => None,
        }
    }

    /// Its AWS region, if the environment sets one for this resource.
    pub fn region(&self) -> Option<&str> {
        match self {
            #[cfg(feature = "dynamodb")]
            Self::Dynamodb(config) => config.region.as_deref(),
            #[cfg(feature = "s3")]
            Self::S3(config) => config.region.as_deref(),
            #[cfg(feature = "sqs")]
            Self::Sqs(config) => config.region.as_deref(),
            _ => None,
        }
    }

    /// Whether it needs AWS credentials.
    fn calls_aws(&self) -> bool {
        match self {
            Self::Dynamodb(_) | Self::S3(_) | Self::Sqs(_) => true,
            #[cfg(feature = "elasticsearch")]
            Self::Elasticsearch(config) | Self::Opensearch(config) => config.signs(),
            _ => false,
        }
    }
}

/// Whether any of these needs AWS credentials, so that the caller has to provide a [`Session`](super::aws::Session).
pub fn call_aws<'a>(configs: impl IntoIterator<Item = &'a Config>) -> bool {
    configs.into_iter().any(Config::calls_aws)
}
