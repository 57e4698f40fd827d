//! The alias of concrete indexes: which one it names, which ones are filled to replace it, and how it moves.
//!
//! Each function runs in one transaction, so that no other process writes in between.

use rusqlite::{Connection, OptionalExtension};

use super::{found, look_up};
use crate::{
    backend::sqlite::fault::Fault,
    capability::index::{Place, Route, moved},
    error::Error,
};

/// The concrete index an alias names; an index of the alias's own name is used as it is.
pub(super) fn named(connection: &Connection, alias: &str) -> Result<Option<String>, Fault> {
    let sql = "SELECT name FROM aliases WHERE alias = ?1 UNION ALL SELECT name FROM indexes WHERE name = ?1 LIMIT 1";
    Ok(connection.prepare_cached(sql)?.query_row([alias], |row| row.get(0)).optional()?)
}

/// Whether an alias has this name, or names this index.
pub(super) fn aliased(connection: &Connection, column: &str, value: &str) -> Result<bool, Fault> {
    let sql = format!("SELECT count(*) FROM aliases WHERE {column} = ?1 COLLATE NOCASE");
    let count: i64 = connection.query_row(&sql, [value], |row| row.get(0))?;
    Ok(count > 0)
}

/// The concrete indexes that a write through an alias has to reach.
pub(super) fn route(connection: &Connection, alias: &str) -> Result<Route, Fault> {
    let place = |name: String| look_up(connection, &name).map(|concrete| concrete.as_ref().map(Place::from));
    let current = named(connection, alias)?.map(place).transpose()?.flatten();
    let mut statement = connection.prepare_cached(
        "SELECT indexes.name, indexes.identity FROM filling JOIN indexes USING (name) WHERE alias = ?1 ORDER BY 1",
    )?;
    let filling = statement.query_map([alias], |row| Ok(Place { name: row.get(0)?, identity: row.get(1)? }))?;
    let filling = filling.collect::<Result<_, _>>()?;
    Ok(Route { current, filling })
}

/// Makes every writer of an alias write to this index as well.
pub(super) fn announce(connection: &Connection, alias: &str, name: &str) -> Result<(), Fault> {
    let name = found(connection, name)?.name;
    if named(connection, alias)?.as_ref() != Some(&name) {
        connection
            .execute("INSERT INTO filling (alias, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING", [alias, &name])?;
    }
    Ok(())
}

/// Points an alias that names `from` at another index.
pub(super) fn swap(connection: &Connection, alias: &str, from: Option<&str>, to: &str) -> Result<(), Fault> {
    let to = found(connection, to)?.name;
    if look_up(connection, alias)?.is_some() {
        return Err(Error::usage(format!("`{alias}` is an index itself, so it cannot become an alias"))
            .hint("give the recipe's index another name")
            .into());
    }
    let now = named(connection, alias)?;
    if now.as_ref() == Some(&to) {
        return Ok(());
    }
    if now.as_deref() != from {
        return Err(moved(alias, from, now.as_deref()).into());
    }
    let sql = "INSERT INTO aliases (alias, name) VALUES (?1, ?2) ON CONFLICT (alias) DO UPDATE SET name = ?2";
    connection.execute(sql, [alias, &to])?;
    connection.execute("DELETE FROM filling WHERE alias = ?1 AND name = ?2", [alias, &to])?;
    Ok(())
}

/// Points an alias that names nothing at an index; returns whether the alias names that index.
pub(super) fn claim(connection: &Connection, alias: &str, to: &str) -> Result<bool, Fault> {
    match named(connection, alias)? {
        Some(name) => Ok(name == to),
        None => swap(connection, alias, None, to).map(|()| true),
    }
}
