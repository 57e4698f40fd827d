//! The loop to compare with: finished documents into the same SQLite tables and full-text index, and nothing else.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::Path,
};

use rusqlite::{Connection, params};

/// How many documents one transaction takes: as many as a batch of a run.
const BATCH: usize = 500;

/// A document with everything that is stored of it.
pub struct Finished {
    pub id: String,
    pub version: i64,
    pub body: String,
    /// The searchable text, one value a line.
    pub words: String,
}

/// Copies the index that a run filled into a file of finished documents.
pub fn finish(database: &Path, file: &Path) {
    let connection = Connection::open(database).unwrap();
    let name: String = connection.query_row("SELECT name FROM aliases", (), |row| row.get(0)).unwrap();
    let sql = format!("SELECT id, version, body FROM \"{name}$documents\" ORDER BY number");
    let mut statement = connection.prepare(&sql).unwrap();
    let mut rows = statement.query(()).unwrap();
    let mut out = BufWriter::new(File::create(file).unwrap());
    while let Some(row) = rows.next().unwrap() {
        let body: String = row.get(2).unwrap();
        let mut text = String::new();
        words(&serde_json::from_str(&body).unwrap(), &mut text);
        let version: i64 = row.get(1).unwrap();
        for part in [row.get::<_, String>(0).unwrap(), version.to_string(), body, text] {
            out.write_all(&u32::try_from(part.len()).unwrap().to_le_bytes()).unwrap();
            out.write_all(part.as_bytes()).unwrap();
        }
    }
    out.flush().unwrap();
}

/// Inserts the documents of a file into a new database, made like the backend makes its own.
pub fn insert(database: &Path, documents: &Path) {
    let connection = Connection::open(database).unwrap();
    for (name, value) in [("journal_mode", "wal"), ("synchronous", "normal"), ("cache_size", "-16384")] {
        connection.pragma_update(None, name, value).unwrap();
    }
    connection
        .execute_batch(
            "CREATE TABLE documents (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER, body TEXT) STRICT;
             CREATE VIRTUAL TABLE search USING fts5(words, content='', contentless_delete=1,
                 tokenize='unicode61 remove_diacritics 2');",
        )
        .unwrap();
    let mut documents = BufReader::with_capacity(1 << 20, File::open(documents).unwrap());
    let mut next = read(&mut documents);
    while next.is_some() {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..BATCH {
            let Some(Finished { id, version, body, words }) = next else { break };
            let sql = "INSERT INTO documents (id, version, body) VALUES (?1, ?2, ?3)";
            connection.prepare_cached(sql).unwrap().execute(params![id, version, body]).unwrap();
            let sql = "INSERT INTO search (rowid, words) VALUES (?1, ?2)";
            let number = connection.last_insert_rowid();
            connection.prepare_cached(sql).unwrap().execute(params![number, words]).unwrap();
            next = read(&mut documents);
        }
        connection.execute_batch("COMMIT").unwrap();
    }
}

fn read(file: &mut impl Read) -> Option<Finished> {
    let mut part = || {
        let mut length = [0; 4];
        file.read_exact(&mut length).ok()?;
        let mut text = vec![0; u32::from_le_bytes(length) as usize];
        file.read_exact(&mut text).ok()?;
        String::from_utf8(text).ok()
    };
    Some(Finished { id: part()?, version: part()?.parse().ok()?, body: part()?, words: part()? })
}

fn words(value: &serde_json::Value, out: &mut String) {
    match value {
        serde_json::Value::String(text) if !text.is_empty() => out.push_str(&format!("{text}\n")),
        serde_json::Value::Number(number) => out.push_str(&format!("{number}\n")),
        serde_json::Value::Array(values) => values.iter().for_each(|value| words(value, out)),
        serde_json::Value::Object(fields) => fields.values().for_each(|value| words(value, out)),
        _ => {}
    }
}
