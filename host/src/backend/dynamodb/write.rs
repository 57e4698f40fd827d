//! Puts items.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};

use super::{
    insist::{busy, insist},
    key::TableKey,
    table::Server,
    value::{self, Attributes},
};
use crate::{
    backend::aws::{fault, incomplete},
    error::{Error, Kind, Result},
    record::{Form, Shape, Version},
};

/// How many items one request may put.
const ITEMS: usize = 25;

/// How many requests are in flight at a time.
const AT_ONCE: usize = 8;

/// The longest text of an item: the largest item, consisting only of characters that are escaped.
const MAX_TEXT: usize = 8 << 20;

/// One record in flight: its index, and its attributes.
type Put = (usize, Attributes);

impl Server {
    /// Puts records; returns one answer for each.
    pub async fn put(&self, key: &TableKey, records: &[String]) -> Result<Vec<Result<()>>> {
        let shape = Shape {
            key: key.key.clone(),
            version: Version::None,
            attributes: Vec::new(),
            source: Form::DynamodbJson,
            wants: Form::DynamodbJson,
            max_bytes: MAX_TEXT,
        };
        let mut answers: Vec<Result<()>> = Vec::with_capacity(records.len());
        // One request may name a key only once: the n-th record of a key goes with the n-th wave.
        let mut waves: Vec<Vec<Put>> = Vec::new();
        let mut times: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for (n, record) in records.iter().enumerate() {
            let read = read(&shape, key, record);
            answers.push(match read {
                Ok((same, attributes)) => {
                    let wave = times.entry(same).and_modify(|wave| *wave += 1).or_default();
                    waves.resize_with(waves.len().max(*wave + 1), Vec::new);
                    waves[*wave].push((n, attributes));
                    Ok(())
                }
                Err(reason) => Err(Error::usage(reason).with("table", self.table.clone())),
            });
        }
        for wave in waves {
            for (n, error) in self.put_wave(wave).await? {
                answers[n] = Err(error);
            }
        }
        Ok(answers)
    }

    /// Puts records of distinct keys. Returns those that were refused.
    async fn put_wave(&self, puts: Vec<Put>) -> Result<Vec<(usize, Error)>> {
        let requests: Vec<_> = puts.chunks(ITEMS).map(|puts| self.put_some(puts.to_vec())).collect();
        let refused: Vec<Vec<_>> = stream::iter(requests).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(refused.into_iter().flatten().collect())
    }

    /// One bad item refuses a whole request; halving finds it.
    fn put_some(&self, puts: Vec<Put>) -> BoxFuture<'_, Result<Vec<(usize, Error)>>> {
        Box::pin(async move {
            match (self.put_together(&puts).await, puts.as_slice()) {
                (Ok(()), _) => Ok(Vec::new()),
                (Err(error), [(n, _)]) if error.kind() == Kind::Usage => Ok(vec![(*n, error)]),
                (Err(error), _) if error.kind() == Kind::Usage => {
                    let (some, others) = puts.split_at(puts.len() / 2);
                    let mut refused = self.put_some(some.to_vec()).await?;
                    refused.extend(self.put_some(others.to_vec()).await?);
                    Ok(refused)
                }
                (Err(error), _) => Err(error),
            }
        })
    }

    async fn put_together(&self, puts: &[Put]) -> Result<()> {
        let wrong = |error| Error::bug("a put without an item").because(error);
        let request = |(_, item): &Put| {
            let put = PutRequest::builder().set_item(Some(item.clone())).build().map_err(wrong)?;
            Ok(WriteRequest::builder().put_request(put).build())
        };
        let mut left = puts.iter().map(request).collect::<Result<Vec<_>>>()?;
        let mut pause = insist();
        while !left.is_empty() {
            let before = left.len();
            let sent = self.client.batch_write_item().request_items(&self.table, left).send().await;
            let answer =
                sent.map_err(|error| fault("the table cannot be written", &error).with("table", self.table.clone()))?;
            let unprocessed = answer.unprocessed_items.ok_or_else(|| {
                let lacks = "it does not say what was left out";
                incomplete("the table cannot be written", lacks).with("table", self.table.clone())
            })?;
            left = unprocessed.into_values().flatten().collect();
            if left.len() == before {
                pause.wait().await.ok_or_else(|| busy("writing").with("table", self.table.clone()))?;
            }
        }
        Ok(())
    }
}

fn read(shape: &Shape, key: &TableKey, record: &str) -> Result<(Vec<String>, Attributes), String> {
    let item = shape.item(record.as_bytes()).map_err(|refusal| refusal.reason)?;
    let asked = key.ask(&item.id).ok_or_else(|| {
        format!("the table can hold no item of the key {}: its types are others, or the key is too long", item.id)
    })?;
    Ok((asked.same, value::attributes(&item.body)?))
}
