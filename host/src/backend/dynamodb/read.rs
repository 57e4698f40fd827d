//! Reading items by key.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    answer::Answer,
    insist::{busy, insist},
    key::{Asked, TableKey},
    table::Server,
    value::{self, Attributes, Typed},
};
use crate::{
    backend::aws::fault,
    capability::storage::Row,
    error::{Error, Kind, Result},
};

/// How many keys one request may ask for.
const KEYS: usize = 100;

/// How many requests are under way at a time.
const AT_ONCE: usize = 4;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parsed<'a> {
    #[serde(borrow, default)]
    responses: HashMap<String, Vec<&'a RawValue>>,
    #[serde(default)]
    unprocessed_keys: HashMap<String, Unprocessed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Unprocessed {
    keys: Vec<HashMap<String, Typed>>,
}

impl Server {
    /// Reads items by position, consistently, in the order asked.
    pub async fn get(&self, key: &TableKey, positions: &[String]) -> Result<Vec<Option<Row>>> {
        let asked: Vec<_> = positions.iter().map(|position| key.ask(position)).collect();
        // One request may name a key only once.
        let mut distinct: BTreeMap<&[String], Attributes> = BTreeMap::new();
        for Asked { same, attributes } in asked.iter().flatten() {
            distinct.entry(same).or_insert_with(|| attributes.clone());
        }
        let keys: Vec<_> = distinct.into_values().collect();
        let requests: Vec<_> = keys.chunks(KEYS).map(|keys| self.ask(key, keys.to_vec())).collect();
        let found: Vec<Vec<Row>> = stream::iter(requests).buffer_unordered(AT_ONCE).try_collect().await?;
        let same = |row: Row| Some((key.ask(&row.position)?.same, row));
        let found: HashMap<_, _> = found.into_iter().flatten().filter_map(same).collect();
        Ok(asked.into_iter().map(|asked| found.get(&asked?.same).cloned()).collect())
    }

    /// Asks for distinct keys. One that the server refuses, say a number too long for it, is nobody's key.
    fn ask<'a>(&'a self, key: &'a TableKey, keys: Vec<Attributes>) -> BoxFuture<'a, Result<Vec<Row>>> {
        Box::pin(async move {
            match self.ask_together(key, keys.clone()).await {
                Err(error) if error.kind() == Kind::Usage && keys.len() > 1 => {
                    let (some, others) = keys.split_at(keys.len() / 2);
                    let mut rows = self.ask(key, some.to_vec()).await?;
                    rows.extend(self.ask(key, others.to_vec()).await?);
                    Ok(rows)
                }
                Err(error) if error.kind() == Kind::Usage => Ok(Vec::new()),
                answer => answer,
            }
        })
    }

    async fn ask_together(&self, key: &TableKey, mut keys: Vec<Attributes>) -> Result<Vec<Row>> {
        let mut rows = Vec::with_capacity(keys.len());
        let mut pause = insist();
        while !keys.is_empty() {
            let (found, left) = self.ask_once(key, std::mem::take(&mut keys)).await?;
            if found.is_empty() && !left.is_empty() {
                pause.wait().await.ok_or_else(|| busy("reading").with("table", self.table.clone()))?;
            }
            rows.extend(found);
            keys = left;
        }
        Ok(rows)
    }

    async fn ask_once(&self, key: &TableKey, keys: Vec<Attributes>) -> Result<(Vec<Row>, Vec<Attributes>)> {
        let (answer, wrong) = (Answer::of_batch_get(), |error| Error::bug("a read without keys").because(error));
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build().map_err(wrong)?;
        let request = self.client.batch_get_item().request_items(&self.table, keys);
        let sent = request.customize().interceptor(answer.clone()).send().await;
        sent.map_err(|error| fault("the table cannot be read", &error).with("table", self.table.clone()))?;
        let text = answer.take();
        let parsed: Parsed = serde_json::from_slice(&text)
            .map_err(|error| Error::new(Kind::Unavailable, "an answer of the table cannot be read").because(error))?;
        let row = |item: &RawValue| {
            let (position, cursor) = key.place(item.get())?;
            Ok(Row { cursor, position, body: item.get().as_bytes().to_vec() })
        };
        let rows = parsed.responses.into_values().flatten().map(row).collect::<Result<_>>()?;
        let left = parsed.unprocessed_keys.into_values().flat_map(|left| left.keys).map(value::all).collect();
        Ok((rows, left))
    }
}
