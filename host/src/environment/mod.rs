//! Environments: which server, account and region each resource that a recipe names is.
//!
//! An environment is a file `environments/<name>.toml`, beside the recipe or above it; `local` needs none.
//! Nothing is opened here: backends are configured by what [`Environment::backend`] answers.

mod find;
mod said;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    backend::{self, sqlite, state},
    document::{self, Document},
    error::{Error, Kind, Result},
};

pub use said::{Aws, schema};

use find::Around;

/// The newest version of the environment format, and the only one so far.
pub const FORMAT: u32 = 1;

/// The environment that needs no file.
pub const LOCAL: &str = "local";

/// What `local` binds a name to that its file, if any, does not: the environment's own SQLite file.
static EMBEDDED: backend::Config = backend::Config::Sqlite(sqlite::Config { file: None, name: None });

/// An environment, checked. Its `Debug` shows nothing that may hold a secret.
#[derive(Clone)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Its file; `local` may have none.
    pub file: Option<PathBuf>,
    /// The directory that relative paths of its backends start from.
    pub dir: PathBuf,
    /// The directory for what it keeps on this machine: ledger, locks, compiled plugins. May not exist yet.
    pub state: PathBuf,
    /// Its own SQLite file: the ledger, unless that is shared, and every SQLite resource that names no file.
    pub database: PathBuf,
    /// Which AWS account and region it is in, as far as its file says.
    pub aws: Aws,
    /// Where workers on several machines share its ledger, if they do.
    pub ledger: Option<backend::LedgerConfig>,
    /// What its file says of each resource, by the recipe's name. May hold secrets.
    pub backends: BTreeMap<String, backend::Config>,
}

impl Environment {
    /// Finds an environment from the directory of a recipe upwards, and checks it.
    ///
    /// The nearest file `environments/<name>.toml` is it. `local` keeps its state in the nearest directory that has
    /// `.reindex` or `environments`. Both are looked for up to the workspace's root, and up to `home` if the recipe is
    /// below that; where `local` has no state yet, it is made in `home`, or beside a recipe that is not below it.
    /// `variables` answers what replaces `${NAME}`. *Errors*: an unknown name, whose hint lists the environments there
    /// are; everything a person can mend in the file, with its line.
    pub fn find(
        recipe_dir: &Path,
        home: &Path,
        name: &str,
        variables: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let around = Around::new(recipe_dir, home);
        match around.file(name) {
            Some(path) => Self::parse(&document::read("environment", &path)?, &path, variables),
            None if name == LOCAL => Ok(Self::local(&around.base())),
            None => Err(around.unknown(name)),
        }
    }

    /// The names of the environments that a recipe in this directory can use, `local` first.
    pub fn list(recipe_dir: &Path) -> Vec<String> {
        Around::new(recipe_dir, recipe_dir).names()
    }

    /// The embedded default, which keeps everything in `.reindex/` in a directory.
    pub fn local(base: &Path) -> Self {
        let state = base.join(state::NAME);
        Self {
            name: LOCAL.to_owned(),
            file: None,
            dir: base.to_owned(),
            database: state.join(DATABASE),
            state,
            aws: Aws::default(),
            ledger: None,
            backends: BTreeMap::new(),
        }
    }

    /// Checks the text of `environments/<name>.toml`. Pure: `path` gives the name and the directories.
    pub fn parse(text: &str, path: &Path, variables: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let (document, mut table) = Document::parse("environment", path, text)?;
        format(&document, table.get_ref())?;
        let schema = schema();
        let shape = document::check(&document, &schema, table.get_ref());
        let replaced = document::substitute(&document, table.get_mut(), variables, |_| Ok(()));
        let secrets = match (shape, replaced) {
            (Ok(()), Ok(secrets)) => secrets,
            (shape, replaced) => return Err(mistakes(shape.err().into_iter().chain(replaced.err()))),
        };
        Ok(Self::meant(document.deserialize(table, &schema, &secrets)?, path))
    }

    fn meant(said: said::Environment, path: &Path) -> Self {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let dir = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut state = dir.parent().unwrap_or(Path::new("")).join(state::NAME);
        if name != LOCAL {
            state.push(&name);
        }
        let (database, ledger) = match said.ledger {
            Some(said::Ledger::Sqlite(ledger)) => (dir.join(ledger.file), None),
            Some(said::Ledger::Dynamodb(ledger)) => (state.join(DATABASE), Some(ledger)),
            None => (state.join(DATABASE), None),
        };
        Self {
            name,
            file: Some(path.to_owned()),
            dir,
            state,
            database,
            ledger,
            aws: said.aws.unwrap_or_default(),
            backends: said.backend,
        }
    }

    /// Whether something in it is on AWS, so that a [`backend::aws::Session`] has to be brought along.
    pub fn calls_aws(&self) -> bool {
        self.ledger.is_some() || backend::call_aws(self.backends.values())
    }

    /// What a resource is. `local` binds every name.
    ///
    /// *Errors*: the name is not bound; the hint is the line to add.
    pub fn backend(&self, name: &str) -> Result<&backend::Config> {
        match self.backends.get(name) {
            Some(config) => Ok(config),
            None if self.name == LOCAL => Ok(&EMBEDDED),
            None => Err(self.unbound(name)),
        }
    }

    fn unbound(&self, name: &str) -> Error {
        let file = self.file.as_deref().unwrap_or(Path::new("")).display().to_string();
        let names: Vec<_> = self.backends.keys().collect();
        let bound = if names.is_empty() { "nothing".to_owned() } else { document::list(&names, "and") };
        let error = Error::new(Kind::Usage, format!("environment `{}` does not say where `{name}` is", self.name))
            .with("environment", file.clone())
            .with("binds", bound);
        match document::nearest(name, self.backends.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`? else add to {file}: [backend.{name}.sqlite]")),
            None => error.hint(format!("add to {file}: [backend.{name}.sqlite]")),
        }
    }
}

/// The name of an environment's own SQLite file.
const DATABASE: &str = "reindex.db";

/// Several mistakes as one error.
fn mistakes(all: impl IntoIterator<Item = Error>) -> Error {
    Error::joined(all).err().unwrap_or_else(|| Error::bug("a mistake got lost"))
}

/// Refuses a format this program does not know, before its keys are looked at.
fn format(document: &Document, table: &DeTable) -> Result<()> {
    if table.contains_key("recipe") && !table.contains_key("environment") {
        return Err(document.error_at_key("recipe", "this is a recipe, not an environment"));
    }
    match table.get("environment").map(Spanned::get_ref) {
        Some(DeValue::Integer(number)) => document.format("environment", &number.to_string(), FORMAT),
        _ => Ok(()),
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("name", &self.name).field("file", &self.file).finish_non_exhaustive()
    }
}
