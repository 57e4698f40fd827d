//! Lists of ids to work through.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::{
    Database,
    fault::Fault,
    ledger::{bounded, count, state},
};
use crate::{
    error::Result,
    ledger::{
        State,
        list::{self, Listed, Loaded, Move, Page},
    },
};

/// A list in a database.
#[derive(Debug)]
pub struct List {
    database: Arc<Database>,
    name: String,
}

impl Database {
    /// Opens the list of this name.
    pub fn list(self: &Arc<Self>, name: &str) -> List {
        List { database: self.clone(), name: name.to_owned() }
    }
}

#[async_trait]
impl list::List for List {
    async fn load(&self, ids: &[String], reset: bool) -> Result<Loaded> {
        let (name, ids) = (self.name.clone(), ids.to_owned());
        self.database.write(move |connection| load(connection, &name, &ids, reset)).await
    }

    async fn page(&self, state: Option<State>, from: Option<&str>, limit: usize) -> Result<Page> {
        let (name, state, from) = (self.name.clone(), state.map(State::number), from.map(str::to_owned));
        let limit = limit.max(1);
        let mut ids: Vec<Listed> = self
            .database
            .read(move |connection| {
                let sql = "SELECT id, state, reason, owner, token FROM lists WHERE list = ?1
                    AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR id > ?3) ORDER BY id LIMIT ?4";
                let mut statement = connection.prepare_cached(sql)?;
                let rows = statement.query_map(params![name, state, from, bounded(limit.saturating_add(1))], listed)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await?;
        // One id more than asked for shows that more follow.
        let goes_on = ids.len() > limit;
        ids.truncate(limit);
        let next = ids.last().filter(|_| goes_on).map(|last| last.id.clone());
        Ok(Page { ids, next })
    }

    async fn shift(&self, moves: &[Move]) -> Result<Vec<bool>> {
        let (name, moves) = (self.name.clone(), moves.to_owned());
        self.database.write(move |connection| moves.iter().map(|step| shift(connection, &name, step)).collect()).await
    }

    async fn counts(&self) -> Result<BTreeMap<State, u64>> {
        let name = self.name.clone();
        self.database
            .read(move |connection| {
                let sql = "SELECT state, count(*) FROM lists WHERE list = ?1 GROUP BY state";
                let mut statement = connection.prepare_cached(sql)?;
                let rows =
                    statement.query_map([name], |row| Ok((state(row, 0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }
}

fn load(connection: &Connection, name: &str, ids: &[String], reset: bool) -> Result<Loaded, Fault> {
    let sql = "INSERT INTO lists (list, id, state) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    let mut add = connection.prepare_cached(sql)?;
    let sql = "UPDATE lists SET state = ?3, reason = '', owner = NULL, token = token + 1 WHERE list = ?1 AND id = ?2";
    let mut ready = connection.prepare_cached(sql)?;
    let mut loaded = Loaded::default();
    for id in ids {
        let values = params![name, id, State::Ready.number()];
        if add.execute(values)? == 1 {
            loaded.added += 1;
        } else if reset {
            ready.execute(values)?;
            loaded.reset += 1;
        } else {
            loaded.kept += 1;
        }
    }
    Ok(loaded)
}

fn shift(connection: &Connection, name: &str, step: &Move) -> Result<bool, Fault> {
    let sql = "UPDATE lists SET state = ?5, reason = ?6, owner = ?7, token = token + 1
        WHERE list = ?1 AND id = ?2 AND state = ?3 AND token = ?4";
    let Move { found, state, reason, owner } = step;
    let (was, is) = (found.state.number(), state.number());
    let moved =
        connection.prepare_cached(sql)?.execute(params![name, found.id, was, count(found.token), is, reason, owner])?;
    Ok(moved == 1)
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let token = row.get::<_, i64>(4)?.unsigned_abs();
    Ok(Listed { id: row.get(0)?, state: state(row, 1)?, reason: row.get(2)?, owner: row.get(3)?, token })
}
