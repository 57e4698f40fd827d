//! Lists the documents of an index, and removes those that were not written since.
//!
//! The guard of a document is a digest of its version and text: a write that changed neither is not detected.

use rusqlite::{Connection, params};

use super::{found, write};
use crate::{
    backend::sqlite::{fault::Fault, schema::quoted},
    capability::index::{Listed, Listing},
};

/// The documents whose ids come after this one, in part.
pub(super) fn list(connection: &Connection, name: &str, after: &str, limit: usize) -> Result<Listing, Fault> {
    let name = found(connection, name)?.name;
    let table = quoted(&name, "documents");
    let sql = format!("SELECT id, version, body FROM {table} WHERE id > ?1 AND body IS NOT NULL ORDER BY id LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let limit = limit.max(1);
    // One document more than asked for shows that more follow.
    let most = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![after, most], |row| {
        let (version, body): (Option<i64>, String) = (row.get(1)?, row.get(2)?);
        Ok(Listed { id: row.get(0)?, guard: guard(version, &body) })
    })?;
    let mut documents: Vec<_> = rows.collect::<Result<_, _>>()?;
    let goes_on = documents.len() > limit;
    documents.truncate(limit);
    let next = documents.last().filter(|_| goes_on).map(|last| last.id.clone());
    Ok(Listing { documents, next })
}

/// Removes the documents that did not change since they were listed.
pub(super) fn remove(connection: &Connection, name: &str, listed: &[Listed]) -> Result<Vec<bool>, Fault> {
    let name = found(connection, name)?.name;
    let (documents, search) = (quoted(&name, "documents"), quoted(&name, "search"));
    let mut find = connection
        .prepare_cached(&format!("SELECT number, version, body FROM {documents} WHERE id = ?1 AND body IS NOT NULL"))?;
    let mut forget = connection.prepare_cached(&format!("DELETE FROM {search} WHERE rowid = ?1"))?;
    let mut drop = connection.prepare_cached(&format!("DELETE FROM {documents} WHERE number = ?1"))?;
    let mut removed = Vec::with_capacity(listed.len());
    for document in listed {
        let mut rows = find.query([&document.id])?;
        let same = match rows.next()? {
            Some(row) if guard(row.get(1)?, &row.get::<_, String>(2)?) == document.guard => Some(row.get::<_, i64>(0)?),
            _ => None,
        };
        if let Some(number) = same {
            forget.execute([number])?;
            drop.execute([number])?;
        }
        removed.push(same.is_some());
    }
    let fewer = removed.iter().filter(|removed| **removed).count();
    write::counted(connection, &name, -i64::try_from(fewer).unwrap_or(i64::MAX))?;
    Ok(removed)
}

fn guard(version: Option<i64>, body: &str) -> String {
    let digest = blake3::hash(body.as_bytes()).to_hex();
    format!("{} {}", version.map_or_else(String::new, |version| version.to_string()), &digest[..32])
}
