//! Runs, how far their segments are, and the ids that are not done.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, params, types::Type};
use serde::{Serialize, de::DeserializeOwned};

use super::{Database, fault::Fault};
use crate::{
    error::{Error, Result},
    ledger::{self, Commit, Filter, Group, IdRow, Progress, Run, State},
};

/// The ledger in a database.
#[derive(Debug)]
pub struct Ledger {
    database: Arc<Database>,
}

impl Database {
    /// Serves the ledger.
    pub fn ledger(self: &Arc<Self>) -> Ledger {
        Ledger { database: self.clone() }
    }
}

#[async_trait]
impl ledger::Ledger for Ledger {
    async fn save(&self, run: &Run) -> Result<()> {
        let (id, recipe, phase, record) = (run.id.clone(), run.recipe.clone(), word(&run.phase)?, json(run)?);
        self.database
            .write(move |connection| {
                let sql = "INSERT INTO runs (id, recipe, phase, record) VALUES (?1, ?2, ?3, ?4)
                    ON CONFLICT (id) DO UPDATE SET recipe = ?2, phase = ?3, record = ?4";
                connection.prepare_cached(sql)?.execute([&id, &recipe, &phase, &record])?;
                Ok(())
            })
            .await
    }

    async fn runs(&self, recipe: &str, limit: usize) -> Result<Vec<Run>> {
        let recipe = recipe.to_owned();
        self.database
            .read(move |connection| {
                let sql = "SELECT record FROM runs WHERE recipe = ?1 ORDER BY id DESC LIMIT ?2";
                let mut statement = connection.prepare_cached(sql)?;
                let rows = statement.query_map(params![recipe, bounded(limit)], |row| parsed(row, 0))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn progress(&self, run: &Run) -> Result<Vec<Progress>> {
        let (id, segments) = (run.id.clone(), run.segments);
        self.database.read(move |connection| progress(connection, &id, segments)).await
    }

    async fn commit(&self, run: &str, commit: &Commit) -> Result<()> {
        let (run, commit) = (run.to_owned(), commit.clone());
        self.database.write(move |connection| write(connection, &run, &commit)).await
    }

    async fn rows(&self, run: &str, filter: &Filter, after: Option<&str>, limit: usize) -> Result<Vec<IdRow>> {
        let (run, after) = (run.to_owned(), after.map(str::to_owned));
        let states: Vec<_> = filter.states.iter().map(|state| state.number()).collect();
        let (states, group) = (json(&states)?, filter.group.clone());
        self.database
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT position, id, state, reason, grouped, attempts, version, at FROM ids
                     WHERE run = ?1 AND (?2 IS NULL OR position > ?2)
                     AND (?3 = '[]' OR state IN (SELECT value FROM json_each(?3)))
                     AND (?4 IS NULL OR grouped = ?4)
                     ORDER BY position LIMIT ?5",
                )?;
                let rows = statement.query_map(params![run, after, states, group, bounded(limit)], id_row)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn groups(&self, run: &str, examples: usize) -> Result<Vec<Group>> {
        let run = run.to_owned();
        self.database.read(move |connection| groups(connection, &run, examples)).await
    }
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::bug("the ledger cannot write a record").because(error))
}

/// The word of an enum without fields.
fn word(value: &impl Serialize) -> Result<String> {
    Ok(json(value)?.trim_matches('"').to_owned())
}

fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn parsed<T: DeserializeOwned>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(column, error))
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

fn progress(connection: &Connection, run: &str, segments: u32) -> Result<Vec<Progress>, Fault> {
    let mut all = vec![Progress::default(); segments as usize + 1];
    let mut statement =
        connection.prepare_cached("SELECT number, cursor, ended, counts FROM segments WHERE run = ?1")?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        if let Some(progress) = all.get_mut(row.get::<_, u32>(0)? as usize) {
            *progress = Progress { cursor: row.get(1)?, ended: row.get(2)?, counts: parsed(row, 3)? };
        }
    }
    Ok(all)
}

/// What is settled goes first: a row written in the same batch says that its id failed after all.
fn write(connection: &Connection, run: &str, commit: &Commit) -> Result<(), Fault> {
    let mut settle = connection.prepare_cached("DELETE FROM ids WHERE run = ?1 AND position = ?2")?;
    for position in &commit.settled {
        settle.execute([run, position])?;
    }
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO ids (run, position, id, state, reason, grouped, attempts, version, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for row in &commit.rows {
        let version = row.version.map(|version| i64::try_from(version).unwrap_or(i64::MAX));
        let (state, at) = (row.state.number(), row.at.to_string());
        put.execute(params![run, row.position, row.id, state, row.reason, row.group, row.attempts, version, at])?;
    }
    let Progress { cursor, ended, counts } = &commit.progress;
    let sql = "INSERT OR REPLACE INTO segments (run, number, cursor, ended, counts) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(params![run, commit.segment, cursor, ended, json(counts)?])?;
    Ok(())
}

fn id_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<IdRow> {
    let at: String = row.get(7)?;
    Ok(IdRow {
        position: row.get(0)?,
        id: row.get(1)?,
        state: state(row, 2)?,
        reason: row.get(3)?,
        group: row.get(4)?,
        attempts: row.get(5)?,
        version: row.get::<_, Option<i64>>(6)?.map(i64::unsigned_abs),
        at: at.parse().map_err(|error: jiff::Error| unreadable(7, error))?,
    })
}

fn state(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<State> {
    let number: u32 = row.get(column)?;
    State::from_number(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, i64::from(number)))
}

fn groups(connection: &Connection, run: &str, examples: usize) -> Result<Vec<Group>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT state, grouped, count(*) FROM ids WHERE run = ?1
         GROUP BY state, grouped ORDER BY count(*) DESC, state, grouped",
    )?;
    let mut few = connection.prepare_cached(
        "SELECT id FROM ids WHERE run = ?1 AND state = ?2 AND grouped = ?3 ORDER BY position LIMIT ?4",
    )?;
    let mut rows = statement.query([run])?;
    let mut groups = Vec::new();
    while let Some(row) = rows.next()? {
        let (state, group, count): (_, String, i64) = (state(row, 0)?, row.get(1)?, row.get(2)?);
        let examples = few.query_map(params![run, state.number(), group, bounded(examples)], |row| row.get(0))?;
        let examples = examples.collect::<Result<_, _>>()?;
        groups.push(Group { state, group, count: count.unsigned_abs(), examples });
    }
    Ok(groups)
}
