//! The backends. `config.rs` lists them, and this file opens them; no other module names one.
//!
//! An environment sets the backend of each named resource ([`Config`]); [`Backends`] opens them. Every other resource
//! is local: tables, queues, indexes and the ledger in one SQLite file, objects in a directory beside it. Nothing is
//! created on the disk before the first write.

#[cfg_attr(not(feature = "aws"), path = "aws/absent.rs")]
pub mod aws;
mod config;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "elasticsearch")]
pub mod elasticsearch;
pub mod export;
pub mod files;
pub(crate) mod lines;
#[cfg(feature = "nats")]
pub mod nats;
pub mod permission;
#[cfg(any(feature = "aws", feature = "nats"))]
mod reply;
#[cfg(feature = "s3")]
pub mod s3;
pub mod scratch;
mod secret;
pub mod sqlite;
#[cfg(feature = "sqs")]
pub mod sqs;
pub mod state;
pub mod vips;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf, absolute},
    sync::{Arc, Mutex, PoisonError},
};

pub use config::{Absent, Config, LedgerConfig, call_aws};
pub use secret::Secret;

use crate::{
    capability::{
        image::{self, Images},
        index::Index,
        queue::Queue,
        storage::{Bucket, Scan, ScanOptions, Table, Watch},
    },
    clock::Clock,
    error::{Error, Result},
    event::Events,
    ledger::{Ledger, list::List},
    record::Form,
};

/// The access to opened resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Reading only: a dry run, or a command that shows something.
    ReadOnly,
    /// Everything.
    ReadWrite,
}

/// Opens the resources of one environment. Each database file is opened once, for all resources in it.
pub struct Backends {
    beside: PathBuf,
    state: PathBuf,
    own: PathBuf,
    mode: Mode,
    clock: Arc<dyn Clock>,
    session: Option<aws::Session>,
    ledger: Option<LedgerConfig>,
    databases: Mutex<BTreeMap<PathBuf, Arc<sqlite::Database>>>,
    decoder: Option<Program>,
}

/// The program that decodes images, in processes of its own: `reindex-image-worker`, which a build with the feature
/// `vips` puts beside `reindex`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its file.
    pub file: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl Backends {
    /// Opens nothing yet.
    ///
    /// *Shape*: configured paths are relative to `beside`, the environment's own directory; resources without a
    /// configuration are in `state` (`.reindex`).
    pub fn new(beside: impl Into<PathBuf>, state: impl Into<PathBuf>, mode: Mode, clock: Arc<dyn Clock>) -> Self {
        let state = state.into();
        let own = state.join("reindex.db");
        let (session, ledger, databases, decoder) = (None, None, Mutex::default(), None);
        Self { beside: beside.into(), state, own, mode, clock, session, ledger, databases, decoder }
    }

    /// Keeps the ledger, and every resource that names no file, in this database instead of `state`'s own.
    #[must_use]
    pub fn with_database(self, own: impl Into<PathBuf>) -> Self {
        Self { own: own.into(), ..self }
    }

    /// Keeps the ledger in this table instead of in its own database.
    #[must_use]
    pub fn with_ledger(self, ledger: Option<LedgerConfig>) -> Self {
        Self { ledger, ..self }
    }

    /// Uses this session for AWS.
    #[must_use]
    pub fn with_aws(self, session: aws::Session) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Decodes images with this program.
    #[must_use]
    pub fn with_decoder(self, program: Program) -> Self {
        Self { decoder: Some(program), ..self }
    }

    /// Opens the table of this name.
    pub fn table(&self, name: &str, config: Option<&Config>) -> Result<Arc<dyn Table>> {
        #[cfg(feature = "dynamodb")]
        if let Some(Config::Dynamodb(config)) = config {
            return Ok(Arc::new(dynamodb::Table::open(name, config, self.called_by()?)));
        }
        let (database, name) = self.sqlite("a table", name, config)?;
        Ok(Arc::new(database.table(&name)?))
    }

    /// Opens the table of this name to be scanned with these options.
    #[cfg_attr(not(feature = "dynamodb"), expect(unused_variables, reason = "no other table has options"))]
    pub fn scan(&self, name: &str, config: Option<&Config>, options: &ScanOptions) -> Result<Arc<dyn Scan>> {
        #[cfg(feature = "dynamodb")]
        if let Some(Config::Dynamodb(config)) = config {
            let table = dynamodb::Table::open(name, config, self.called_by()?);
            return Ok(Arc::new(table.with_options(options.clone())));
        }
        Ok(self.table(name, config)?)
    }

    /// The form of a table's records; makes no request.
    pub async fn form(&self, name: &str, config: Option<&Config>) -> Result<Form> {
        match config {
            Some(Config::Dynamodb(_)) => Ok(Form::DynamodbJson),
            _ => Ok(self.table(name, config)?.info().await?.form),
        }
    }

    /// Creates the table of this name, unless it exists with the same key and form.
    pub async fn create_table(&self, name: &str, config: Option<&Config>, key: &[String], form: Form) -> Result<()> {
        #[cfg(feature = "dynamodb")]
        if let Some(Config::Dynamodb(config)) = config {
            return dynamodb::Table::open(name, config, self.called_by()?).create(key, form).await;
        }
        let (database, name) = self.sqlite("a table", name, config)?;
        database.create_table(&name, key, form).await.map(drop)
    }

    /// Opens the queue of this name.
    pub fn queue(&self, name: &str, config: Option<&Config>) -> Result<Arc<dyn Queue>> {
        #[cfg(feature = "sqs")]
        if let Some(Config::Sqs(config)) = config {
            return Ok(Arc::new(sqs::Queue::open(name, config, self.called_by()?)?));
        }
        #[cfg(feature = "nats")]
        if let Some(Config::Nats(config)) = config {
            return Ok(Arc::new(nats::Queue::open(name, config, &self.beside)?));
        }
        let (database, name) = self.sqlite("a queue", name, config)?;
        Ok(Arc::new(database.queue(&name)?))
    }

    /// Opens the index behind the alias of this name.
    pub fn index(&self, name: &str, config: Option<&Config>) -> Result<Arc<dyn Index>> {
        #[cfg(feature = "elasticsearch")]
        if let Some((engine, config)) = config.and_then(elasticsearch::of) {
            let session = config.signs().then(|| self.called_by()).transpose()?;
            return Ok(Arc::new(elasticsearch::Index::open(engine, name, config, &self.beside, session)?));
        }
        let (database, name) = self.sqlite("an index", name, config)?;
        Ok(Arc::new(database.index(&name)?))
    }

    /// Opens the bucket of this name.
    pub fn bucket(&self, name: &str, config: Option<&Config>) -> Result<Arc<dyn Bucket>> {
        #[cfg(feature = "s3")]
        if let Some(Config::S3(config)) = config {
            return Ok(Arc::new(s3::Bucket::open(config, self.called_by()?)));
        }
        let directory = self.directory(name, config)?.ok_or_else(|| Error::bug("a bucket lies nowhere"))?;
        Ok(Arc::new(files::Bucket::open(directory)))
    }

    /// The directory of a bucket; none if it is in S3.
    fn directory(&self, name: &str, config: Option<&Config>) -> Result<Option<PathBuf>> {
        match config {
            None => {
                sqlite::check_name("a bucket", name)?;
                Ok(Some(self.state.join("objects").join(name)))
            }
            Some(Config::Files(config)) => Ok(Some(self.beside.join(&config.directory))),
            Some(Config::S3(_)) if cfg!(feature = "s3") => Ok(None),
            Some(other) => Err(unfit("a bucket", name, other)),
        }
    }

    /// Watches the bucket of this name, which is a directory, for a recipe: objects that this recipe acknowledged are
    /// not notified again.
    pub fn watch(&self, name: &str, config: Option<&Config>, recipe: &str, events: &Events) -> Result<Arc<dyn Watch>> {
        let Some(directory) = self.directory(name, config)? else {
            return Err(Error::usage("only a bucket that is a folder can be watched").with("bucket", name).hint(
                "let the bucket tell of new objects through a queue, and name it: `queue` under `[source.requests]`",
            ));
        };
        let acknowledged = self.database(None)?.watched(recipe, name);
        Ok(Arc::new(files::Watch::open(directory, acknowledged, events.clone())))
    }

    /// Opens the image decoder. No process is started yet.
    pub fn images(&self, config: &image::Config) -> Result<Arc<dyn Images>> {
        vips::open(self.decoder.as_ref(), config, self.state.join("scratch"))
    }

    /// Opens the environment's ledger.
    pub fn ledger(&self) -> Result<Arc<dyn Ledger>> {
        let Some(config) = &self.ledger else { return Ok(Arc::new(self.database(None)?.ledger())) };
        #[cfg(feature = "dynamodb")]
        return Ok(Arc::new(dynamodb::Ledger::open(config, self.called_by()?, self.mode)));
        #[cfg(not(feature = "dynamodb"))]
        Err(unfit("a ledger", "ledger", &Config::Dynamodb(*config)))
    }

    /// Opens a recipe's list of ids, which is kept where the ledger is.
    pub fn list(&self, recipe: &str) -> Result<Arc<dyn List>> {
        let Some(config) = &self.ledger else { return Ok(Arc::new(self.database(None)?.list(recipe))) };
        #[cfg(feature = "dynamodb")]
        return Ok(Arc::new(dynamodb::List::open(config, recipe, self.called_by()?, self.mode)));
        #[cfg(not(feature = "dynamodb"))]
        Err(unfit("a list of ids", "ledger", &Config::Dynamodb(*config)))
    }

    /// Opens a database file, or the environment's own.
    pub fn database(&self, file: Option<&Path>) -> Result<Arc<sqlite::Database>> {
        let path = file.map_or_else(|| self.own.clone(), |file| self.beside.join(file));
        let path = absolute(&path).map_err(|error| {
            Error::usage("the path of a database means nothing here")
                .with("path", path.display().to_string())
                .because(error)
        })?;
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = databases.get(&path) {
            return Ok(database.clone());
        }
        let database = match self.mode {
            Mode::ReadOnly => sqlite::Database::open_read_only(&path, self.clock.clone())?,
            Mode::ReadWrite => sqlite::Database::open(&path, self.clock.clone())?,
        };
        databases.insert(path, database.clone());
        Ok(database)
    }

    /// The AWS session, if one was provided.
    pub fn session(&self) -> Option<&aws::Session> {
        self.session.as_ref()
    }

    #[cfg(feature = "aws")]
    fn called_by(&self) -> Result<&aws::Session> {
        self.session.as_ref().ok_or_else(|| {
            Error::usage("this needs AWS, and nobody said who calls it")
                .hint("an embedder gives `Backends` a session by `with_aws`")
        })
    }

    /// The database that a resource is in, and its name there.
    fn sqlite(&self, what: &str, name: &str, config: Option<&Config>) -> Result<(Arc<sqlite::Database>, String)> {
        match config {
            None => Ok((self.database(None)?, name.to_owned())),
            Some(Config::Sqlite(config)) => {
                let name = config.name.as_deref().unwrap_or(name);
                Ok((self.database(config.file.as_deref())?, name.to_owned()))
            }
            Some(other) => Err(unfit(what, name, other)),
        }
    }
}

impl std::fmt::Debug for Backends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backends").field("state", &self.state).field("mode", &self.mode).finish_non_exhaustive()
    }
}

fn unfit(what: &str, name: &str, config: &Config) -> Error {
    let kind = config.word();
    let error = match config.serves() {
        [] => Error::usage(format!("this build of reindex does not contain the backend `{kind}`")).hint(format!(
            "build it with `--features {}`, or use `sqlite` for tables, queues and indexes and `files` for buckets",
            if kind == "opensearch" { "elasticsearch" } else { kind }
        )),
        serves => Error::usage(format!("the backend `{kind}` serves {}, not {what}", serves.join(" and ")))
            .hint(format!("use `{}` instead", if what == "a bucket" { "files" } else { "sqlite" })),
    };
    error.with("resource", format!("backend.{name}.{kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::System;

    fn parse(text: &str) -> Config {
        toml::from_str(text).unwrap()
    }

    fn backends(directory: &Path) -> Backends {
        Backends::new(directory, directory.join(".reindex"), Mode::ReadWrite, Arc::new(System))
    }

    #[cfg(not(feature = "dynamodb"))]
    #[test]
    fn a_backend_that_is_not_in_this_build_says_so_and_keeps_nothing_it_was_told() {
        let config = parse("[dynamodb]\ntable = 'People'\nsecret = 'hush'");
        assert!(!format!("{config:?}").contains("hush"));
        let directory = tempfile::tempdir().unwrap();
        let error = backends(directory.path()).table("people", Some(&config)).err().unwrap();
        assert!(error.message().contains("does not contain the backend `dynamodb`"), "{error:?}");
    }

    #[test]
    fn a_backend_that_cannot_do_it_names_one_that_can() {
        let directory = tempfile::tempdir().unwrap();
        let backends = backends(directory.path());
        let error = backends.table("people", Some(&parse("[files]\ndirectory = 'x'"))).err().unwrap();
        assert!(error.report().ends_with("hint: use `sqlite` instead"), "{error:?}");
        assert!(backends.bucket("images", Some(&parse("[sqlite]"))).is_err());
    }

    #[test]
    fn opening_makes_nothing_on_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let backends = backends(directory.path());
        backends.table("a", None).unwrap();
        backends.queue("b", None).unwrap();
        backends.index("c", Some(&parse("[sqlite]\nfile = 'other/x.db'"))).unwrap();
        backends.bucket("d", None).unwrap();
        backends.ledger().unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        assert!(backends.bucket("../x", None).is_err());
    }
}
