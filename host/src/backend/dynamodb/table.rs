//! A table: the traits, implemented with DynamoDB.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};
use tokio::{sync::OnceCell, time::Instant};

use super::{
    Config,
    budget::Budget,
    describe::{Description, describe},
    insist::insist,
    key::TableKey,
    pace::Pace,
    scan::{Pages, Wanted},
};
use crate::{
    backend::aws::{Session, fault},
    capability::storage::{self, Page, Rate, Row, Sameness, Scan, ScanOptions, Segment, SourceInfo, Update},
    error::{Error, Kind, Result},
    record::Form,
};

/// How many segments a scan has by default: far more than workers, so that each is busy to the end.
const SEGMENTS: u32 = 64;

/// The most segments a scan can have.
const MAX_SEGMENTS: u32 = 1_000_000;

/// The read cost of the largest item, in units of read capacity.
const DEAREST: f64 = 50.0;

/// A table in DynamoDB.
pub struct Table {
    server: Server,
    options: ScanOptions,
    own: bool,
    key: OnceCell<TableKey>,
    pages: OnceCell<Pages>,
    workers: AtomicU32,
}

/// A table's name and the client to reach it.
#[derive(Clone)]
pub(super) struct Server {
    pub client: Client,
    pub table: String,
}

impl Table {
    /// Opens a table; makes no request before the first call.
    pub fn open(name: &str, config: &Config, session: &Session) -> Self {
        let shared = session.at(config.region.as_deref(), config.endpoint.as_deref());
        let client = Client::new(&shared);
        let table = config.table.clone().unwrap_or_else(|| name.to_owned());
        Self {
            server: Server { client, table },
            options: ScanOptions::default(),
            own: shared.endpoint_url().is_some(),
            key: OnceCell::new(),
            pages: OnceCell::new(),
            workers: 1.into(),
        }
    }

    /// Scans with these options.
    #[must_use]
    pub fn with_options(self, options: ScanOptions) -> Self {
        Self { options, ..self }
    }

    /// Creates the table with these key attributes, all of them texts, unless it exists with the same key. On AWS
    /// itself, only a user creates tables.
    pub async fn create(&self, key: &[String], form: Form) -> Result<()> {
        if form == Form::Plain {
            return Err(self
                .about(Error::usage("a table in DynamoDB holds typed records, not plain ones"))
                .hint("load a file of typed records: --format dynamodb-json"));
        }
        match self.describe().await {
            Ok(there) if there.key.key.attributes() == key => Ok(()),
            Ok(there) => Err(self
                .about(Error::usage("the table exists with another key"))
                .with("there", there.key.key.attributes().join(" and "))
                .with("asked", key.join(" and "))
                .hint("use the key it has, or another table")),
            Err(error) if error.kind() == Kind::NotFound && self.own => self.make(key).await,
            Err(error) => Err(error.hint("make the table first; tables on AWS are not made by this program")),
        }
    }

    /// Creates a table for a proof, on AWS too, where it costs something as long as it exists.
    pub(in crate::backend) async fn make_scratch(&self) -> Result<()> {
        self.make(&["id".to_owned()]).await
    }

    /// Removes the table; it is not an error if there is none.
    pub(in crate::backend) async fn remove(&self) -> Result<()> {
        let mut pause = insist();
        loop {
            let removed = self.server.client.delete_table().table_name(&self.server.table).send().await;
            match removed.map_err(|error| self.about(fault("the table cannot be removed", &error))) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == Kind::NotFound => return Ok(()),
                // A table that is still being created cannot be removed yet.
                Err(error) if error.may_retry() || error.report().contains("ResourceInUse") => {
                    pause.wait().await.ok_or(error)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn make(&self, key: &[String]) -> Result<()> {
        let wrong = |error| Error::bug("a key attribute without a name").because(error);
        let mut request = self.server.client.create_table().table_name(&self.server.table);
        for (name, kind) in key.iter().zip([KeyType::Hash, KeyType::Range]) {
            let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
            let element = KeySchemaElement::builder().attribute_name(name).key_type(kind);
            request = request
                .attribute_definitions(definition.build().map_err(wrong)?)
                .key_schema(element.build().map_err(wrong)?);
        }
        let made = request.billing_mode(BillingMode::PayPerRequest).send().await;
        made.map_err(|error| self.about(fault("the table cannot be made", &error)))?;
        let mut pause = insist();
        loop {
            match self.describe().await {
                Err(error) if error.may_retry() => pause.wait().await.ok_or(error)?,
                answer => return answer.map(drop),
            }
        }
    }

    fn about(&self, error: Error) -> Error {
        error.with("table", self.server.table.clone())
    }

    async fn describe(&self) -> Result<Description> {
        describe(&self.server.client, &self.server.table).await
    }

    async fn own_key(&self) -> Result<&TableKey> {
        self.key.get_or_try_init(|| async { Ok(self.describe().await?.key) }).await
    }

    async fn pages(&self) -> Result<&Pages> {
        self.pages
            .get_or_try_init(|| async {
                let ScanOptions { attributes, consistent, .. } = self.options.clone();
                let pages = Pages::new(self.server.clone(), Wanted { attributes, consistent }, self.pace().await?);
                pages.share(self.workers.load(Ordering::Relaxed));
                Ok(pages)
            })
            .await
    }

    async fn pace(&self) -> Result<Option<Pace>> {
        let rate = match self.options.rate {
            None => return Ok(None),
            Some(Rate::Units(units)) => f64::from(units),
            Some(Rate::Share(share)) => self.share_of(self.describe().await?.provisioned, share)?,
        };
        let dearest = if self.options.consistent { DEAREST * 2.0 } else { DEAREST };
        Ok(Some(Pace::new(Budget::new(rate, dearest, Instant::now()))))
    }

    fn share_of(&self, provisioned: Option<u32>, share: f64) -> Result<f64> {
        let units = provisioned.ok_or_else(|| {
            self.about(Error::usage("the table has no provisioned read capacity that a share could be taken of"))
                .hint("say under `[source.scan]` how many units a second the scan may take: max-rcu = 500")
        })?;
        Ok(f64::from(units) * share)
    }
}

#[async_trait]
impl Scan for Table {
    async fn info(&self) -> Result<SourceInfo> {
        let description = self.describe().await?;
        if let Some(Rate::Share(share)) = self.options.rate {
            self.share_of(description.provisioned, share)?;
        }
        Ok(SourceInfo {
            fingerprint: description.fingerprint,
            count: description.items,
            form: Form::DynamodbJson,
            segments: Some(SEGMENTS),
            max_segments: Some(MAX_SEGMENTS),
            key: Some(description.key.key.attributes().to_vec()),
            passing: false,
        })
    }

    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        Ok(Sameness::of(&self.describe().await?.fingerprint, fingerprint))
    }

    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        self.pages().await?.read(self.own_key().await?, segment, after, limit).await
    }

    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        self.server.get(self.own_key().await?, positions).await
    }

    fn share(&self, workers: u32) {
        self.workers.store(workers, Ordering::Relaxed);
        if let Some(pages) = self.pages.get() {
            pages.share(workers);
        }
    }
}

#[async_trait]
impl storage::Table for Table {
    async fn key(&self) -> Result<Vec<String>> {
        Ok(self.describe().await?.key.key.attributes().to_vec())
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        let rows = self.reread(keys).await?;
        Ok(rows.into_iter().map(|row| row.map(|row| row.body)).collect())
    }

    async fn put_many(&self, records: &[String]) -> Result<Vec<Result<()>>> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        self.server.put(self.own_key().await?, records).await
    }

    async fn update_many(&self, updates: &[Update]) -> Result<Vec<Result<bool>>> {
        if updates.is_empty() {
            return Ok(Vec::new());
        }
        self.server.update(self.own_key().await?, updates).await
    }

    async fn remove_many(&self, keys: &[String]) -> Result<Vec<bool>> {
        let key = self.own_key().await?;
        let mut answers = Vec::with_capacity(keys.len());
        for position in keys {
            answers.push(self.server.remove(key, position).await?);
        }
        Ok(answers)
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("table", &self.server.table)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
