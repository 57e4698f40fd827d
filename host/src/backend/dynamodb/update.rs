//! Sets attributes of existing items, and removes items.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, types::ReturnValue};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    key::{Asked, TableKey},
    table::Server,
    value::{self, Attributes},
};
use crate::{
    backend::aws::fault,
    capability::storage::Update,
    error::{Error, Kind, Result},
    record::{self, Form},
};

/// How many items are updated at a time.
const AT_ONCE: usize = 8;

/// One update in flight: its index, its key, and the attributes to set.
type Setting = (usize, Asked, Attributes);

impl Server {
    /// Updates items; returns one answer for each.
    pub async fn update(&self, key: &TableKey, updates: &[Update]) -> Result<Vec<Result<bool>>> {
        let mut answers: Vec<Result<bool>> = Vec::with_capacity(updates.len());
        // Updates of one item keep their order.
        let mut items: BTreeMap<Vec<String>, Vec<Setting>> = BTreeMap::new();
        for (n, update) in updates.iter().enumerate() {
            let read = read(key, update).map_err(|reason| Error::usage(reason).with("table", self.table.clone()));
            answers.push(read.map(|setting| {
                if let Some((asked, attributes)) = setting {
                    items.entry(asked.same.clone()).or_default().push((n, asked, attributes));
                }
                false
            }));
        }
        let set: Vec<_> = items.into_values().map(|settings| self.set_all(settings)).collect();
        let set: Vec<Vec<_>> = stream::iter(set).buffer_unordered(AT_ONCE).try_collect().await?;
        for (n, answer) in set.into_iter().flatten() {
            answers[n] = answer;
        }
        Ok(answers)
    }

    /// Applies the updates of one item, one after the other.
    async fn set_all(&self, settings: Vec<Setting>) -> Result<Vec<(usize, Result<bool>)>> {
        let mut answers = Vec::with_capacity(settings.len());
        for (n, asked, attributes) in settings {
            match self.set(asked.attributes, attributes).await {
                Err(error) if error.kind() != Kind::Usage => return Err(error),
                answer => answers.push((n, answer)),
            }
        }
        Ok(answers)
    }

    async fn set(&self, key: Attributes, attributes: Attributes) -> Result<bool> {
        let mut call = self.client.update_item().table_name(&self.table).set_key(Some(key.clone()));
        let there: Vec<_> = (0..key.len()).map(|n| format!("attribute_exists(#k{n})")).collect();
        for (n, name) in key.into_keys().enumerate() {
            call = call.expression_attribute_names(format!("#k{n}"), name);
        }
        let settings: Vec<_> = (0..attributes.len()).map(|n| format!("#a{n} = :a{n}")).collect();
        for (n, (name, value)) in attributes.into_iter().enumerate() {
            call = call
                .expression_attribute_names(format!("#a{n}"), name)
                .expression_attribute_values(format!(":a{n}"), value);
        }
        let expression = (!settings.is_empty()).then(|| format!("SET {}", settings.join(", ")));
        match call.set_update_expression(expression).condition_expression(there.join(" AND ")).send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(fault("the record cannot be updated", &error).with("table", self.table.clone())),
        }
    }
}

impl Server {
    /// Removes an item. False if there is none of this key.
    pub async fn remove(&self, key: &TableKey, position: &str) -> Result<bool> {
        let Some(Asked { attributes, .. }) = key.ask(position) else { return Ok(false) };
        let call = self.client.delete_item().table_name(&self.table).set_key(Some(attributes));
        let removed = call.return_values(ReturnValue::AllOld).send().await;
        let removed =
            removed.map_err(|error| fault("the record cannot be removed", &error).with("table", self.table.clone()))?;
        Ok(removed.attributes.is_some())
    }
}

/// Reads an update; none if no item of the table can have its key.
fn read(key: &TableKey, update: &Update) -> Result<Option<(Asked, Attributes)>, String> {
    let attributes = record::attributes(&update.attributes, &key.key, Form::DynamodbJson);
    let attributes = attributes.and_then(|text| value::attributes(&text));
    let attributes = attributes.map_err(|reason| format!("the attributes {reason}"))?;
    Ok(key.ask(&update.key).map(|asked| (asked, attributes)))
}
