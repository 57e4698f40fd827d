//! The table itself: created or checked before the first use, read consistently, and retried when it is busy.
//!
//! The meaning of the items is not known here.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    client::Waiters as _,
    config::{
        Builder,
        retry::{RetryConfig, RetryPartition},
    },
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::{
        create_table::CreateTableError,
        describe_table::DescribeTableError,
        put_item::PutItemError,
        query::{QueryOutput, builders::QueryFluentBuilder},
        transact_write_items::TransactWriteItemsError,
        update_item::UpdateItemError,
    },
    types::{
        AttributeDefinition, BillingMode, CancellationReason, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        KeysAndAttributes, Projection, ProjectionType, ScalarAttributeType, TableDescription,
    },
};
use aws_smithy_runtime_api::client::{
    interceptors::context::InterceptorContext,
    orchestrator::HttpResponse,
    retries::classifiers::{ClassifyRetry, RetryAction},
};
use tokio::sync::OnceCell;

use super::{Config, item::Item, item::text, key::Key};
use crate::{
    backend::{Mode, aws, aws::Session},
    error::{Error, Kind, Result},
};

/// How often a call is tried, and the first wait: more patient than other calls, since a ledger that cannot be written
/// ends the whole worker.
const ATTEMPTS: u32 = 7;
const PAUSE: Duration = Duration::from_millis(200);

/// How many items DynamoDB returns by key at once.
pub(super) const AT_ONCE: usize = 100;

/// How long the creation of a table may take.
const MAKING: Duration = Duration::from_secs(120);

/// The reasons that cancel a transaction only temporarily.
const PASSING: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
const REFUSED: &str = "ConditionalCheckFailed";

/// The required form of a table.
#[derive(Debug)]
pub(super) struct Shape {
    /// The names of its keys, all strings: the partition key, then perhaps the sort key.
    pub key: &'static [&'static str],
    pub index: Option<Index>,
}

/// A global index.
#[derive(Debug)]
pub(super) struct Index {
    pub name: String,
    pub key: &'static str,
    pub kind: ScalarAttributeType,
}

#[derive(Debug)]
pub(super) struct Store {
    pub client: Client,
    pub table: String,
    shape: Shape,
    create: bool,
    mode: Mode,
    checked: OnceCell<()>,
}

impl Store {
    pub(super) fn open(config: &Config, shape: Shape, session: &Session, mode: Mode) -> Self {
        let retry = RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(PAUSE);
        let shared = session.at(config.region.as_deref(), config.endpoint.as_deref());
        // All clients of a process share one retry budget, and a source that is throttled would use up the ledger's.
        let own = RetryPartition::new(format!("ledger {}", config.table));
        let builder = Builder::from(&shared).retry_config(retry).retry_partition(own).retry_classifier(Busy);
        let client = Client::from_conf(builder.build());
        Self { client, table: config.table.clone(), shape, create: config.create, mode, checked: OnceCell::new() }
    }

    /// Checks that the table can be written.
    pub(super) async fn ready(&self) -> Result<()> {
        if self.mode == Mode::ReadOnly {
            return Err(
                Error::bug("a ledger that was opened for reading only is written to").with("table", &self.table)
            );
        }
        self.is_there().await.map(drop)
    }

    /// Checks the table. False if the first command that writes has to create it, and this one only reads.
    pub(super) async fn is_there(&self) -> Result<bool> {
        if self.checked.initialized() {
            return Ok(true);
        }
        match self.describe().await? {
            Some(table) => self.check(&table)?,
            None if self.create && self.mode == Mode::ReadOnly => return Ok(false),
            None if self.create => self.make().await?,
            None => return Err(self.missing()),
        }
        // A concurrent check had the same result.
        let _ = self.checked.set(());
        Ok(true)
    }

    async fn describe(&self) -> Result<Option<TableDescription>> {
        match self.client.describe_table().table_name(&self.table).send().await {
            Ok(answer) if answer.table.is_some() => Ok(answer.table),
            Ok(_) => Err(self.incomplete("it describes no table")),
            Err(error)
                if matches!(error.as_service_error(), Some(DescribeTableError::ResourceNotFoundException(_))) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.fault("the ledger's table cannot be looked at", &error)),
        }
    }

    fn check(&self, table: &TableDescription) -> Result<()> {
        let has: Vec<_> = table.key_schema().iter().map(KeySchemaElement::attribute_name).collect();
        let index = self.shape.index.as_ref().filter(|index| !is_there(table, index));
        if has == self.shape.key && index.is_none() {
            let keys = self.shape.key.iter().map(|key| (*key, &ScalarAttributeType::S));
            let index = self.shape.index.iter().map(|index| (index.key, &index.kind));
            if keys.chain(index).all(|(key, kind)| is_of(table, key, kind)) {
                return Ok(());
            }
        }
        let error = Error::usage("the table is not of the shape this needs")
            .with("table", &self.table)
            .with("its key", has.join(", "))
            .with("needs", self.shape.words());
        Err(error.hint("name another table under `[ledger.dynamodb]` in the environment file, or mend this one"))
    }

    fn missing(&self) -> Error {
        Error::new(Kind::NotFound, "the ledger's table does not exist").with("table", &self.table).hint(format!(
            "set `create = true` under `[ledger.dynamodb]`, or make a table on demand (PAY_PER_REQUEST) with {}",
            self.shape.words()
        ))
    }

    /// Creates the table, or waits until a concurrent call has created it.
    async fn make(&self) -> Result<()> {
        let request = self.client.create_table().table_name(&self.table).billing_mode(BillingMode::PayPerRequest);
        let mut request = request.set_key_schema(Some(keys(self.shape.key)?));
        for key in self.shape.key {
            request = request.attribute_definitions(defined(key, ScalarAttributeType::S)?);
        }
        if let Some(Index { name, key, kind }) = &self.shape.index {
            let only_keys = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
            let index = GlobalSecondaryIndex::builder().index_name(name).set_key_schema(Some(keys(&[key])?));
            request = request
                .attribute_definitions(defined(key, kind.clone())?)
                .global_secondary_indexes(index.projection(only_keys).build().map_err(unbuilt)?);
        }
        match request.send().await {
            Err(error) if !error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) => {
                return Err(self.fault("the ledger's table cannot be made", &error));
            }
            _ => {}
        }
        let made = self.client.wait_until_table_exists().table_name(&self.table).wait(MAKING).await;
        made.map(drop).map_err(|error| {
            Error::new(Kind::Unavailable, "the ledger's table was asked for and is not there yet")
                .with("table", &self.table)
                .because(error)
                .hint("wait until AWS has made it, then run again")
        })
    }

    /// Reads items by their keys, and repeats that while DynamoDB leaves some of them out; in no order, without those
    /// that it reports as absent.
    pub(super) async fn get_many(&self, mut keys: Vec<Item>) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        while !keys.is_empty() {
            let rest = keys.split_off(keys.len().min(AT_ONCE));
            let asked = keys.len();
            let some = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
            let read = self.client.batch_get_item().request_items(&self.table, some.build().map_err(unbuilt)?);
            let answer = read.send().await.map_err(|error| self.unread(&error))?;
            let found = answer.responses.and_then(|mut found| found.remove(&self.table));
            let left = answer.unprocessed_keys.map(|mut left| left.remove(&self.table).map(|left| left.keys));
            let (found, left) = match (found, left) {
                (Some(found), Some(left)) => (found, left.unwrap_or_default()),
                // No item was found because none was looked up.
                (None, Some(Some(left))) if left.len() == asked => (Vec::new(), left),
                _ => return Err(self.incomplete("it does not say which items are there")),
            };
            if found.len() + left.len() > asked {
                return Err(self.incomplete("it has more items than were asked for"));
            }
            items.extend(found);
            keys = left;
            if !keys.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
            keys.extend(rest);
        }
        Ok(items)
    }

    pub(super) async fn get(&self, key: &Key) -> Result<Option<Item>> {
        if !self.is_there().await? {
            return Ok(None);
        }
        // Not with `GetItem`, whose answer for a missing item is empty.
        Ok(self.get_many(vec![key.item()]).await?.pop())
    }

    /// Reads one page.
    pub(super) async fn page(&self, query: QueryFluentBuilder) -> Result<QueryOutput> {
        let page = query.send().await.map_err(|error| self.unread(&error))?;
        match &page.items {
            Some(items) if usize::try_from(page.count) == Ok(items.len()) => Ok(page),
            _ => Err(self.incomplete("it does not have the items that it counts")),
        }
    }

    /// Passes every item to `look`, page by page, until it returns that it needs no more.
    pub(super) async fn each(
        &self,
        query: QueryFluentBuilder,
        mut look: impl FnMut(&Item) -> Result<bool> + Send,
    ) -> Result<()> {
        let mut start = None;
        loop {
            let page = self.page(query.clone().set_exclusive_start_key(start)).await?;
            for item in page.items() {
                if !look(item)? {
                    return Ok(());
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// The error of an answer that allows no conclusion.
    pub(super) fn incomplete(&self, lacks: &str) -> Error {
        aws::incomplete("the ledger cannot be read", lacks).with("table", &self.table)
    }

    /// The items of a partition whose sort keys begin with `sk`, in the order of their sort keys.
    pub(super) fn beginning(&self, pk: String, sk: &str) -> QueryFluentBuilder {
        self.query(pk, sk, "#pk = :pk AND begins_with(#sk, :sk)")
    }

    /// The items of a partition with this sort key and greater ones, in their order.
    pub(super) fn from(&self, pk: String, sk: &str) -> QueryFluentBuilder {
        self.query(pk, sk, "#pk = :pk AND #sk >= :sk")
    }

    fn query(&self, pk: String, sk: &str, condition: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression(condition);
        let query = query.expression_attribute_names("#pk", "pk").expression_attribute_names("#sk", "sk");
        query.expression_attribute_values(":pk", text(pk)).expression_attribute_values(":sk", text(sk))
    }

    pub(super) fn unread<E>(&self, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.fault("the ledger cannot be read", error)
    }

    pub(super) fn unwritten<E>(&self, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.fault("the ledger cannot be written", error)
    }

    /// The error of a transaction that failed although no condition refused it.
    pub(super) fn cancelled(&self, error: &SdkError<TransactWriteItemsError, HttpResponse>) -> Error {
        if reasons(error.as_service_error()).iter().any(|reason| says(reason, &PASSING)) {
            return self.busy();
        }
        self.unwritten(error)
    }

    fn fault<E>(&self, operation: &str, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        if error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("TransactionConflictException") {
            return self.busy();
        }
        let error = aws::fault(operation, error).with("table", &self.table);
        if error.tries() > 1 { error.tried(ATTEMPTS) } else { error }
    }

    fn busy(&self) -> Error {
        Error::new(Kind::Unavailable, "the ledger cannot be written: its table is too busy")
            .tried(ATTEMPTS)
            .with("table", &self.table)
            .hint("it was tried again several times; use fewer workers, or raise the table's capacity")
    }
}

impl Shape {
    fn words(&self) -> String {
        let keys: Vec<_> = self.key.iter().map(|key| format!("`{key}`")).collect();
        let keys = format!("the key {} ({})", keys.join(" and "), ScalarAttributeType::S);
        match &self.index {
            Some(Index { name, key, kind }) => format!("{keys}, and a global index `{name}` on `{key}` ({kind})"),
            None => keys,
        }
    }
}

fn is_there(table: &TableDescription, index: &Index) -> bool {
    table.global_secondary_indexes().iter().any(|there| {
        let key = there.key_schema().first().map(KeySchemaElement::attribute_name);
        there.index_name() == Some(&index.name) && key == Some(index.key)
    })
}

fn is_of(table: &TableDescription, key: &str, kind: &ScalarAttributeType) -> bool {
    table.attribute_definitions().iter().any(|it| it.attribute_name() == key && it.attribute_type() == kind)
}

fn keys(names: &[&str]) -> Result<Vec<KeySchemaElement>> {
    let roles = [KeyType::Hash, KeyType::Range];
    let key = |(name, role): (&&str, KeyType)| KeySchemaElement::builder().attribute_name(*name).key_type(role).build();
    names.iter().zip(roles).map(|pair| key(pair).map_err(unbuilt)).collect()
}

fn defined(name: &str, kind: ScalarAttributeType) -> Result<AttributeDefinition> {
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().map_err(unbuilt)
}

/// Whether a condition of a transaction did not hold.
pub(super) fn is_refused(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> bool {
    reasons(error.as_service_error()).iter().any(|reason| says(reason, &[REFUSED]))
}

pub(super) fn unbuilt(error: BuildError) -> Error {
    Error::bug("a request to DynamoDB is incomplete").because(error)
}

/// Why a transaction was cancelled, by item.
fn reasons(error: Option<&TransactWriteItemsError>) -> &[CancellationReason] {
    match error {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled.cancellation_reasons(),
        _ => &[],
    }
}

fn says(reason: &CancellationReason, codes: &[&str]) -> bool {
    reason.code().is_some_and(|code| codes.contains(&code))
}

/// Makes the SDK retry a call that conflicts with another transaction.
#[derive(Debug)]
struct Busy;

impl ClassifyRetry for Busy {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err).and_then(|error| error.as_operation_error());
        let Some(error) = error else { return RetryAction::NoActionIndicated };
        let reasons = reasons(error.downcast_ref());
        let refused = reasons.iter().any(|reason| says(reason, &[REFUSED]));
        let passing = !refused && reasons.iter().any(|reason| says(reason, &PASSING));
        let update = error.downcast_ref().is_some_and(UpdateItemError::is_transaction_conflict_exception);
        let put = error.downcast_ref().is_some_and(PutItemError::is_transaction_conflict_exception);
        if passing || update || put { RetryAction::transient_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "busy ledger"
    }
}
