//! Records by key, and scans over them.
//!
//! Segments are blocks of the row number, which an update keeps: they neither overlap nor skip, stay the same while the
//! table grows, and need no index of their own. A cursor is a row number.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Database,
    fault::Fault,
    schema::{check_name, quoted},
};
use crate::{
    capability::storage::{self, Page, Row, Sameness, Scan, Segment, SourceInfo, Update},
    error::{Error, Kind, Result},
    record::{self, Form, Item, Key, Shape, Version},
};

/// How many consecutive row numbers belong to the same segment.
const BLOCK: i64 = 256;

/// The size in bytes at which a page ends, for every limit.
const PAGE_BYTES: usize = 8 << 20;

/// The largest record; SQLite's own limit is a gigabyte per row.
const MAX_RECORD_BYTES: usize = 512 << 20;

/// A table of records in a database.
#[derive(Debug)]
pub struct Table {
    database: Arc<Database>,
    name: String,
}

/// The stored properties of a table.
struct Nature {
    key: Vec<String>,
    form: Form,
    identity: String,
    created: String,
    /// Whether records were ever removed.
    removed: bool,
}

impl Database {
    /// Opens a table, which need not exist yet.
    ///
    /// *Errors*: a name that no table can have.
    pub fn table(self: &Arc<Self>, name: &str) -> Result<Table> {
        check_name("a table", name)?;
        Ok(Table { database: self.clone(), name: name.to_owned() })
    }

    /// Creates a table with these key attributes, whose records are in this form. An existing one with the same key and
    /// form stays as it is.
    pub async fn create_table(self: &Arc<Self>, name: &str, key: &[String], form: Form) -> Result<Table> {
        let table = self.table(name)?;
        if key.is_empty() {
            return Err(Error::usage(format!("the table `{name}` needs at least one key attribute")));
        }
        let (name, key) = (name.to_owned(), key.to_vec());
        let (identity, created) = (random()?, self.now().to_string());
        self.write(move |connection| create(connection, &name, &key, form, &identity, &created)).await?;
        Ok(table)
    }
}

fn create(
    connection: &Connection,
    name: &str,
    key: &[String],
    form: Form,
    identity: &str,
    created: &str,
) -> Result<(), Fault> {
    if let Some(there) = nature(connection, name)? {
        if there.key == key && there.form == form {
            return Ok(());
        }
        return Err(Error::usage(format!("the table `{name}` exists with another key or form"))
            .with("there", format!("key {}, {}", there.key.join(" and "), form_word(there.form)))
            .with("asked", format!("key {}, {}", key.join(" and "), form_word(form)))
            .hint("use the key and form it has, or another name")
            .into());
    }
    let records = quoted(name, "records");
    connection.execute_batch(&format!(
        "CREATE TABLE {records} (
            position INTEGER PRIMARY KEY CHECK (position > 0),
            key TEXT NOT NULL UNIQUE,
            body TEXT NOT NULL
        ) STRICT"
    ))?;
    let key = serde_json::Value::from(key).to_string();
    connection.execute(
        "INSERT INTO tables (name, key, form, identity, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![name, key, form_word(form), identity, created],
    )?;
    Ok(())
}

fn random() -> Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(Kind::Unavailable, "the system gives no random numbers").because(error))?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

fn form_word(form: Form) -> &'static str {
    match form {
        Form::Plain => "plain",
        Form::DynamodbJson => "dynamodb-json",
    }
}

fn nature(connection: &Connection, name: &str) -> Result<Option<Nature>, Fault> {
    let row = connection
        .prepare_cached("SELECT key, form, identity, created, removed FROM tables WHERE name = ?1")?
        .query_row([name], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .optional()?;
    let Some((key, form, identity, created, removed)) = row else { return Ok(None) };
    let key = serde_json::from_str(&key).map_err(|error| {
        Error::bug(format!("the key of the table `{name}` is noted in a way nobody can read")).because(error)
    })?;
    let form = if form == form_word(Form::DynamodbJson) { Form::DynamodbJson } else { Form::Plain };
    Ok(Some(Nature { key, form, identity, created, removed }))
}

fn found(connection: &Connection, name: &str) -> Result<Nature, Fault> {
    nature(connection, name)?.ok_or_else(|| {
        Error::new(Kind::NotFound, format!("there is no table `{name}`"))
            .hint(format!("fill it first: reindex load {name} FILE.jsonl"))
            .into()
    })
}

impl Table {
    async fn read<T: Send + 'static>(
        &self,
        closure: impl FnOnce(&Connection, &Nature, &str) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        let name = self.name.clone();
        let read = move |connection: &Connection| {
            let nature = found(connection, &name)?;
            closure(connection, &nature, &quoted(&name, "records"))
        };
        self.database.read(read).await
    }

    async fn nature(&self) -> Result<Nature> {
        let name = self.name.clone();
        self.database.read(move |connection| found(connection, &name)).await
    }
}

#[async_trait]
impl Scan for Table {
    async fn info(&self) -> Result<SourceInfo> {
        self.read(|connection, nature, records| {
            // The last number is their count, at no cost, until the user removes some.
            let count = if nature.removed { "count(*)" } else { "coalesce(max(position), 0)" };
            let sql = format!("SELECT {count} FROM {records}");
            let count: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
            Ok(SourceInfo {
                fingerprint: format!("{}@{}", nature.identity, nature.created),
                count: u64::try_from(count).ok(),
                form: nature.form,
                segments: None,
                max_segments: None,
                key: Some(nature.key.clone()),
                passing: false,
            })
        })
        .await
    }

    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        Ok(Sameness::of(&self.info().await?.fingerprint, fingerprint))
    }

    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        let after = match after {
            None => 0,
            Some(text) => text.parse().map_err(|_| Error::bug(format!("`{text}` is no cursor of a table")))?,
        };
        Self::read(self, move |connection, _, records| page(connection, records, segment, after, limit)).await
    }

    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        let keys = positions.to_vec();
        Self::read(self, move |connection, _, records| {
            let mut statement =
                connection.prepare_cached(&format!("SELECT position, key, body FROM {records} WHERE key = ?1"))?;
            let rows = keys.iter().map(|key| Ok(statement.query_row([key], row).optional()?));
            rows.collect()
        })
        .await
    }
}

#[async_trait]
impl storage::Table for Table {
    async fn key(&self) -> Result<Vec<String>> {
        Ok(self.nature().await?.key)
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        let rows = self.reread(keys).await?;
        Ok(rows.into_iter().map(|row| row.map(|row| row.body)).collect())
    }

    async fn put_many(&self, records: &[String]) -> Result<Vec<Result<()>>> {
        let nature = self.nature().await?;
        let key = Key::from(nature.key);
        let (source, wants) = (nature.form, nature.form);
        let shape =
            Shape { key, version: Version::None, attributes: Vec::new(), source, wants, max_bytes: MAX_RECORD_BYTES };
        let mut answers = Vec::with_capacity(records.len());
        let mut items = Vec::with_capacity(records.len());
        for record in records {
            let item = shape.item(record.as_bytes());
            answers.push(match item {
                Ok(item) => {
                    items.push(item);
                    Ok(())
                }
                Err(refusal) => Err(Error::usage(refusal.reason).with("table", self.name.clone())),
            });
        }
        let name = self.name.clone();
        self.database.write(move |connection| put(connection, &name, &items)).await?;
        Ok(answers)
    }

    async fn update_many(&self, updates: &[Update]) -> Result<Vec<Result<bool>>> {
        let (name, updates) = (self.name.clone(), updates.to_vec());
        let update = move |connection: &Connection| {
            let nature = found(connection, &name)?;
            let key = Key::from(nature.key);
            updates.iter().map(|update| set(connection, &name, &key, nature.form, update)).collect()
        };
        let answers: Vec<std::result::Result<bool, String>> = self.database.write(update).await?;
        let refused = |reason| Error::usage(reason).with("table", self.name.clone());
        Ok(answers.into_iter().map(|answer| answer.map_err(refused)).collect())
    }

    async fn remove_many(&self, keys: &[String]) -> Result<Vec<bool>> {
        let (name, keys) = (self.name.clone(), keys.to_vec());
        self.database.write(move |connection| remove(connection, &name, &keys)).await
    }
}

/// Sets attributes of a record. False if there is none of its key; the inner error is about the attributes.
fn set(
    connection: &Connection,
    name: &str,
    key: &Key,
    form: Form,
    update: &Update,
) -> Result<std::result::Result<bool, String>, Fault> {
    let attributes = match record::attributes(&update.attributes, key, form) {
        Ok(attributes) => attributes,
        Err(reason) => return Ok(Err(format!("the attributes {reason}"))),
    };
    let records = quoted(name, "records");
    let mut read = connection.prepare_cached(&format!("SELECT body FROM {records} WHERE key = ?1"))?;
    let Some(body) = read.query_row([&update.key], |row| row.get::<_, String>(0)).optional()? else {
        return Ok(Ok(false));
    };
    let odd = |reason| Error::bug(format!("the record `{}` {reason}", update.key));
    let body = record::set(&body, &attributes).map_err(odd)?;
    if body.len() > MAX_RECORD_BYTES {
        return Ok(Err(format!("the record would have {} bytes, more than {MAX_RECORD_BYTES}", body.len())));
    }
    let mut write = connection.prepare_cached(&format!("UPDATE {records} SET body = ?2 WHERE key = ?1"))?;
    write.execute([&update.key, &body])?;
    Ok(Ok(true))
}

fn put(connection: &Connection, name: &str, items: &[Item]) -> Result<(), Fault> {
    let records = quoted(name, "records");
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO {records} (key, body) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET body = excluded.body"
    ))?;
    for item in items {
        statement.execute([&item.id, &item.body])?;
    }
    Ok(())
}

fn remove(connection: &Connection, name: &str, keys: &[String]) -> Result<Vec<bool>, Fault> {
    found(connection, name)?;
    connection.execute("UPDATE tables SET removed = 1 WHERE name = ?1", [name])?;
    let records = quoted(name, "records");
    let mut statement = connection.prepare_cached(&format!("DELETE FROM {records} WHERE key = ?1"))?;
    keys.iter().map(|key| Ok(statement.execute([key])? > 0)).collect()
}

fn page(connection: &Connection, records: &str, segment: Segment, after: i64, limit: usize) -> Result<Page, Fault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT position, key, body FROM {records} WHERE position >= ?1 AND position < ?2 ORDER BY position LIMIT ?3"
    ))?;
    let mut page = Page::default();
    let mut bytes = 0;
    let mut from = after.saturating_add(1);
    while let Some(block) = next_block(connection, records, segment, from)? {
        from = from.max(block * BLOCK);
        let end = (block + 1) * BLOCK;
        let room = i64::try_from(limit - page.rows.len()).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![from, end, room])?;
        while let Some(next) = rows.next()? {
            let next = row(next)?;
            bytes += next.body.len();
            page.rows.push(next);
            if page.rows.len() >= limit || bytes >= PAGE_BYTES {
                page.next = page.rows.last().map(|row| row.cursor.clone());
                return Ok(page);
            }
        }
        from = end;
    }
    Ok(page)
}

/// The next block of a segment that has a row at or after a number.
fn next_block(connection: &Connection, records: &str, segment: Segment, from: i64) -> Result<Option<i64>, Fault> {
    let (total, number) = (i64::from(segment.total.max(1)), i64::from(segment.number));
    let mut statement =
        connection.prepare_cached(&format!("SELECT min(position) FROM {records} WHERE position >= ?1"))?;
    let mut from = from;
    while let Some(position) = statement.query_row([from], |row| row.get::<_, Option<i64>>(0))? {
        let block = position / BLOCK;
        let steps = (number - block).rem_euclid(total);
        if steps == 0 {
            return Ok(Some(block));
        }
        from = (block + steps) * BLOCK;
    }
    Ok(None)
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        cursor: row.get::<_, i64>(0)?.to_string(),
        position: row.get(1)?,
        body: row.get::<_, String>(2)?.into_bytes(),
    })
}
