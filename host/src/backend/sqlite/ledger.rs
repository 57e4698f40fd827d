//! Runs, the progress of their segments, and the ids that are not done.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params, types::Type};
use serde::{Serialize, de::DeserializeOwned};

use super::{Database, fault::Fault, lease};
use crate::{
    error::{Error, Result},
    ledger::{self, Commit, Filter, Group, IdRow, Lease, Progress, Run, State},
};

/// The ledger in a database.
#[derive(Debug)]
pub struct Ledger {
    database: Arc<Database>,
}

impl Database {
    /// Opens the ledger.
    pub fn ledger(self: &Arc<Self>) -> Ledger {
        Ledger { database: self.clone() }
    }
}

#[async_trait]
impl ledger::Ledger for Ledger {
    fn is_shared(&self) -> bool {
        false
    }

    async fn begin(&self, run: &Run, after: Option<&str>) -> Result<bool> {
        let (run, after) = (run.clone(), after.map(str::to_owned));
        let (phase, record) = (word(&run.phase)?, json(&run)?);
        self.database
            .write(move |connection| {
                let sql = "INSERT INTO runs (id, recipe, phase, record, revision, number)
                    SELECT ?1, ?2, ?3, ?4, ?5, 1 + coalesce((SELECT max(number) FROM runs WHERE recipe = ?2), 0)
                    WHERE (SELECT id FROM runs WHERE recipe = ?2 ORDER BY number DESC LIMIT 1) IS ?6";
                let mut insert = connection.prepare_cached(sql)?;
                Ok(insert.execute(params![run.id, run.recipe, phase, record, count(run.revision), after])? == 1)
            })
            .await
    }

    async fn save(&self, run: &mut Run) -> Result<bool> {
        let next = Run { revision: run.revision + 1, ..run.clone() };
        let (id, phase, record) = (run.id.clone(), word(&next.phase)?, json(&next)?);
        let (was, is) = (count(run.revision), count(next.revision));
        let saved = self
            .database
            .write(move |connection| {
                let sql = "UPDATE runs SET phase = ?2, record = ?3, revision = ?5 WHERE id = ?1 AND revision = ?4";
                Ok(connection.prepare_cached(sql)?.execute(params![id, phase, record, was, is])? == 1)
            })
            .await?;
        run.revision += u64::from(saved);
        Ok(saved)
    }

    async fn find(&self, run: &str) -> Result<Option<Run>> {
        let run = run.to_owned();
        self.database
            .read(move |connection| {
                let mut statement = connection.prepare_cached("SELECT record FROM runs WHERE id = ?1")?;
                Ok(statement.query_row([run], |row| parsed(row, 0)).optional()?)
            })
            .await
    }

    async fn runs(&self, recipe: &str, limit: usize) -> Result<Vec<Run>> {
        let recipe = recipe.to_owned();
        self.database
            .read(move |connection| {
                let sql = "SELECT record FROM runs WHERE recipe = ?1 ORDER BY number DESC LIMIT ?2";
                let mut statement = connection.prepare_cached(sql)?;
                let rows = statement.query_map(params![recipe, bounded(limit)], |row| parsed(row, 0))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn progress(&self, run: &Run) -> Result<Vec<Progress>> {
        let (id, lines) = (run.id.clone(), run.steps() + 1);
        self.database.read(move |connection| progress(connection, &id, lines)).await
    }

    async fn claim(
        &self,
        run: &str,
        line: u32,
        found: Option<&Lease>,
        owner: &str,
        lasting: Duration,
    ) -> Result<Option<Progress>> {
        let (run, found, owner) = (run.to_owned(), found.cloned(), owner.to_owned());
        self.database
            .write(move |connection| lease::claim(connection, &run, line, found.as_ref(), &owner, lasting))
            .await
    }

    async fn hold(&self, run: &str, line: u32, token: u64) -> Result<bool> {
        let run = run.to_owned();
        self.database.write(move |connection| lease::hold(connection, &run, line, token)).await
    }

    async fn release(&self, run: &str, line: u32, token: u64) -> Result<bool> {
        let run = run.to_owned();
        self.database.write(move |connection| lease::release(connection, &run, line, token)).await
    }

    async fn commit(&self, run: &str, token: u64, commit: &Commit) -> Result<bool> {
        let (run, commit) = (run.to_owned(), commit.clone());
        self.database.write(move |connection| write(connection, &run, token, &commit)).await
    }

    async fn rows(&self, run: &str, filter: &Filter, after: Option<&str>, limit: usize) -> Result<Vec<IdRow>> {
        let (run, after) = (run.to_owned(), after.map(str::to_owned));
        let states: Vec<_> = filter.states.iter().map(|state| state.number()).collect();
        let (states, reason, id) = (json(&states)?, filter.reason.clone(), filter.id.clone());
        self.database
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT position, id, state, reason, grouped, attempts, version, at FROM ids
                     WHERE run = ?1 AND (?2 IS NULL OR position > ?2)
                     AND (?3 = '[]' OR state IN (SELECT value FROM json_each(?3)))
                     AND (?4 IS NULL OR instr(grouped, ?4) > 0 OR instr(reason, ?4) > 0)
                     AND (?5 IS NULL OR id = ?5)
                     ORDER BY position LIMIT ?6",
                )?;
                let rows = statement.query_map(params![run, after, states, reason, id, bounded(limit)], id_row)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn groups(&self, run: &str, examples: usize) -> Result<Vec<Group>> {
        let run = run.to_owned();
        self.database.read(move |connection| groups(connection, &run, examples)).await
    }
}

pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::bug("the ledger cannot write a record").because(error))
}

/// The word of an enum without fields.
fn word(value: &impl Serialize) -> Result<String> {
    Ok(json(value)?.trim_matches('"').to_owned())
}

/// A number as SQLite keeps it.
pub(super) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn parsed<T: DeserializeOwned>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(column, error))
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

fn progress(connection: &Connection, run: &str, lines: u32) -> Result<Vec<Progress>, Fault> {
    let mut all = vec![Progress::default(); lines as usize];
    let mut statement = connection.prepare_cached(
        "SELECT cursor, ended, counts, owner, token, beat, lasting, number FROM segments WHERE run = ?1",
    )?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        if let Some(progress) = all.get_mut(row.get::<_, u32>(7)? as usize) {
            *progress = lease::progress(row)?;
        }
    }
    Ok(all)
}

/// The segment is written first: a worker that lost its lease writes nothing. Settled rows go before new rows: a row
/// written in the same batch means that its id failed after all.
fn write(connection: &Connection, run: &str, token: u64, commit: &Commit) -> Result<bool, Fault> {
    let Progress { cursor, ended, counts, .. } = &commit.progress;
    let sql = "UPDATE segments SET cursor = ?4, ended = ?5, counts = ?6, beat = beat + 1
        WHERE run = ?1 AND number = ?2 AND token = ?3 AND owner IS NOT NULL";
    let mut update = connection.prepare_cached(sql)?;
    if update.execute(params![run, commit.segment, count(token), cursor, ended, json(counts)?])? == 0 {
        return Ok(false);
    }
    let mut settle = connection.prepare_cached("DELETE FROM ids WHERE run = ?1 AND position = ?2")?;
    for position in &commit.settled {
        settle.execute([run, position])?;
    }
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO ids (run, position, id, state, reason, grouped, attempts, version, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for row in &commit.rows {
        let version = row.version.map(count);
        let (state, at) = (row.state.number(), row.at.to_string());
        put.execute(params![run, row.position, row.id, state, row.reason, row.group, row.attempts, version, at])?;
    }
    Ok(true)
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

pub(super) fn state(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<State> {
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
