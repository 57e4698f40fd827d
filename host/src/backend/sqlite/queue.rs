//! Messages under leases, by priority.
//!
//! The ids of acknowledged messages are kept for good, so that a repeat sent much later changes nothing too.
//! There are no dead letters here, and no times of sending: a message is delivered until it is acknowledged.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::{Database, fault::Fault, schema::check_name};
use crate::{
    capability::queue::{self, Delivery, Depth, LONGEST_LEASE, Message},
    error::Result,
};

/// How often a waiting consumer polls.
const LOOK: Duration = Duration::from_millis(100);

/// A queue in a database.
#[derive(Debug)]
pub struct Queue {
    database: Arc<Database>,
    name: String,
}

impl Database {
    /// Serves a queue, which begins with its first message.
    ///
    /// *Errors*: a name that no queue can have.
    pub fn queue(self: &Arc<Self>, name: &str) -> Result<Queue> {
        check_name("a queue", name)?;
        Ok(Queue { database: self.clone(), name: name.to_owned() })
    }

    fn now_ms(&self) -> i64 {
        self.now().as_millisecond()
    }
}

/// One delivery: the message's number and which attempt it is. Neither is ever used again.
struct Receipt {
    number: i64,
    attempt: u32,
}

impl Receipt {
    fn parse(text: &str) -> Option<Self> {
        let (number, attempt) = text.split_once('-')?;
        Some(Self { number: number.parse().ok()?, attempt: attempt.parse().ok()? })
    }

    fn text(&self) -> String {
        format!("{}-{}", self.number, self.attempt)
    }
}

#[async_trait]
impl queue::Queue for Queue {
    async fn send(&self, messages: &[Message]) -> Result<Vec<Result<()>>> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let (name, count, messages) = (self.name.clone(), messages.len(), messages.to_vec());
        self.database.write(move |connection| send(connection, &name, &messages)).await?;
        Ok((0..count).map(|_| Ok(())).collect())
    }

    async fn receive(&self, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>> {
        let begun = Instant::now();
        loop {
            let taken = self.take(max, lease).await?;
            let left = wait.saturating_sub(begun.elapsed());
            if !taken.is_empty() || max == 0 || left.is_zero() {
                return Ok(taken);
            }
            tokio::time::sleep(LOOK.min(left)).await;
        }
    }

    async fn acknowledge(&self, receipts: &[String]) -> Result<Vec<bool>> {
        let sql = "DELETE FROM messages WHERE queue = ?1 AND number = ?2 AND attempts = ?3 AND leased_until > ?4
            AND ?5 IS NOT NULL";
        self.settle(sql, receipts, 0).await
    }

    async fn extend(&self, receipts: &[String], lease: Duration) -> Result<Vec<bool>> {
        let sql = "UPDATE messages SET leased_until = ?5
            WHERE queue = ?1 AND number = ?2 AND attempts = ?3 AND leased_until > ?4";
        self.settle(sql, receipts, self.database.now_ms().saturating_add(milliseconds(lease))).await
    }

    async fn peek(&self, max: usize) -> Result<Vec<Message>> {
        let (name, now) = (self.name.clone(), self.database.now_ms());
        self.database
            .read(move |connection| {
                Ok(next(connection, &name, now, max)?.into_iter().map(|(_, _, message)| message).collect())
            })
            .await
    }

    async fn has_seen(&self, id: Option<&str>) -> Result<Option<bool>> {
        let (name, id) = (self.name.clone(), id.map(str::to_owned));
        self.database
            .read(move |connection| {
                let sql = "SELECT EXISTS (SELECT 1 FROM seen_messages WHERE queue = ?1 AND (?2 IS NULL OR id = ?2))";
                Ok(Some(connection.prepare_cached(sql)?.query_row(params![name, id], |row| row.get(0))?))
            })
            .await
    }

    async fn depth(&self) -> Result<Depth> {
        let (name, now) = (self.name.clone(), self.database.now_ms());
        self.database
            .read(move |connection| {
                let sql = "SELECT count(*), count(*) FILTER (WHERE leased_until > ?2) FROM messages WHERE queue = ?1";
                let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
                let (all, held) = connection.prepare_cached(sql)?.query_row(params![name, now], row)?;
                let (waiting, in_hand) = ((all - held).unsigned_abs(), held.unsigned_abs());
                Ok(Depth { waiting, in_hand, ..Depth::default() })
            })
            .await
    }
}

impl Queue {
    async fn take(&self, max: usize, lease: Duration) -> Result<Vec<Delivery>> {
        // Looked at first, so that waiting for messages costs no write.
        let (name, now) = (self.name.clone(), self.database.now_ms());
        let some = self.database.read(move |connection| Ok(!next(connection, &name, now, 1)?.is_empty())).await?;
        if !some || max == 0 {
            return Ok(Vec::new());
        }
        let (name, until) = (self.name.clone(), now.saturating_add(milliseconds(lease)));
        self.database.write(move |connection| receive(connection, &name, max, now, until)).await
    }

    /// Changes the deliveries whose lease still runs; a receipt that was never one of this queue's changes nothing.
    async fn settle(&self, sql: &'static str, receipts: &[String], until: i64) -> Result<Vec<bool>> {
        if receipts.is_empty() {
            return Ok(Vec::new());
        }
        let (name, now) = (self.name.clone(), self.database.now_ms());
        let receipts: Vec<_> = receipts.iter().map(|text| Receipt::parse(text)).collect();
        let settle = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let changed = receipts.iter().map(|receipt| match receipt {
                Some(Receipt { number, attempt }) => {
                    Ok(statement.execute(params![name, number, attempt, now, until])? == 1)
                }
                None => Ok(false),
            });
            changed.collect()
        };
        self.database.write(settle).await
    }
}

fn milliseconds(lease: Duration) -> i64 {
    i64::try_from(lease.min(LONGEST_LEASE).as_millis()).unwrap_or(i64::MAX)
}

fn send(connection: &Connection, queue: &str, messages: &[Message]) -> Result<(), Fault> {
    let mut see = connection.prepare_cached("INSERT OR IGNORE INTO seen_messages (queue, id) VALUES (?1, ?2)")?;
    let mut add =
        connection.prepare_cached("INSERT INTO messages (queue, id, body, priority) VALUES (?1, ?2, ?3, ?4)")?;
    for message in messages {
        if see.execute(params![queue, message.id])? == 1 {
            add.execute(params![queue, message.id, message.body, message.priority])?;
        }
    }
    Ok(())
}

fn receive(connection: &Connection, queue: &str, max: usize, now: i64, until: i64) -> Result<Vec<Delivery>, Fault> {
    let mut take =
        connection.prepare_cached("UPDATE messages SET attempts = ?2, leased_until = ?3 WHERE number = ?1")?;
    let mut deliveries = Vec::new();
    for (number, attempts, message) in next(connection, queue, now, max)? {
        let receipt = Receipt { number, attempt: attempts.saturating_add(1) };
        take.execute(params![number, receipt.attempt, until])?;
        let (name, attempt) = (number.to_string(), receipt.attempt);
        deliveries.push(Delivery { message, name, receipt: receipt.text(), attempt, last: false });
    }
    Ok(deliveries)
}

/// The messages that are not in flight, in their order, with number and attempts.
fn next(connection: &Connection, queue: &str, now: i64, max: usize) -> Result<Vec<(i64, u32, Message)>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT number, attempts, id, body, priority FROM messages
         WHERE queue = ?1 AND leased_until <= ?2 ORDER BY priority DESC, number LIMIT ?3",
    )?;
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![queue, now, max], |row| {
        Ok((row.get(0)?, row.get(1)?, Message { id: row.get(2)?, body: row.get(3)?, priority: row.get(4)? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
