//! A list of ids to work through, one item per id, in a table of its own.
//!
//! The table has the key `id`, a string, and each item its `progress_state`, a number; existing tables are used as
//! they are. The states are found by a global index, in one of two shapes:
//!
//! * on `progress_state` itself, as existing tables have it. All ids of a state are then one hot partition, whose
//!   throttling also holds up writes to the table;
//! * on `state_shard`, a string `<progress_state>#<shard>`, which spreads each state; the better one for a new table.
//!
//! `owner`, `token` and `reason` are added to an item when it first moves. The index serves only to find ids: each is
//! read again from the table, consistently, so the index need not project anything, and its delay does no harm.

use std::{collections::BTreeMap, num::NonZeroU8};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, query::builders::QueryFluentBuilder, update_item::UpdateItemError},
    types::{
        AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure, ScalarAttributeType,
        Select,
    },
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::{
    Config,
    item::{CALL, Item, call, is_by, number, read_number, read_text, text, unreadable},
    store::{AT_ONCE, Index, Shape, Store},
};
use crate::{
    backend::{Mode, aws::Session},
    error::Result,
    ledger::{
        State, bounded,
        list::{self, Listed, Loaded, Move, Page},
    },
};

/// How many calls are in flight at once.
const CALLS: usize = 32;

const STATE: &str = "progress_state";
const SHARD: &str = "state_shard";

/// `ids = { … }` under `[ledger.dynamodb]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ids {
    /// The table; without it, each recipe has one, named like the ledger's with `-ids-` and the recipe's name.
    pub table: Option<String>,
    /// The global index; without it, named like its key with `-index`.
    pub index: Option<String>,
    /// The number of partitions of a state, with the key `state_shard`; without it, the index's key is
    /// `progress_state`. Must stay the same for the life of the table.
    #[schemars(range(min = 1))]
    pub shards: Option<NonZeroU8>,
}

impl Default for Ids {
    fn default() -> Self {
        Self { table: None, index: None, shards: NonZeroU8::new(16) }
    }
}

/// A list in a table.
#[derive(Debug)]
pub struct List {
    store: Store,
    index: String,
    shards: Option<u8>,
}

impl List {
    /// Opens the list of a recipe. Makes no request before the first call.
    pub fn open(config: &Config, recipe: &str, session: &Session, mode: Mode) -> Self {
        let Ids { table, index, shards } = &config.ids;
        let table = table.clone().unwrap_or_else(|| format!("{}-ids-{recipe}", config.table));
        let (key, kind) = match shards {
            Some(_) => (SHARD, ScalarAttributeType::S),
            None => (STATE, ScalarAttributeType::N),
        };
        let index = index.clone().unwrap_or_else(|| format!("{key}-index"));
        let shape = Shape { key: &["id"], index: Some(Index { name: index.clone(), key, kind }) };
        let config = Config { table, ..config.clone() };
        Self { store: Store::open(&config, shape, session, mode), index, shards: shards.map(u8::from) }
    }

    /// The index key of an id in a state.
    fn place(&self, state: State, shard: u8) -> (&'static str, AttributeValue) {
        match self.shards {
            Some(_) => (SHARD, text(format!("{}#{shard}", state.number()))),
            None => (STATE, number(state.number())),
        }
    }

    fn place_of(&self, state: State, id: &str) -> (&'static str, AttributeValue) {
        self.place(state, blake3::hash(id.as_bytes()).as_bytes()[0] % self.shards.unwrap_or(1))
    }

    async fn add(&self, id: &str) -> Result<Loaded> {
        let call = call()?;
        let mut item = key(id);
        item.insert(STATE.to_owned(), number(State::Ready.number()));
        item.insert(CALL.to_owned(), text(&call));
        let (name, place) = self.place_of(State::Ready, id);
        item.insert(name.to_owned(), place);
        let put = self.store.client.put_item().table_name(&self.store.table).set_item(Some(item));
        let put = put
            .condition_expression("attribute_not_exists(#id)")
            .expression_attribute_names("#id", "id")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(Loaded { added: 1, ..Loaded::default() }),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(there)) if is_by(there.item(), &call) => {
                    Ok(Loaded { added: 1, ..Loaded::default() })
                }
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(Loaded { kept: 1, ..Loaded::default() }),
                _ => Err(self.store.unwritten(&error)),
            },
        }
    }

    async fn make_ready(&self, id: &str) -> Result<Loaded> {
        let call = call()?;
        let (name, place) = self.place_of(State::Ready, id);
        let mut set = "SET #state = :ready, #call = :call, #token = if_not_exists(#token, :zero) + :one".to_owned();
        let mut update = self.store.client.update_item().table_name(&self.store.table).set_key(Some(key(id)));
        if name != STATE {
            set.push_str(", #place = :place");
            update = update.expression_attribute_names("#place", name).expression_attribute_values(":place", place);
        }
        let update = update
            .update_expression(format!("{set} REMOVE #owner, #reason"))
            .expression_attribute_names("#state", STATE)
            .expression_attribute_names("#call", CALL)
            .expression_attribute_names("#token", "token")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#reason", "reason")
            .expression_attribute_values(":ready", number(State::Ready.number()))
            .expression_attribute_values(":call", text(&call))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllOld);
        let was = update.send().await.map_err(|error| self.store.unwritten(&error))?.attributes;
        // After a lost reply it may be this call's own write: then it is unknown whether the id was new, and most
        // likely it existed.
        let added = u64::from(was.is_none_or(|was| was.is_empty()));
        Ok(Loaded { added, reset: 1 - added, kept: 0 })
    }

    async fn shift_one(&self, step: &Move) -> Result<bool> {
        let call = call()?;
        let Move { found, state, reason, owner } = step;
        let mut set = "SET #state = :state, #token = :next, #reason = :reason, #call = :call".to_owned();
        let mut update = self.store.client.update_item().table_name(&self.store.table).set_key(Some(key(&found.id)));
        let (name, place) = self.place_of(*state, &found.id);
        if name != STATE {
            set.push_str(", #place = :place");
            update = update.expression_attribute_names("#place", name).expression_attribute_values(":place", place);
        }
        match owner {
            Some(owner) => {
                set.push_str(", #owner = :owner");
                update = update.expression_attribute_values(":owner", text(owner));
            }
            None => set.push_str(" REMOVE #owner"),
        }
        // Other programs write tables of this kind, too: an item without a token has never moved.
        let unmoved =
            if found.token == 0 { "(attribute_not_exists(#token) OR #token = :was)" } else { "#token = :was" };
        let update = update
            .update_expression(set)
            .condition_expression(format!("#state = :found AND {unmoved}"))
            .expression_attribute_names("#state", STATE)
            .expression_attribute_names("#token", "token")
            .expression_attribute_names("#reason", "reason")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#call", CALL)
            .expression_attribute_values(":state", number(state.number()))
            .expression_attribute_values(":found", number(found.state.number()))
            .expression_attribute_values(":was", number(found.token))
            .expression_attribute_values(":next", number(found.token + 1))
            .expression_attribute_values(":reason", text(bounded(reason.clone())))
            .expression_attribute_values(":call", text(&call))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(there)) => Ok(is_by(there.item(), &call)),
                _ => Err(self.store.unwritten(&error)),
            },
        }
    }

    /// The ids of a state in one shard of the index, each as the table has it.
    async fn of_state(&self, state: State, from: Option<&str>, limit: usize) -> Result<Page> {
        let (shard, last) = match from.and_then(|from| from.split_once('/')) {
            Some((shard, last)) => (shard.parse().unwrap_or_default(), Some(last).filter(|last| !last.is_empty())),
            None => (0, None),
        };
        let (name, place) = self.place(state, shard);
        let start = last.map(|last| key(last).into_iter().chain([(name.to_owned(), place.clone())]).collect());
        let query = self.query(name, place).set_exclusive_start_key(start);
        let query = query.projection_expression("#id").expression_attribute_names("#id", "id");
        let query = query.limit(i32::try_from(limit.clamp(1, AT_ONCE)).unwrap_or(1));
        let answer = self.store.page(query).await?;
        let keys = answer.items().iter().map(|item| read_text(item, "id").map(key)).collect::<Result<_>>()?;
        let listed = self.store.get_many(keys).await?.iter().map(listed).collect::<Result<Vec<_>>>()?;
        let last = answer.last_evaluated_key.as_ref().map(|last| read_text(last, "id")).transpose()?;
        let next = match last {
            Some(last) => Some(format!("{shard}/{last}")),
            None if shard + 1 < self.shards.unwrap_or(1) => Some(format!("{}/", shard + 1)),
            None => None,
        };
        Ok(Page { ids: listed.into_iter().filter(|listed| listed.state == state).collect(), next })
    }

    fn query(&self, name: &str, place: AttributeValue) -> QueryFluentBuilder {
        let query = self.store.client.query().table_name(&self.store.table).index_name(&self.index);
        let query = query.key_condition_expression("#place = :place");
        query.expression_attribute_names("#place", name).expression_attribute_values(":place", place)
    }

    async fn of_all(&self, from: Option<&str>, limit: usize) -> Result<Page> {
        let scan = self.store.client.scan().table_name(&self.store.table).consistent_read(true);
        let scan = scan.limit(i32::try_from(limit.max(1)).unwrap_or(i32::MAX));
        let answer = scan.set_exclusive_start_key(from.map(key)).send().await;
        let answer = answer.map_err(|error| self.store.unread(&error))?;
        if answer.items.as_ref().is_none_or(|items| usize::try_from(answer.count) != Ok(items.len())) {
            return Err(self.store.incomplete("it does not have the items that it counts"));
        }
        let next = answer.last_evaluated_key.as_ref().map(|last| read_text(last, "id")).transpose()?;
        Ok(Page { ids: answer.items().iter().map(listed).collect::<Result<_>>()?, next: next.map(str::to_owned) })
    }

    async fn count(&self, state: State, shard: u8) -> Result<(State, u64)> {
        let (name, place) = self.place(state, shard);
        // A page that counts none has no other content, unless it has to report its cost.
        let counting = self.query(name, place).select(Select::Count);
        let counting = counting.return_consumed_capacity(ReturnConsumedCapacity::Total);
        let mut pages = counting.into_paginator().send();
        let mut sum = 0;
        while let Some(page) = pages.try_next().await.map_err(|error| self.store.unread(&error))? {
            if page.consumed_capacity().is_none() {
                return Err(self.store.incomplete("it does not say what it cost"));
            }
            sum += u64::try_from(page.count()).unwrap_or_default();
        }
        Ok((state, sum))
    }
}

#[async_trait]
impl list::List for List {
    async fn load(&self, ids: &[String], reset: bool) -> Result<Loaded> {
        self.store.ready().await?;
        let add = |id: String| async move { if reset { self.make_ready(&id).await } else { self.add(&id).await } };
        let sum = |mut sum: Loaded, one: Loaded| async move {
            sum.added += one.added;
            sum.reset += one.reset;
            sum.kept += one.kept;
            Ok(sum)
        };
        stream::iter(ids.to_owned()).map(add).buffer_unordered(CALLS).try_fold(Loaded::default(), sum).await
    }

    async fn page(&self, state: Option<State>, from: Option<&str>, limit: usize) -> Result<Page> {
        if !self.store.is_there().await? {
            return Ok(Page::default());
        }
        match state {
            Some(state) => self.of_state(state, from, limit).await,
            None => self.of_all(from, limit).await,
        }
    }

    async fn shift(&self, moves: &[Move]) -> Result<Vec<bool>> {
        self.store.ready().await?;
        let shift = |step: Move| async move { self.shift_one(&step).await };
        stream::iter(moves.to_owned()).map(shift).buffered(CALLS).try_collect().await
    }

    async fn counts(&self) -> Result<BTreeMap<State, u64>> {
        if !self.store.is_there().await? {
            return Ok(BTreeMap::new());
        }
        let shards = self.shards.unwrap_or(1);
        let places: Vec<_> = State::ALL.iter().flat_map(|state| (0..shards).map(|shard| (*state, shard))).collect();
        let count = |(state, shard)| self.count(state, shard);
        let counts: Vec<_> = stream::iter(places).map(count).buffer_unordered(CALLS).try_collect().await?;
        let mut sums = BTreeMap::new();
        for (state, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            *sums.entry(state).or_default() += count;
        }
        Ok(sums)
    }
}

fn key(id: &str) -> Item {
    [("id".to_owned(), text(id))].into()
}

/// An item of another program has only id and state.
fn listed(item: &Item) -> Result<Listed> {
    let optional = |name| item.contains_key(name).then(|| read_text(item, name).map(str::to_owned)).transpose();
    Ok(Listed {
        id: read_text(item, "id")?.to_owned(),
        state: State::from_number(read_number(item, STATE)?).ok_or_else(|| unreadable(item, STATE))?,
        reason: optional("reason")?.unwrap_or_default(),
        owner: optional("owner")?,
        token: if item.contains_key("token") { read_number(item, "token")? } else { 0 },
    })
}
