//! Scratch resources on the endpoints that an environment names: created for a proof, and removed after it.
//!
//! They have names of their own and use only the endpoint, the credentials and, since only users create buckets, the
//! bucket of the configuration. The proof itself is elsewhere.

use std::sync::Arc;

use super::{Backends, Config};
use crate::{
    capability::{index::Index, queue::Queue, storage::Bucket, storage::Table},
    error::Result,
};

/// A resource of its own that no other program uses.
pub enum Scratch {
    /// An empty table whose key is the text `id`.
    Table(Arc<dyn Table>),
    /// A bucket, or the part of one under a prefix, with nothing in it.
    Bucket(Arc<dyn Bucket>),
    /// An index whose alias names nothing.
    Index(Arc<dyn Index>),
    /// An empty queue.
    Queue(Arc<dyn Queue>),
}

impl Config {
    /// Returns the same endpoint with another resource; none if it is on this machine, where nothing has to be proven.
    pub fn scratch(&self, name: &str) -> Option<Self> {
        #[cfg_attr(
            not(any(feature = "aws", feature = "nats")),
            expect(unused_variables, reason = "no endpoint is elsewhere")
        )]
        let name = name.to_owned();
        match self.clone() {
            #[cfg(feature = "dynamodb")]
            Self::Dynamodb(config) => Some(Self::Dynamodb(super::dynamodb::Config { table: Some(name), ..config })),
            #[cfg(feature = "s3")]
            Self::S3(config) => {
                let prefix = format!("{}{name}/", config.prefix);
                Some(Self::S3(super::s3::Config { prefix, ..config }))
            }
            #[cfg(feature = "sqs")]
            Self::Sqs(config) => {
                Some(Self::Sqs(super::sqs::Config { queue: Some(name), queues: Vec::new(), ..config }))
            }
            #[cfg(feature = "nats")]
            Self::Nats(config) => {
                let (stream, subject) = (name.clone(), Some(name));
                Some(Self::Nats(super::nats::Config { stream, subject, subjects: Vec::new(), create: true, ..config }))
            }
            #[cfg(feature = "elasticsearch")]
            Self::Elasticsearch(config) => {
                Some(Self::Elasticsearch(super::elasticsearch::Config { alias: Some(name), ..config }))
            }
            #[cfg(feature = "elasticsearch")]
            Self::Opensearch(config) => {
                Some(Self::Opensearch(super::elasticsearch::Config { alias: Some(name), ..config }))
            }
            _ => None,
        }
    }
}

impl Backends {
    /// Creates the resource of a scratch configuration; none if it is on this machine.
    pub async fn make_scratch(&self, name: &str, config: &Config) -> Result<Option<Scratch>> {
        Ok(match config {
            #[cfg(feature = "dynamodb")]
            Config::Dynamodb(table) => {
                super::dynamodb::Table::open(name, table, self.called_by()?).make_scratch().await?;
                Some(Scratch::Table(self.table(name, Some(config))?))
            }
            #[cfg(feature = "sqs")]
            Config::Sqs(queue) => {
                super::sqs::Queue::open(name, queue, self.called_by()?)?.make().await?;
                Some(Scratch::Queue(self.queue(name, Some(config))?))
            }
            Config::Nats(_) => Some(Scratch::Queue(self.queue(name, Some(config))?)),
            Config::S3(_) => Some(Scratch::Bucket(self.bucket(name, Some(config))?)),
            Config::Elasticsearch(_) | Config::Opensearch(_) => Some(Scratch::Index(self.index(name, Some(config))?)),
            _ => None,
        })
    }

    /// Removes a scratch table or queue, also one that was created only in part. The proof itself removes what it put
    /// into a scratch bucket or behind a scratch alias.
    #[cfg_attr(
        not(any(feature = "aws", feature = "nats")),
        expect(unused_variables, reason = "only remote ones are made")
    )]
    pub async fn remove_scratch(&self, name: &str, config: &Config) -> Result<()> {
        match config {
            #[cfg(feature = "dynamodb")]
            Config::Dynamodb(table) => super::dynamodb::Table::open(name, table, self.called_by()?).remove().await,
            #[cfg(feature = "sqs")]
            Config::Sqs(queue) => super::sqs::Queue::open(name, queue, self.called_by()?)?.remove().await,
            #[cfg(feature = "nats")]
            Config::Nats(queue) => super::nats::Queue::open(name, queue, &self.beside)?.remove().await,
            _ => Ok(()),
        }
    }
}
