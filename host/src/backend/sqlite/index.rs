//! Documents with versions behind an alias, and full-text search.
//!
//! Each concrete index has two SQL tables: the documents, and their words in FTS5, which refers to documents by number
//! and stores no text of its own. Dropping an index drops both without work per row. A deletion with a version leaves a
//! document without a body, so that an older write cannot restore it.

mod alias;
mod list;
mod write;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use self::{
    alias::{aliased, named},
    write::Prepared,
};
use super::{
    Database,
    fault::Fault,
    query::Query,
    schema::{check_name, quoted},
    text::Mapping,
};
use crate::{
    capability::index::{
        self, Alias, Concrete, Document, Documents, List, Listed, Listing, Route, Stamp, Tune, Write, Written,
    },
    error::{Error, Kind, Result},
    record::canonical,
};

/// The index behind one alias in a database.
#[derive(Debug)]
pub struct Index {
    database: Arc<Database>,
    alias: String,
    /// The mappings by concrete index; a definition never changes.
    mappings: Mutex<HashMap<String, Arc<Mapping>>>,
}

impl Database {
    /// Opens the index behind an alias, which need not be set yet.
    ///
    /// *Errors*: a name that no index can have.
    pub fn index(self: &Arc<Self>, alias: &str) -> Result<Index> {
        check_name("an index", alias)?;
        Ok(Index { database: self.clone(), alias: alias.to_owned(), mappings: Mutex::default() })
    }
}

#[async_trait]
impl Documents for Index {
    async fn write(&self, concrete: &str, writes: Vec<Write>) -> Result<Vec<Written>> {
        let mapping = self.mapping(concrete).await?;
        let writes: Vec<_> = writes.into_iter().map(|write| Prepared::new(write, &mapping)).collect();
        let name = concrete.to_owned();
        let written = self.database.write(move |connection| write::write(connection, &name, &writes)).await;
        if written.as_ref().is_err_and(|error| error.kind() == Kind::NotFound) {
            self.mappings.lock().unwrap_or_else(PoisonError::into_inner).remove(concrete);
        }
        written
    }

    async fn get_many(&self, concrete: Option<&str>, ids: &[String]) -> Result<Vec<Option<Document>>> {
        let (alias, concrete, ids) = (self.alias.clone(), concrete.map(str::to_owned), ids.to_vec());
        self.database.read(move |connection| get_many(connection, &alias, concrete, &ids)).await
    }

    async fn count(&self, concrete: &str) -> Result<u64> {
        let name = concrete.to_owned();
        self.database.read(move |connection| count(connection, &name)).await
    }

    /// Written documents can be found at once.
    async fn refresh(&self, _concrete: &str) -> Result<()> {
        Ok(())
    }

    async fn search(&self, query: &str, limit: usize) -> Result<(u64, Vec<Document>)> {
        let (alias, query) = (self.alias.clone(), Query::new(query));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.database
            .read(move |connection| match (named(connection, &alias)?, &query) {
                (None, _) | (_, Query::Nothing) => Ok((0, Vec::new())),
                (Some(name), Query::Everything) => Ok((count(connection, &name)?, all(connection, &name, limit)?)),
                (Some(name), Query::Match(expression)) => search(connection, &name, expression, limit),
            })
            .await
    }
}

#[async_trait]
impl Alias for Index {
    async fn cluster(&self) -> Result<Option<String>> {
        Ok(None)
    }

    async fn current(&self) -> Result<Option<Concrete>> {
        let alias = self.alias.clone();
        self.database
            .read(move |connection| match named(connection, &alias)? {
                Some(name) => Ok(Some(found(connection, &name)?)),
                None => Ok(None),
            })
            .await
    }

    async fn route(&self) -> Result<Route> {
        let alias = self.alias.clone();
        self.database.read(move |connection| alias::route(connection, &alias)).await
    }

    async fn describe(&self, name: &str) -> Result<Concrete> {
        let name = name.to_owned();
        self.database.read(move |connection| found(connection, &name)).await
    }

    async fn create(&self, name: &str, definition: &str, stamp: &Stamp) -> Result<()> {
        check_name("an index", name)?;
        let definition = canonical(definition)
            .map_err(|reason| Error::usage(format!("the definition of the index `{name}` {reason}")))?;
        if !definition.starts_with('{') {
            return Err(Error::usage(format!("the definition of the index `{name}` is not a JSON object")));
        }
        let (name, stamp, created) = (name.to_owned(), stamp.clone(), self.database.now());
        self.database.write(move |connection| create(connection, &name, &definition, &stamp, created)).await
    }

    async fn announce(&self, name: &str) -> Result<()> {
        let (alias, name) = (self.alias.clone(), name.to_owned());
        self.database.write(move |connection| alias::announce(connection, &alias, &name)).await
    }

    async fn swap(&self, from: Option<&str>, to: &str) -> Result<()> {
        let (alias, from, to) = (self.alias.clone(), from.map(str::to_owned), to.to_owned());
        self.database.write(move |connection| alias::swap(connection, &alias, from.as_deref(), &to)).await
    }

    async fn claim(&self, to: &str) -> Result<bool> {
        let (alias, to) = (self.alias.clone(), to.to_owned());
        self.database.write(move |connection| alias::claim(connection, &alias, &to)).await
    }

    async fn remove(&self, name: &str) -> Result<()> {
        self.mappings.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        let name = name.to_owned();
        self.database.write(move |connection| remove(connection, &name)).await
    }
}

#[async_trait]
impl List for Index {
    /// The guard of a document shows whether it was written since, so no sequence number is needed.
    async fn watermark(&self, _concrete: &str) -> Result<Option<u64>> {
        Ok(None)
    }

    async fn list(
        &self,
        concrete: &str,
        query: Option<&str>,
        _until: Option<u64>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listing> {
        if query.is_some() {
            return Err(Error::usage("an index in SQLite has no query language to select documents to prune")
                .hint("leave `query` out, or prune an index in Elasticsearch or OpenSearch"));
        }
        let (name, after) = (concrete.to_owned(), after.unwrap_or_default().to_owned());
        self.database.read(move |connection| list::list(connection, &name, &after, limit)).await
    }

    async fn remove_listed(&self, concrete: &str, documents: &[Listed]) -> Result<Vec<bool>> {
        let (name, documents) = (concrete.to_owned(), documents.to_vec());
        self.database.write(move |connection| list::remove(connection, &name, &documents)).await
    }
}

impl index::Index for Index {
    fn lists(&self) -> Option<&dyn List> {
        Some(self)
    }

    fn tunes(&self) -> Option<&dyn Tune> {
        None
    }
}

impl Index {
    async fn mapping(&self, concrete: &str) -> Result<Arc<Mapping>> {
        let known = self.mappings.lock().unwrap_or_else(PoisonError::into_inner).get(concrete).cloned();
        if let Some(mapping) = known {
            return Ok(mapping);
        }
        let name = concrete.to_owned();
        let found = self.database.read(move |connection| found(connection, &name)).await?;
        let mapping = Arc::new(Mapping::new(&found.definition));
        self.mappings.lock().unwrap_or_else(PoisonError::into_inner).insert(concrete.to_owned(), mapping.clone());
        Ok(mapping)
    }
}

fn look_up(connection: &Connection, name: &str) -> Result<Option<Concrete>, Fault> {
    let row = connection
        .prepare_cached("SELECT name, definition, stamp, created, identity FROM indexes WHERE name = ?1")?
        .query_row([name], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?, row.get(4)?))
        })
        .optional()?;
    let Some((name, definition, version, created, identity)) = row else { return Ok(None) };
    let created = created
        .parse()
        .map_err(|error: jiff::Error| Error::bug(format!("the index `{name}` has a broken date")).because(error))?;
    Ok(Some(Concrete { name, definition, stamp: Some(Stamp { version }), created, identity }))
}

fn found(connection: &Connection, name: &str) -> Result<Concrete, Fault> {
    look_up(connection, name)?.ok_or_else(|| no_index(name))
}

fn no_index(name: &str) -> Fault {
    Error::new(Kind::NotFound, format!("there is no index `{name}`"))
        .hint("run the recipe that fills it: reindex run RECIPE.toml")
        .into()
}

fn create(
    connection: &Connection,
    name: &str,
    definition: &str,
    stamp: &Stamp,
    created: Timestamp,
) -> Result<(), Fault> {
    if let Some(there) = look_up(connection, name)? {
        return if (there.definition.as_str(), there.stamp.as_ref()) == (definition, Some(stamp)) {
            Ok(())
        } else {
            let text = format!("the index `{name}` exists with another definition or version");
            Err(Error::usage(text).hint("fill a new index with `--rebuild`").into())
        };
    }
    if aliased(connection, "alias", name)? {
        return Err(Error::usage(format!("`{name}` is an alias; no index can have its name")).into());
    }
    let (documents, search) = (quoted(name, "documents"), quoted(name, "search"));
    connection.execute_batch(&format!(
        "CREATE TABLE {documents} (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            version INTEGER,
            body TEXT
        ) STRICT;
        {}",
        write::search_table(&search)
    ))?;
    connection.execute(
        "INSERT INTO indexes (name, definition, stamp, created, identity)
         VALUES (?1, ?2, ?3, ?4, lower(hex(randomblob(16))))",
        params![name, definition, stamp.version, created.to_string()],
    )?;
    Ok(())
}

fn remove(connection: &Connection, name: &str) -> Result<(), Fault> {
    if aliased(connection, "name", name)? {
        return Err(Error::usage(format!("the index `{name}` is in use: an alias names it"))
            .hint("point the alias at another index first")
            .into());
    }
    let Some(Concrete { name, .. }) = look_up(connection, name)? else { return Ok(()) };
    let (documents, search) = (quoted(&name, "documents"), quoted(&name, "search"));
    connection.execute_batch(&format!("DROP TABLE {documents}; DROP TABLE {search}"))?;
    connection.execute("DELETE FROM filling WHERE name = ?1", [&name])?;
    connection.execute("DELETE FROM indexes WHERE name = ?1", [name])?;
    Ok(())
}

fn get_many(
    connection: &Connection,
    alias: &str,
    concrete: Option<String>,
    ids: &[String],
) -> Result<Vec<Option<Document>>, Fault> {
    let name = match concrete {
        Some(name) => found(connection, &name)?.name,
        None => match named(connection, alias)? {
            Some(name) => name,
            None => return Ok(vec![None; ids.len()]),
        },
    };
    let documents = quoted(&name, "documents");
    let sql = format!("SELECT id, version, body FROM {documents} WHERE id = ?1 AND body IS NOT NULL");
    let mut statement = connection.prepare_cached(&sql)?;
    ids.iter().map(|id| Ok(statement.query_row([id], document).optional()?)).collect()
}

fn document(row: &rusqlite::Row<'_>) -> rusqlite::Result<Document> {
    let version: Option<i64> = row.get(1)?;
    Ok(Document { id: row.get(0)?, version: version.map(i64::unsigned_abs), body: row.get(2)? })
}

fn count(connection: &Connection, name: &str) -> Result<u64, Fault> {
    let mut statement = connection.prepare_cached("SELECT documents FROM indexes WHERE name = ?1")?;
    let count: Option<i64> = statement.query_row([name], |row| row.get(0)).optional()?;
    Ok(count.ok_or_else(|| no_index(name))?.unsigned_abs())
}

fn all(connection: &Connection, name: &str, limit: i64) -> Result<Vec<Document>, Fault> {
    let documents = quoted(name, "documents");
    let sql = format!("SELECT id, version, body FROM {documents} WHERE body IS NOT NULL ORDER BY id LIMIT ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([limit], document)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn search(connection: &Connection, name: &str, expression: &str, limit: i64) -> Result<(u64, Vec<Document>), Fault> {
    let (documents, search) = (quoted(name, "documents"), quoted(name, "search"));
    let sql = format!("SELECT count(*) FROM {search} WHERE {search} MATCH ?1");
    let total: i64 = connection.prepare_cached(&sql)?.query_row([expression], |row| row.get(0))?;
    let mut best = connection
        .prepare_cached(&format!("SELECT rowid FROM {search} WHERE {search} MATCH ?1 ORDER BY rank LIMIT ?2"))?;
    let mut read =
        connection.prepare_cached(&format!("SELECT id, version, body FROM {documents} WHERE number = ?1"))?;
    let numbers = best.query_map(params![expression, limit], |row| row.get::<_, i64>(0))?;
    let found = numbers.map(|number| read.query_row([number?], document)).collect::<Result<_, _>>()?;
    Ok((total.unsigned_abs(), found))
}
