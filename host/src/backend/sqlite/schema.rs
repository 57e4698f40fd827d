//! The schema of the file, its migrations, and the check that this program owns the file.
//!
//! `application_id` marks a file of this program and `user_version` is its version: the number of [`STEPS`] it has been
//! through. Tables of records and indexes are created on demand, by `table.rs` and `index.rs`.

use rusqlite::{Connection, TransactionBehavior};

use super::fault::Fault;
use crate::error::{Error, Result};

/// The bytes `ridx`.
const APPLICATION_ID: i32 = 0x7269_6478;

/// Each step migrates the file from one version to the next; steps are added, never changed.
const STEPS: [&str; 6] = [
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
];

/// The version of a file, compared with this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// Nothing was ever written to it.
    Empty,
    /// Written by an earlier version; a writer migrates it.
    Older,
    /// Up to date.
    Current,
}

/// Compares the version of the file.
///
/// *Errors*: a file of a newer version, or of another program.
pub(super) fn age(connection: &Connection) -> Result<Age, Fault> {
    // One transaction: another process may be creating the file at this moment.
    let _transaction = if connection.is_autocommit() { Some(connection.unchecked_transaction()?) } else { None };
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: usize = connection
        .pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))?
        .try_into()
        .unwrap_or(usize::MAX);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (id, version) {
        (0, 0) if tables == 0 => Ok(Age::Empty),
        (APPLICATION_ID, version) if version > STEPS.len() => Err(Error::usage(format!(
            "the database has version {version}; this program knows {} and older",
            STEPS.len()
        ))
        .hint("use the newer `reindex` that wrote it, or name another file in the environment")
        .into()),
        (APPLICATION_ID, version) if version < STEPS.len() => Ok(Age::Older),
        (APPLICATION_ID, _) => Ok(Age::Current),
        _ => Err(Error::usage("the database belongs to another program")
            .hint("name another file in the environment; `reindex` writes only to databases of its own")
            .into()),
    }
}

/// Migrates the file, whole or not at all.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    age(&transaction)?;
    let version: usize = transaction
        .pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))?
        .try_into()
        .unwrap_or(usize::MAX);
    for step in STEPS.iter().skip(version) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", u32::try_from(STEPS.len()).unwrap_or(u32::MAX))?;
    Ok(transaction.commit()?)
}

/// Refuses a name that cannot be the start of a SQL table's name, or that is ambiguous.
pub(in crate::backend) fn check_name(what: &str, name: &str) -> Result<()> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let reserved = name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"));
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.chars().all(plain) || reserved {
        let shown: String = name.chars().take(60).collect();
        return Err(Error::usage(format!("{what} cannot be named {shown:?}"))
            .hint("use letters, digits, `_`, `-` and `.`, and do not begin with `.` or `sqlite_`"));
    }
    Ok(())
}

/// A SQL table's name as SQL text. `$` separates the parts: no checked name contains one.
pub(super) fn quoted(name: &str, part: &str) -> String {
    format!("\"{name}${part}\"")
}
