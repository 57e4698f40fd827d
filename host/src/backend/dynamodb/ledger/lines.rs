//! The lines of a run, and their leases.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};

use super::{
    item::{CALL, Item, call, is_by, number, read_progress, text},
    key::{self, Key},
    store::Store,
};
use crate::{
    error::Result,
    ledger::{Lease, Progress, Run},
};

/// The condition of a write to a line: it is held under this token.
pub(super) const HELD: &str = "#token = :token AND attribute_exists(#owner)";

pub(super) async fn progress(store: &Store, run: &Run) -> Result<Vec<Progress>> {
    let mut all = vec![Progress::default(); run.steps() as usize + 1];
    if !store.is_there().await? {
        return Ok(all);
    }
    let look = |item: &Item| {
        let number = item.get("sk").and_then(|sk| sk.as_s().ok()?.strip_prefix(key::LINE)?.parse::<usize>().ok());
        if let Some(progress) = number.and_then(|number| all.get_mut(number)) {
            *progress = read_progress(item)?;
        }
        Ok(true)
    };
    store.each(store.beginning(key::run(&run.id), key::LINE), look).await?;
    Ok(all)
}

/// The line after a change of its lease, or its current state if the change was refused.
struct Answer {
    done: bool,
    item: Option<Item>,
}

pub(super) async fn claim(
    store: &Store,
    line: Key,
    found: Option<&Lease>,
    owner: &str,
    lasting: Duration,
) -> Result<Option<Progress>> {
    let call = call()?;
    let mut update = update(store, &line)
        .update_expression(
            "SET #owner = :me, #token = if_not_exists(#token, :zero) + :one, #beat = :zero, #lasting = :lasting,
             #call = :call",
        )
        .expression_attribute_names("#owner", "owner")
        .expression_attribute_names("#beat", "beat")
        .expression_attribute_names("#lasting", "lasting")
        .expression_attribute_names("#call", CALL)
        .expression_attribute_values(":me", text(owner))
        .expression_attribute_values(":zero", number(0))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":lasting", number(lasting.as_millis()))
        .expression_attribute_values(":call", text(&call));
    update = match found {
        None => update.condition_expression("attribute_not_exists(#owner)"),
        Some(found) => update
            .condition_expression("#owner = :owner AND #token = :token AND #beat = :beat")
            .expression_attribute_values(":owner", text(&found.owner))
            .expression_attribute_values(":token", number(found.token))
            .expression_attribute_values(":beat", number(found.beat)),
    };
    let Answer { done, item } = send(store, update).await?;
    let mine = done || is_by(item.as_ref(), &call);
    item.filter(|_| mine).map(|item| read_progress(&item)).transpose()
}

pub(super) async fn hold(store: &Store, line: Key, token: u64) -> Result<bool> {
    let update = update(store, &line)
        .update_expression("SET #beat = #beat + :one")
        .condition_expression(HELD)
        .expression_attribute_names("#owner", "owner")
        .expression_attribute_names("#beat", "beat")
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":token", number(token));
    Ok(send(store, update).await?.done)
}

/// The token stays: the next claim gets a greater one.
pub(super) async fn release(store: &Store, line: Key, token: u64) -> Result<bool> {
    let call = call()?;
    let update = update(store, &line)
        .update_expression("SET #call = :call REMOVE #owner")
        .condition_expression(HELD)
        .expression_attribute_names("#owner", "owner")
        .expression_attribute_names("#call", CALL)
        .expression_attribute_values(":call", text(&call))
        .expression_attribute_values(":token", number(token));
    let Answer { done, item } = send(store, update).await?;
    Ok(done || is_by(item.as_ref(), &call))
}

/// An update of a line, which names `#token`.
fn update(store: &Store, line: &Key) -> UpdateItemFluentBuilder {
    let update = store.client.update_item().table_name(&store.table).set_key(Some(line.item()));
    update.expression_attribute_names("#token", "token")
}

async fn send(store: &Store, update: UpdateItemFluentBuilder) -> Result<Answer> {
    store.ready().await?;
    let update = update
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    match update.send().await {
        Ok(answer) if answer.attributes.is_some() => Ok(Answer { done: true, item: answer.attributes }),
        Ok(_) => Err(store.incomplete("it does not show what was written")),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                Ok(Answer { done: false, item: refused.item.clone() })
            }
            _ => Err(store.unwritten(&error)),
        },
    }
}
