//! One SQLite file: its permissions, one writer, and readers beside it.
//!
//! In write-ahead mode readers never wait for the writer, and the writer never waits for readers. A commit survives the
//! death of the process at once; a power cut may lose the last commits, but always the last ones of all tables
//! together, so that the ledger never lists a document that is gone. A file that does not exist reads as an empty one
//! and is created by the first write.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use super::{
    super::state,
    fault::{Fault, explain},
    schema::{self, Age},
    writer::{self, Job, Opened, Piece},
};
use crate::{
    clock::Clock,
    error::{Error, Kind, Result},
};

/// How long a process waits for another process that writes.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it waits before it retries itself, where SQLite does not wait for the other process.
const PAUSE: Duration = Duration::from_millis(10);

/// How many jobs wait for the writer before callers have to wait.
const WAITING: usize = 64;

/// How many idle connections are kept for readers.
const IDLE_READERS: usize = 8;

/// An open database. Dropping the last handle waits for the writer to end.
pub struct Database {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    read_only: bool,
    readers: Arc<Mutex<Vec<Connection>>>,
    writer: Mutex<Option<Writer>>,
}

struct Writer {
    jobs: mpsc::Sender<Box<dyn Piece>>,
    thread: JoinHandle<()>,
}

impl Database {
    /// Opens a file for reading and writing. An existing one is checked and migrated; a missing one is created by the
    /// first write.
    ///
    /// *Errors*: a file of a newer version, of another program, or that is not a database.
    pub fn open(path: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        let database = Self::new(path.into(), clock, false);
        if database.path.exists() {
            database.jobs()?;
        }
        Ok(Arc::new(database))
    }

    /// Opens a file for reading only: nothing is created, migrated or written.
    ///
    /// *Errors*: also a file of an older version.
    pub fn open_read_only(path: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        let database = Self::new(path.into(), clock, true);
        if database.path.exists() {
            let reader = database.reader()?;
            database.readers.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        }
        Ok(Arc::new(database))
    }

    fn new(path: PathBuf, clock: Arc<dyn Clock>, read_only: bool) -> Self {
        Self { path, clock, read_only, readers: Arc::default(), writer: Mutex::new(None) }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Runs a job in the writer's next transaction and returns its value after the commit. The closure may be called
    /// again after a rollback.
    pub(super) async fn write<T, F>(&self, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let gone =
            || Error::bug("the writer of the database is gone").with("database", self.path.display().to_string());
        let (waiting, answer) = oneshot::channel();
        let job: Box<dyn Piece> = Box::new(Job { closure, value: None, waiting });
        self.jobs()?.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Reads one consistent state of the database.
    pub(super) async fn read<T, F>(self: &Arc<Self>, closure: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let database = self.clone();
        let read = move || {
            let kept = database.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match kept {
                Some(connection) => connection,
                None => database.reader()?,
            };
            let value = connection
                .unchecked_transaction()
                .map_err(Fault::from)
                .and_then(|transaction| closure(&transaction))
                .map_err(|fault| fault.error(&database.path))?;
            database.keep(connection);
            Ok(value)
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| Error::bug("a reader of the database died").because(error))?
    }

    /// Keeps a connection for the next reader. The empty replacement of a missing file is not kept: the file may appear
    /// at any time.
    fn keep(&self, connection: Connection) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE_READERS && connection.path().is_some_and(|path| !path.is_empty()) {
            readers.push(connection);
        }
    }

    fn reader(&self) -> Result<Connection> {
        let explain = |error| explain(error, &self.path);
        if self.path.exists() {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&self.path, flags).map_err(explain)?;
            prepare(&connection).map_err(explain)?;
            match schema::age(&connection).map_err(|fault| fault.error(&self.path))? {
                Age::Current => return Ok(connection),
                Age::Older => return Err(self.too_old()),
                Age::Empty => {}
            }
        }
        let mut empty = Connection::open_in_memory().map_err(explain)?;
        schema::migrate(&mut empty).map_err(|fault| fault.error(&self.path))?;
        Ok(empty)
    }

    fn too_old(&self) -> Error {
        Error::usage("the database is of an older version, and this command may not change it")
            .with("database", self.path.display().to_string())
            .hint("run a command that writes, such as `reindex run`, which brings it up to date")
    }

    /// The channel to the writer, which is started by the first caller.
    fn jobs(&self) -> Result<mpsc::Sender<Box<dyn Piece>>> {
        if self.read_only {
            return Err(Error::bug("a database that was opened for reading only is written to")
                .with("database", self.path.display().to_string()));
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = &*writer {
            return Ok(writer.jobs.clone());
        }
        let begun = self.begin()?;
        let jobs = begun.jobs.clone();
        *writer = Some(begun);
        Ok(jobs)
    }

    fn begin(&self) -> Result<Writer> {
        if let Some(directory) = self.path.parent() {
            state::make(directory).map_err(|error| {
                Error::new(Kind::Unavailable, "the directory of the database cannot be made")
                    .with("directory", directory.display().to_string())
                    .because(error)
            })?;
        }
        let mut connection = Connection::open(&self.path).map_err(|error| explain(error, &self.path))?;
        patiently(|| set_up(&mut connection)).map_err(|fault| fault.error(&self.path))?;
        let (jobs, waiting) = mpsc::channel(WAITING);
        let opened = Opened::new(&self.path);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || writer::run(&connection, waiting, &opened))
            .map_err(|error| {
                Error::new(Kind::Unavailable, "no thread for the database can be started").because(error)
            })?;
        Ok(Writer { jobs, thread })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if let Some(Writer { jobs, thread }) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drop(jobs);
            // A writer that panicked has reported it to every caller that waited.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("path", &self.path).field("read_only", &self.read_only).finish_non_exhaustive()
    }
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Retries while another process holds the file. SQLite itself does not wait if two processes switch a new file to
/// write-ahead mode at once.
fn patiently(mut work: impl FnMut() -> Result<(), Fault>) -> Result<(), Fault> {
    let begun = Instant::now();
    loop {
        match work() {
            Err(fault) if fault.is_busy() && begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
}

/// The version is checked first: a file of another program is not changed.
fn set_up(connection: &mut Connection) -> Result<(), Fault> {
    prepare(connection)?;
    let age = schema::age(connection)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    // 16 MiB: the pages that a batch's documents and words use stay in memory.
    connection.pragma_update(None, "cache_size", -16_384)?;
    if age != Age::Current {
        schema::migrate(connection)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{capability::queue::Message, capability::queue::Queue as _, clock::System};

    fn big(n: u32) -> Message {
        Message { id: n.to_string(), body: "x".repeat(100_000), priority: 0 }
    }

    /// SQLite returns the same error when a file may not grow and when the disk is full.
    #[tokio::test]
    async fn a_full_disk_refuses_what_does_not_fit_and_half_writes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(directory.path().join("x.db"), Arc::new(System)).unwrap();
        let queue = database.queue("q").unwrap();
        let pages = |count: i64| {
            move |connection: &Connection| {
                Ok(connection.query_row(&format!("PRAGMA max_page_count = {count}"), [], |row| row.get::<_, i64>(0))?)
            }
        };
        database.write(pages(200)).await.unwrap();
        queue.send(&[big(0)]).await.unwrap();
        let (many, small) = ((1..20).map(big).collect::<Vec<_>>(), [Message { body: String::new(), ..big(99) }]);
        let (many, small) = tokio::join!(queue.send(&many), queue.send(&small));
        let error = many.unwrap_err();
        assert_eq!((error.kind(), error.message()), (Kind::Unavailable, "the disk is full"));
        assert!(error.hint_text().is_some());
        small.unwrap();
        assert_eq!(queue.depth().await.unwrap().waiting, 2);
        database.write(pages(100_000)).await.unwrap();
        queue.send(&(1..20).map(big).collect::<Vec<_>>()).await.unwrap();
        assert_eq!(queue.depth().await.unwrap().waiting, 21);
    }

    #[tokio::test]
    async fn one_bad_piece_of_a_group_costs_only_itself() {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(directory.path().join("x.db"), Arc::new(System)).unwrap();
        let (begin, begun) = std::sync::mpsc::channel::<()>();
        let hold = database.write(move |_| {
            let _ = begun.recv();
            Ok(())
        });
        let insert = |id: &'static str| {
            database.write(move |connection| {
                connection.execute("INSERT INTO seen_messages VALUES ('q', ?1)", [id])?;
                if id == "bad" { Err(Error::usage("bad").into()) } else { Ok(()) }
            })
        };
        let release = async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            // Dropped with the closure, so that the job can run again without waiting.
            begin.send(()).unwrap();
            drop(begin);
        };
        let (held, first, bad, last, ()) = tokio::join!(hold, insert("first"), insert("bad"), insert("last"), release);
        assert!(held.is_ok() && first.is_ok() && bad.is_err() && last.is_ok());
        let sql = "SELECT group_concat(id) FROM (SELECT id FROM seen_messages ORDER BY id)";
        let ids: String = database.read(move |c| Ok(c.query_row(sql, [], |row| row.get(0))?)).await.unwrap();
        assert_eq!(ids, "first,last");
    }
}
