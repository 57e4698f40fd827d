//! The description of a table.

use aws_sdk_dynamodb::{
    Client,
    types::{KeyType, ProvisionedThroughputDescription, ScalarAttributeType, TableDescription, TableStatus},
};

use super::key::{Kind, TableKey};
use crate::{
    backend::aws::{fault, incomplete},
    error::{Error, Kind as ErrorKind, Result},
    record::Key,
};

/// A table, described.
#[derive(Debug, Clone)]
pub(super) struct Description {
    /// Its key.
    pub key: TableKey,
    /// Changes when the table is deleted and created again.
    pub fingerprint: String,
    /// How many items it had some hours ago.
    pub items: Option<u64>,
    /// Its provisioned read capacity in units a second; none if it is billed by request.
    pub provisioned: Option<u32>,
}

/// Reads the description from the server.
pub(super) async fn describe(client: &Client, table: &str) -> Result<Description> {
    let answer = client.describe_table().table_name(table).send().await;
    let operation = "the table cannot be described";
    let lacks = |what| incomplete(operation, what).with("table", table);
    let answer = answer.map_err(|error| fault(operation, &error).with("table", table))?;
    let table_said = answer.table.ok_or_else(|| lacks("it describes no table"))?;
    if let Some(status @ (TableStatus::Creating | TableStatus::Deleting)) = &table_said.table_status {
        return Err(Error::new(ErrorKind::Unavailable, format!("the table is {} now", status.as_str().to_lowercase()))
            .with("table", table));
    }
    read(&table_said).ok_or_else(|| lacks("it names no key"))
}

fn read(table: &TableDescription) -> Option<Description> {
    let (mut names, mut kinds) = (Vec::new(), Vec::new());
    for wanted in [KeyType::Hash, KeyType::Range] {
        let Some(element) = table.key_schema().iter().find(|element| *element.key_type() == wanted) else { continue };
        let name = element.attribute_name();
        let definition = table.attribute_definitions().iter().find(|definition| definition.attribute_name() == name)?;
        names.push(name.to_owned());
        kinds.push(match definition.attribute_type() {
            ScalarAttributeType::N => Kind::Number,
            ScalarAttributeType::B => Kind::Binary,
            _ => Kind::Text,
        });
    }
    let provisioned = table.provisioned_throughput().and_then(ProvisionedThroughputDescription::read_capacity_units);
    if names.is_empty() {
        return None;
    }
    Some(Description {
        key: TableKey { key: Key::from(names), kinds },
        fingerprint: fingerprint(table),
        items: table.item_count().and_then(|count| u64::try_from(count).ok()),
        provisioned: provisioned.and_then(|units| u32::try_from(units).ok()).filter(|units| *units > 0),
    })
}

fn fingerprint(table: &TableDescription) -> String {
    let created = table.creation_date_time().map(ToString::to_string).unwrap_or_default();
    [table.table_arn().unwrap_or_default(), &created, table.table_id().unwrap_or_default()].join(" ")
}
