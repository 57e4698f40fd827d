//! Reads the ids that are not done, from all their partitions.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    mem,
};

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use futures::future::try_join_all;

use super::{
    item::{Item, number, read_row, read_state, read_text, text},
    key::{self, SHARDS},
    store::Store,
};
use crate::{
    error::Result,
    ledger::{Filter, Group, IdRow, State},
};

/// How many items a page has at most and at least, unless a filter leaves out most of it.
const PAGE: (usize, usize) = (1000, 25);

/// Merges the sorted partitions.
pub(super) async fn rows(
    store: &Store,
    run: &str,
    filter: &Filter,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<IdRow>> {
    if !store.is_there().await? {
        return Ok(Vec::new());
    }
    let from = key::from(after.unwrap_or_default());
    let mut shards: Vec<_> = (0..SHARDS)
        .map(|shard| Shard {
            query: filtered(store.from(key::shard(run, shard), &from), filter, limit),
            after: after.map(str::to_owned),
            start: None,
            ended: false,
            unsorted: Vec::new(),
            sorted: VecDeque::new(),
        })
        .collect();
    let mut rows = Vec::new();
    while rows.len() < limit {
        if shards.iter().any(Shard::is_dry) {
            try_join_all(shards.iter_mut().map(|shard| shard.fill(store))).await?;
        }
        let heads = shards.iter_mut().filter(|shard| !shard.sorted.is_empty());
        let Some(least) = heads.min_by(|a, b| a.head().cmp(&b.head())) else { break };
        rows.extend(least.sorted.pop_front());
    }
    Ok(rows)
}

fn filtered(query: QueryFluentBuilder, filter: &Filter, limit: usize) -> QueryFluentBuilder {
    let mut conditions = Vec::new();
    let mut query = query;
    if !filter.states.is_empty() {
        let names: Vec<_> = (0..filter.states.len()).map(|n| format!(":state{n}")).collect();
        conditions.push(format!("#state IN ({})", names.join(", ")));
        query = query.expression_attribute_names("#state", "state");
        for (name, state) in names.into_iter().zip(&filter.states) {
            query = query.expression_attribute_values(name, number(state.number()));
        }
    }
    if let Some(reason) = &filter.reason {
        conditions.push("(contains(#group, :holds) OR contains(#reason, :holds))".to_owned());
        query = query.expression_attribute_names("#group", "group").expression_attribute_names("#reason", "reason");
        query = query.expression_attribute_values(":holds", text(reason));
    }
    if let Some(id) = &filter.id {
        conditions.push("#id = :id".to_owned());
        query = query.expression_attribute_names("#id", "id").expression_attribute_values(":id", text(id));
    }
    if conditions.is_empty() {
        let page = (limit / usize::from(SHARDS)).saturating_mul(2).clamp(PAGE.1, PAGE.0);
        return query.limit(i32::try_from(page).unwrap_or(i32::MAX));
    }
    query.filter_expression(conditions.join(" AND "))
}

/// One partition, read page by page.
struct Shard {
    query: QueryFluentBuilder,
    after: Option<String>,
    start: Option<HashMap<String, AttributeValue>>,
    ended: bool,
    /// The last rows read: their positions have the same beginning, and more rows with it may follow.
    unsorted: Vec<IdRow>,
    sorted: VecDeque<IdRow>,
}

impl Shard {
    fn head(&self) -> Option<&str> {
        self.sorted.front().map(|row| row.position.as_str())
    }

    fn is_dry(&self) -> bool {
        self.sorted.is_empty() && !self.ended
    }

    async fn fill(&mut self, store: &Store) -> Result<()> {
        while self.is_dry() {
            let query = self.query.clone().set_exclusive_start_key(self.start.take());
            let page = store.page(query).await?;
            for item in page.items() {
                self.take(read_row(item)?);
            }
            self.start = page.last_evaluated_key;
            if self.start.is_none() {
                self.sort();
                self.ended = true;
            }
        }
        Ok(())
    }

    fn take(&mut self, row: IdRow) {
        if self.after.as_ref().is_some_and(|after| row.position <= *after) {
            return;
        }
        let last = self.unsorted.last();
        if last.is_some_and(|last| key::beginning(&last.position) != key::beginning(&row.position)) {
            self.sort();
        }
        self.unsorted.push(row);
    }

    fn sort(&mut self) {
        let mut rows = mem::take(&mut self.unsorted);
        rows.sort_by(|a, b| a.position.cmp(&b.position));
        self.sorted.extend(rows);
    }
}

/// The rows of one state and reason: how many, and the first of them as sort key and id.
#[derive(Default)]
struct Pile {
    count: u64,
    first: Vec<(String, String)>,
}

type Piles = BTreeMap<(State, String), Pile>;

pub(super) async fn groups(store: &Store, run: &str, examples: usize) -> Result<Vec<Group>> {
    if !store.is_there().await? {
        return Ok(Vec::new());
    }
    let shards = (0..SHARDS).map(|shard| piles(store, key::shard(run, shard), examples));
    let mut all = Piles::new();
    for (group, pile) in try_join_all(shards).await?.into_iter().flatten() {
        let sum = all.entry(group).or_default();
        sum.count += pile.count;
        sum.first.extend(pile.first);
    }
    let mut groups: Vec<_> = all.into_iter().map(|((state, group), pile)| pile.group(state, group, examples)).collect();
    // Stable: groups of one size stay sorted by state and reason.
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    Ok(groups)
}

async fn piles(store: &Store, pk: String, examples: usize) -> Result<Piles> {
    let query = store.from(pk, "=").projection_expression("#sk, #id, #state, #group");
    let names = ["id", "state", "group"];
    let query = names.iter().fold(query, |query, name| query.expression_attribute_names(format!("#{name}"), *name));
    let mut piles = Piles::new();
    let look = |item: &Item| {
        let pile = piles.entry((read_state(item)?, read_text(item, "group")?.to_owned())).or_default();
        pile.count += 1;
        if pile.first.len() < examples {
            pile.first.push(first(item)?);
        }
        Ok(true)
    };
    store.each(query, look).await?;
    Ok(piles)
}

fn first(item: &Item) -> Result<(String, String)> {
    Ok((read_text(item, "sk")?.to_owned(), read_text(item, "id")?.to_owned()))
}

impl Pile {
    fn group(mut self, state: State, group: String, examples: usize) -> Group {
        self.first.sort();
        let examples = self.first.into_iter().take(examples).map(|(_, id)| id).collect();
        Group { state, group, count: self.count, examples }
    }
}
