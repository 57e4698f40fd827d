//! The changes of a batch: one transaction, whose condition is the lease.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};

use super::{
    item::{self, Item, json, number, text, weigh},
    key::{self, Key},
    lines::HELD,
    store::{Store, is_refused, unbuilt},
};
use crate::{
    error::{Error, Result},
    ledger::Commit,
};

/// How many items one transaction may have.
const ITEMS: usize = 100;
const BYTES: usize = 4_000_000;

pub(super) async fn commit(store: &Store, run: &str, token: u64, commit: &Commit) -> Result<bool> {
    let mut writes = vec![line(store, run, token, commit)?];
    writes.extend(rows(store, run, commit)?);
    if writes.len() > ITEMS {
        return Err(Error::bug(format!("a batch changes {} rows, more than a transaction holds", writes.len() - 1)));
    }
    store.ready().await?;
    match store.client.transact_write_items().set_transact_items(Some(writes)).send().await {
        Ok(_) => Ok(true),
        Err(error) if is_refused(&error) => Ok(false),
        Err(error) => Err(store.cancelled(&error)),
    }
}

fn line(store: &Store, run: &str, token: u64, commit: &Commit) -> Result<TransactWriteItem> {
    let set = "SET #ended = :ended, #counts = :counts, #beat = #beat + :one";
    let update = Update::builder()
        .table_name(&store.table)
        .set_key(Some(key::line(run, commit.segment).item()))
        .condition_expression(HELD)
        .expression_attribute_values(":token", number(token))
        .expression_attribute_values(":ended", AttributeValue::Bool(commit.progress.ended))
        .expression_attribute_values(":counts", json(&commit.progress.counts)?)
        .expression_attribute_values(":one", number(1));
    let names = ["owner", "token", "beat", "cursor", "ended", "counts"];
    let update = names.iter().fold(update, |update, name| update.expression_attribute_names(format!("#{name}"), *name));
    let update = match &commit.progress.cursor {
        Some(cursor) => update
            .update_expression(format!("{set}, #cursor = :cursor"))
            .expression_attribute_values(":cursor", text(cursor)),
        None => update.update_expression(format!("{set} REMOVE #cursor")),
    };
    Ok(TransactWriteItem::builder().update(update.build().map_err(unbuilt)?).build())
}

/// One write per position, as a transaction requires: a row written in the same batch wins, since its id failed after
/// all.
fn rows(store: &Store, run: &str, commit: &Commit) -> Result<Vec<TransactWriteItem>> {
    let settled = commit.settled.iter().map(|position| (key::row(run, position), None));
    let rows = commit.rows.iter().map(|row| (key::row(run, &row.position), Some(item::row(run, row))));
    let writes: BTreeMap<Key, _> = settled.chain(rows).collect();
    let weight: usize = writes.values().flatten().map(weigh).sum();
    if weight > BYTES {
        return Err(Error::usage("what a batch has to say of its failures is more than DynamoDB takes at once")
            .with("bytes", weight.to_string())
            .hint("make the batches smaller: `batch-records` under `[run]` in the recipe"));
    }
    let write = |(key, item): (Key, Option<Item>)| {
        let write = TransactWriteItem::builder();
        let write = match item {
            Some(item) => {
                write.put(Put::builder().table_name(&store.table).set_item(Some(item)).build().map_err(unbuilt)?)
            }
            None => write
                .delete(Delete::builder().table_name(&store.table).set_key(Some(key.item())).build().map_err(unbuilt)?),
        };
        Ok(write.build())
    };
    writes.into_iter().map(write).collect()
}
