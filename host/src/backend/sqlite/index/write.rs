//! Writes documents: checked and split into words on the caller's thread, stored on the writer's.

use rusqlite::{Connection, OptionalExtension, params};

use super::no_index;
use crate::{
    backend::sqlite::{
        fault::Fault,
        schema::quoted,
        text::{self, Mapping},
    },
    capability::index::{MAX_ID_BYTES, MAX_VERSION, Write, Written},
};

/// The SQL that creates the full-text table of an index.
///
/// Texts are only in the documents (`content=''`), and words can still be removed by number (`contentless_delete`).
/// Positions are kept, since phrases need them; there is no index of prefixes, which would nearly double the cost of a
/// write and which a search for `prefix*` does not need. Words of replaced documents are removed when they are a larger
/// share of a part than usual (`deletemerge`), which makes updates twice as fast.
pub(super) fn search_table(search: &str) -> String {
    format!(
        "CREATE VIRTUAL TABLE {search} USING fts5(words, content='', contentless_delete=1,
            tokenize='unicode61 remove_diacritics 2'); INSERT INTO {search} ({search}, rank) VALUES ('deletemerge', 40);"
    )
}

/// A write that was checked, or why it is refused.
pub(super) enum Prepared {
    Put { id: String, version: Option<i64>, body: String, words: String },
    Delete { id: String, version: Option<i64> },
    Refused(String),
}

impl Prepared {
    pub(super) fn new(write: Write, mapping: &Mapping) -> Self {
        Self::check(write, mapping).unwrap_or_else(Self::Refused)
    }

    fn check(write: Write, mapping: &Mapping) -> Result<Self, String> {
        let Write { id, version, body } = write;
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return Err(format!("the document's id has {} bytes, not 1 to {MAX_ID_BYTES}", id.len()));
        }
        let version = version
            .map(i64::try_from)
            .transpose()
            .map_err(|_| format!("the document's version is above {MAX_VERSION}"))?;
        match body {
            None => Ok(Self::Delete { id, version }),
            Some(body) => {
                let words = text::words(mapping, &body)?;
                Ok(Self::Put { id, version, body, words })
            }
        }
    }
}

/// Writes in order, and updates the count.
pub(super) fn write(connection: &Connection, name: &str, writes: &[Prepared]) -> Result<Vec<Written>, Fault> {
    // Another process may have removed it, and its tables with it, since its definition was read.
    let mut there = connection.prepare_cached("SELECT 1 FROM indexes WHERE name = ?1")?;
    if !there.exists([name])? {
        return Err(no_index(name));
    }
    let mut change = Change::new(connection, name);
    let mut answers = Vec::with_capacity(writes.len());
    for write in writes {
        answers.push(match write {
            Prepared::Put { id, version, body, words } => change.put(id, *version, body, words)?,
            Prepared::Delete { id, version } => change.delete(id, *version)?,
            Prepared::Refused(reason) => Written::Refused(reason.clone()),
        });
    }
    if counted(connection, name, change.more)? { Ok(answers) } else { Err(no_index(name)) }
}

/// Updates the count of documents; returns whether the index exists.
pub(super) fn counted(connection: &Connection, name: &str, more: i64) -> Result<bool, Fault> {
    let sql = "UPDATE indexes SET documents = documents + ?2 WHERE name = ?1";
    Ok(connection.prepare_cached(sql)?.execute(params![name, more])? > 0)
}

/// A document before a write.
struct There {
    number: i64,
    version: Option<i64>,
    lives: bool,
}

impl There {
    /// Whether a write with this version is too old to win.
    fn beats(&self, version: Option<i64>) -> bool {
        matches!((version, self.version), (Some(new), Some(old)) if new < old)
    }
}

struct Change<'a> {
    connection: &'a Connection,
    /// Adds a document unless its id is taken: the common case needs one statement and one for its words.
    add: String,
    find: String,
    replace: String,
    index: String,
    forget: String,
    /// By how many documents the count grows.
    more: i64,
}

impl<'a> Change<'a> {
    fn new(connection: &'a Connection, name: &str) -> Self {
        let (documents, search) = (quoted(name, "documents"), quoted(name, "search"));
        Self {
            connection,
            add: format!("INSERT INTO {documents} (id, version, body) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"),
            find: format!("SELECT number, version, body IS NOT NULL, body IS ?2 FROM {documents} WHERE id = ?1"),
            replace: format!("UPDATE {documents} SET version = ?2, body = ?3 WHERE number = ?1"),
            index: format!("INSERT INTO {search} (rowid, words) VALUES (?1, ?2)"),
            forget: format!("DELETE FROM {search} WHERE rowid = ?1"),
            more: 0,
        }
    }

    fn put(&mut self, id: &str, version: Option<i64>, body: &str, words: &str) -> Result<Written, Fault> {
        if self.connection.prepare_cached(&self.add)?.execute(params![id, version, body])? == 1 {
            let number = self.connection.last_insert_rowid();
            self.connection.prepare_cached(&self.index)?.execute(params![number, words])?;
            self.more += 1;
            return Ok(Written::Done);
        }
        let Some((there, same)) = self.find(id, Some(body))? else { return Ok(Written::Done) };
        if there.beats(version) {
            return Ok(Written::NewerThere);
        }
        self.replace(&there, version, Some(body))?;
        if !same {
            self.forget(&there)?;
            self.connection.prepare_cached(&self.index)?.execute(params![there.number, words])?;
        }
        self.more += i64::from(!there.lives);
        Ok(Written::Done)
    }

    fn delete(&mut self, id: &str, version: Option<i64>) -> Result<Written, Fault> {
        let Some((there, _)) = self.find(id, None)? else {
            if version.is_some() {
                self.connection.prepare_cached(&self.add)?.execute(params![id, version, None::<&str>])?;
            }
            return Ok(Written::Done);
        };
        if there.beats(version) {
            return Ok(Written::NewerThere);
        }
        self.replace(&there, version, None)?;
        self.forget(&there)?;
        self.more -= i64::from(there.lives);
        Ok(Written::Done)
    }

    /// The document of an id, and whether its body is this one.
    fn find(&self, id: &str, body: Option<&str>) -> Result<Option<(There, bool)>, Fault> {
        let mut statement = self.connection.prepare_cached(&self.find)?;
        let row = statement.query_row(params![id, body], |row| {
            Ok((There { number: row.get(0)?, version: row.get(1)?, lives: row.get(2)? }, row.get(3)?))
        });
        Ok(row.optional()?)
    }

    fn replace(&self, there: &There, version: Option<i64>, body: Option<&str>) -> Result<(), Fault> {
        self.connection.prepare_cached(&self.replace)?.execute(params![there.number, version, body])?;
        Ok(())
    }

    fn forget(&self, there: &There) -> Result<(), Fault> {
        if there.lives {
            self.connection.prepare_cached(&self.forget)?.execute([there.number])?;
        }
        Ok(())
    }
}
