//! A local stand-in for the library's front door, with its signatures only; the real one replaces this file.

use std::{path::Path, sync::Arc, time::Duration};

use crate::{
    capability::{index::Index, queue::Queue, storage::Table},
    error::{Error, Result},
    event::Events,
    ledger::{self, Counts, Filter, Group},
    record::Form,
};

/// Where the value of a variable comes from.
pub type Variables<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A recipe and its environment.
pub struct Project {
    /// The aliases that the recipe's plugin may write.
    pub indexes: Vec<String>,
}

impl Project {
    /// Opens a recipe.
    pub fn open(_recipe: &Path, _environment: Option<&str>, _variables: &Variables) -> Result<Self> {
        Err(missing())
    }
}

fn missing() -> Error {
    Error::bug("this build has no `run` yet")
}

/// How much of a source to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    Full,
    /// All of it, into a new index.
    Rebuild {
        /// Whether the old index goes.
        drop_old: bool,
    },
    /// These ids.
    Ids(Vec<String>),
    /// The first records.
    Limit(u64),
}

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much.
    pub scope: Scope,
    /// Whether an unfinished run is given up.
    pub fresh: bool,
    /// Whether a source directory is left unbuilt.
    pub no_build: bool,
}

/// How a run ended.
pub struct Summary {
    /// Its id.
    pub run: String,
    /// Whether it finished.
    pub finished: bool,
    /// Whether it went on.
    pub resumed: bool,
    /// Its counts.
    pub counts: Counts,
    /// How long it took.
    pub elapsed: Duration,
    /// What failed.
    pub groups: Vec<Group>,
}

/// Asks a run to stop.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<std::sync::atomic::AtomicBool>);

impl Stop {
    /// Makes a request nobody has made yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Asks.
    pub fn ask(&self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// Runs.
pub async fn run(_project: &Project, _options: Options, _events: Events, _stop: Stop) -> Result<Summary> {
    Err(missing())
}

/// Retries.
pub async fn retry(_project: &Project, _filter: Filter, _events: Events, _stop: Stop) -> Result<Summary> {
    Err(missing())
}

/// How to compare.
#[derive(Debug, Clone, Default)]
pub struct DiffOptions {
    /// Only the first records.
    pub limit: Option<u64>,
    /// Only these ids.
    pub ids: Option<Vec<String>>,
}

/// A document that a run would change.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The recipe's name of the index.
    pub index: String,
    /// The document's id.
    pub id: String,
    /// The document that stands there.
    pub before: Option<String>,
    /// The document a run would put; none if it would delete.
    pub after: Option<String>,
}

/// What a run would do.
#[derive(Debug, Clone)]
pub struct DiffSummary {
    /// What a run would count.
    pub counts: Counts,
    /// Documents that stay as they are.
    pub equal: u64,
    /// Documents that would change.
    pub different: u64,
    /// Whether everything asked for was compared.
    pub finished: bool,
    /// How long it took.
    pub elapsed: Duration,
}

/// Compares.
pub async fn diff(
    _project: &Project,
    _options: DiffOptions,
    _events: Events,
    _stop: Stop,
    _each: impl FnMut(Difference),
) -> Result<DiffSummary> {
    Err(missing())
}

/// What a check found.
pub enum Finding {
    /// As it should be.
    Good(String),
    /// Worth a look.
    Warning(Error),
    /// To be mended.
    Fault(Error),
}

/// Checks.
pub async fn check(_project: &Project, _connect: bool, _probe: bool) -> Result<Vec<Finding>> {
    Err(missing())
}

/// How a recipe's last run stands.
pub struct Status {
    /// The run.
    pub run: ledger::Run,
    /// Its counts.
    pub counts: Counts,
    /// What is not done.
    pub groups: Vec<Group>,
    /// Who works on it now.
    pub running_pid: Option<u32>,
}

/// Looks up the last run.
pub async fn status(_project: &Project) -> Result<Option<Status>> {
    Err(missing())
}

/// The resources of an environment, without a recipe.
pub struct Environment;

impl Environment {
    /// Opens the environment of a directory.
    pub fn open(_directory: &Path, _name: Option<&str>, _variables: &Variables) -> Result<Self> {
        Err(missing())
    }
    /// A table.
    pub async fn table(&self, _name: &str) -> Result<Arc<dyn Table>> {
        Err(missing())
    }
    /// Makes a table, unless it is there.
    pub async fn create_table(&self, _name: &str, _key: &[String], _form: Form) -> Result<Arc<dyn Table>> {
        Err(missing())
    }
    /// A queue.
    pub async fn queue(&self, _name: &str) -> Result<Arc<dyn Queue>> {
        Err(missing())
    }
    /// An index.
    pub async fn index(&self, _name: &str) -> Result<Arc<dyn Index>> {
        Err(missing())
    }
}
