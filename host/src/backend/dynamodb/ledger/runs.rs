//! The records of runs, in the order they were begun, which depends on no clock.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, builders::PutBuilder},
};

use super::{
    item::{CALL, Item, call, is_by, item, json, number, read_json, read_number, read_text, text},
    key,
    store::{AT_ONCE, Store, is_refused, unbuilt},
};
use crate::{error::Result, ledger::Run};

pub(super) async fn begin(store: &Store, run: &Run, after: Option<&str>) -> Result<bool> {
    store.ready().await?;
    let head = store.get(&key::head(&run.recipe)).await?;
    if head.as_ref().map(|head| read_text(head, "newest")).transpose()? != after {
        return Ok(false);
    }
    let last: Option<u64> = head.as_ref().map(|head| read_number(head, "number")).transpose()?;
    let place = last.map_or(0, |last| last + 1);
    let call = call()?;
    let head = item(&key::head(&run.recipe), [("newest", text(&run.id)), ("number", number(place))]);
    let put_head = match after {
        None => put_new(store, head),
        Some(after) => put(store, head)
            .condition_expression("#newest = :after")
            .expression_attribute_names("#newest", "newest")
            .expression_attribute_values(":after", text(after)),
    };
    let put_place = put_new(store, item(&key::begun(&run.recipe, place), [("run", text(&run.id))]));
    let put_record = put_new(store, record(run, &call)?);
    let mut transaction = store.client.transact_write_items();
    for put in [put_head, put_place, put_record] {
        let put = put.build().map_err(unbuilt)?;
        transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
    }
    match transaction.send().await {
        Ok(_) => Ok(true),
        Err(error) if is_refused(&error) => Ok(is_by(store.get(&key::record(&run.id)).await?.as_ref(), &call)),
        Err(error) => Err(store.cancelled(&error)),
    }
}

fn put(store: &Store, item: Item) -> PutBuilder {
    Put::builder().table_name(&store.table).set_item(Some(item))
}

fn put_new(store: &Store, item: Item) -> PutBuilder {
    put(store, item).condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", "pk")
}

fn record(run: &Run, call: &str) -> Result<Item> {
    let record = [("record", json(run)?), ("revision", number(run.revision)), (CALL, text(call))];
    Ok(item(&key::record(&run.id), record))
}

pub(super) async fn save(store: &Store, run: &mut Run) -> Result<bool> {
    store.ready().await?;
    let next = Run { revision: run.revision + 1, ..run.clone() };
    let call = call()?;
    let put = store
        .client
        .put_item()
        .table_name(&store.table)
        .set_item(Some(record(&next, &call)?))
        .condition_expression("#revision = :was")
        .expression_attribute_names("#revision", "revision")
        .expression_attribute_values(":was", number(run.revision))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let saved = match put.send().await {
        Ok(_) => true,
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => is_by(refused.item(), &call),
            _ => return Err(store.unwritten(&error)),
        },
    };
    run.revision += u64::from(saved);
    Ok(saved)
}

pub(super) async fn find(store: &Store, run: &str) -> Result<Option<Run>> {
    let record = store.get(&key::record(run)).await?;
    record.map(|record| read_json(&record, "record")).transpose()
}

pub(super) async fn newest(store: &Store, recipe: &str, limit: usize) -> Result<Vec<Run>> {
    if !store.is_there().await? {
        return Ok(Vec::new());
    }
    let page = i32::try_from(limit.clamp(1, AT_ONCE)).unwrap_or(1);
    let query = store.beginning(key::recipe(recipe), key::BEGUN).scan_index_forward(false).limit(page);
    let mut ids = Vec::new();
    let look = |item: &Item| {
        ids.push(read_text(item, "run")?.to_owned());
        Ok(ids.len() < limit)
    };
    if limit > 0 {
        store.each(query, look).await?;
    }
    let records = store.get_many(ids.iter().map(|id| key::record(id).item()).collect()).await?;
    let runs = records.iter().map(|item| read_json(item, "record").map(|run: Run| (run.id.clone(), run)));
    let mut runs: HashMap<_, _> = runs.collect::<Result<_>>()?;
    Ok(ids.iter().filter_map(|id| runs.remove(id)).collect())
}
