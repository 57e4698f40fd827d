//! The lease on a line of a run. A line that was never claimed has no row.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    fault::Fault,
    ledger::{count, json, parsed},
};
use crate::ledger::{Counts, Lease, Progress};

/// A row of `cursor, ended, counts, owner, token, beat, lasting`.
pub(super) fn progress(row: &Row<'_>) -> rusqlite::Result<Progress> {
    let owner: Option<String> = row.get(3)?;
    let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    let (token, beat, lasting) = (number(4)?, number(5)?, number(6)?);
    let lease = owner.map(|owner| Lease { owner, token, beat, lasting });
    Ok(Progress { cursor: row.get(0)?, ended: row.get(1)?, counts: parsed(row, 2)?, lease })
}

pub(super) fn claim(
    connection: &Connection,
    run: &str,
    line: u32,
    found: Option<&Lease>,
    owner: &str,
    lasting: Duration,
) -> Result<Option<Progress>, Fault> {
    let none = json(&Counts::default())?;
    let make = "INSERT INTO segments (run, number, ended, counts) VALUES (?1, ?2, 0, ?3) ON CONFLICT DO NOTHING";
    connection.prepare_cached(make)?.execute(params![run, line, none])?;
    let (holder, token, beat) = match found {
        Some(lease) => (Some(&lease.owner), Some(count(lease.token)), Some(count(lease.beat))),
        None => (None, None, None),
    };
    let lasting = i64::try_from(lasting.as_millis()).unwrap_or(i64::MAX);
    let take = "UPDATE segments SET owner = ?3, token = token + 1, beat = 0, lasting = ?4
        WHERE run = ?1 AND number = ?2 AND owner IS ?5 AND token = coalesce(?6, token) AND beat = coalesce(?7, beat)
        RETURNING cursor, ended, counts, owner, token, beat, lasting";
    let mut take = connection.prepare_cached(take)?;
    Ok(take.query_row(params![run, line, owner, lasting, holder, token, beat], progress).optional()?)
}

pub(super) fn hold(connection: &Connection, run: &str, line: u32, token: u64) -> Result<bool, Fault> {
    let sql = "UPDATE segments SET beat = beat + 1 WHERE run = ?1 AND number = ?2 AND token = ?3 AND owner IS NOT NULL";
    Ok(connection.prepare_cached(sql)?.execute(params![run, line, count(token)])? == 1)
}

pub(super) fn release(connection: &Connection, run: &str, line: u32, token: u64) -> Result<bool, Fault> {
    let sql = "UPDATE segments SET owner = NULL WHERE run = ?1 AND number = ?2 AND token = ?3 AND owner IS NOT NULL";
    Ok(connection.prepare_cached(sql)?.execute(params![run, line, count(token)])? == 1)
}
