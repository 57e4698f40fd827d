//! Recipes: what to do, written by a person in TOML. They name resources, never servers.
//!
//! A recipe goes through two steps here: what was said (`said`, keys as written) and what is meant
//! ([`Recipe`], checked). What runs is made elsewhere: nothing here opens a source, a plugin or a backend.

mod bounds;
mod check;
mod defaults;
mod identity;
mod json;
mod meant;
mod said;
mod schedule;
mod schema;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use toml::{Spanned, de::DeTable};

use crate::{
    capability::{Capability, grant, image, storage::ScanOptions},
    document::{self, Document},
    error::{Error, Result},
    pipeline,
    record::{Form, Key, Version},
    sandbox::Limits,
};

pub use defaults::{DEFAULTS, limits as default_limits};
pub use schedule::Schedule;
pub use schema::schema;

/// The newest version of the recipe format, and the only one so far.
pub const FORMAT: u32 = 1;

/// A recipe, checked: what is meant. Its `Debug` shows nothing that may hold a secret.
#[derive(Clone)]
pub struct Recipe {
    /// The file, as it was named by the caller.
    pub path: PathBuf,
    /// The directory of that file; relative paths are already joined to it.
    pub dir: PathBuf,
    /// What the recipe is called in commands and in the ledger.
    pub name: String,
    /// The environment to be used where the caller names none.
    pub default_env: String,
    /// The plugin.
    pub plugin: Plugin,
    /// Where the records come from.
    pub source: Source,
    /// What the plugin may touch.
    pub grant: grant::Config,
    /// Files with index definitions to be used in place of those the plugin describes, by index name.
    pub indexes: BTreeMap<String, PathBuf>,
    /// The indexes from which documents go whose item is gone, by index name.
    pub prunes: BTreeMap<String, Prune>,
    /// When `reindex serve` runs it; none means as soon as there is something to do.
    pub schedule: Option<Schedule>,
    /// How images are opened, and what one may cost.
    pub image: image::Config,
    /// What one call of the plugin may use.
    pub limits: Limits,
    /// How the run is paced.
    pub run: pipeline::Config,
    lines: BTreeMap<String, usize>,
    identity: BTreeMap<String, String>,
}

/// The plugin a recipe names.
#[derive(Clone, PartialEq, Eq)]
pub struct Plugin {
    /// Where it is.
    pub at: PluginAt,
    /// How it reads its items.
    pub items: Form,
    /// What it is handed: the canonical text of one JSON object. May hold secrets.
    pub settings: String,
}

/// Where a plugin is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginAt {
    /// A directory of source, to be built; [`Recipe::plugin_source`] finds and checks it.
    Source(PathBuf),
    /// A compiled component.
    File(PathBuf),
}

/// How documents are removed whose item is gone.
#[derive(Debug, Clone, PartialEq)]
pub struct Prune {
    /// The share of an index's documents that may go at once, from 0 to 1.
    pub max_share: f64,
    /// Which documents are the recipe's own, in the engine's language as JSON text; none means all of them.
    pub query: Option<String>,
}

/// Where records come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Every record of a table.
    Scan {
        /// The recipe's name of the table.
        table: String,
        /// What makes a record's key.
        key: Key,
        /// What makes a record's version.
        version: Version,
        /// Into how many parts the table is cut; 0 means as many as suit the store.
        segments: u32,
        /// What is read of it, and at which pace.
        options: ScanOptions,
    },
    /// The lines of a file, plain or gzip.
    File {
        /// The file.
        path: PathBuf,
        /// What makes a record's key.
        key: Key,
        /// What makes a record's version.
        version: Version,
        /// How the lines are written.
        form: Form,
    },
    /// The messages of a queue.
    Queue {
        /// The recipe's name of the queue.
        queue: String,
        /// The recipe's name of the table whose records the messages name; none if they are the records.
        table: Option<String>,
        /// What makes a record's key.
        key: Key,
        /// What makes a record's version.
        version: Version,
        /// How messages are written that are records.
        form: Form,
        /// How many lines of work take messages; 0 means one per core.
        consumers: u32,
        /// How they are taken.
        consuming: pipeline::Consuming,
    },
    /// Requests to look at an object, each a JSON file.
    Requests {
        /// The recipe's name of the bucket in which they lie.
        bucket: String,
        /// What their keys begin with there.
        prefix: String,
        /// The recipe's name of the bucket whose objects they name.
        objects: String,
        /// What the keys of objects begin with that become requests; none means all.
        prefixes: Vec<String>,
        /// How the names of objects end that become requests; none means any.
        endings: Vec<String>,
        /// What notifies of new objects; none if nothing does.
        intake: Option<Intake>,
        /// How often a service looks for requests that others have put there.
        poll: Duration,
        /// Into how many parts they are divided; 0 means one per core.
        segments: u32,
        /// What makes a request's key: bucket and key of its object.
        key: Key,
        /// Nothing: a request has no version.
        version: Version,
    },
    /// A DynamoDB export.
    Export {
        /// Where its manifests and data are.
        at: ExportAt,
        /// What makes a record's key.
        key: Key,
        /// What makes a record's version.
        version: Version,
    },
}

/// Who tells of new objects of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intake {
    /// The bucket, through the queue of this name.
    Queue(String),
    /// The bucket, which is a folder, is watched.
    Watch,
}

/// Where an export is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportAt {
    /// A directory it was fetched to.
    Directory(PathBuf),
    /// The bucket it was exported to.
    Bucket {
        /// The recipe's name of the bucket.
        bucket: String,
        /// What the keys of its manifests begin with.
        prefix: String,
    },
}

impl Source {
    /// What makes a record's key.
    pub fn key(&self) -> &Key {
        match self {
            Self::Scan { key, .. }
            | Self::File { key, .. }
            | Self::Export { key, .. }
            | Self::Queue { key, .. }
            | Self::Requests { key, .. } => key,
        }
    }

    /// The recipe's name of the queue that is read, be it of messages or of a bucket's events.
    pub fn queue(&self) -> Option<&str> {
        match self {
            Self::Queue { queue, .. } | Self::Requests { intake: Some(Intake::Queue(queue)), .. } => Some(queue),
            _ => None,
        }
    }

    /// The recipe's name of the table that is read, or whose records its messages name.
    pub fn table(&self) -> Option<&str> {
        match self {
            Self::Scan { table, .. } => Some(table),
            Self::Queue { table, .. } => table.as_deref(),
            _ => None,
        }
    }

    /// The attributes that are read, key and version among them; none of them means all.
    pub fn attributes(&self) -> &[String] {
        match self {
            Self::Scan { options, .. } => &options.attributes,
            Self::File { .. } | Self::Export { .. } | Self::Queue { .. } | Self::Requests { .. } => &[],
        }
    }

    /// What makes a record's version.
    pub fn version(&self) -> &Version {
        match self {
            Self::Scan { version, .. }
            | Self::File { version, .. }
            | Self::Export { version, .. }
            | Self::Queue { version, .. }
            | Self::Requests { version, .. } => version,
        }
    }
}

/// A resource that a recipe names, and that an environment has to bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The recipe's name for it.
    pub name: String,
    /// What it is.
    pub capability: Capability,
    /// The first key that names it, such as `grant.read.storage`; see [`Recipe::line_of`].
    pub key: String,
}

impl Recipe {
    /// Reads and checks a recipe.
    ///
    /// `variables` answers what replaces `${NAME}`. *Errors*: [`crate::error::Kind::Usage`] for everything a
    /// person can mend in the file, with its line.
    pub fn load(path: &Path, variables: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        Self::parse(&document::read("recipe", path)?, path, variables)
    }

    /// Checks the text of a recipe. Pure: `path` is only named in errors and joined to relative paths.
    pub fn parse(text: &str, path: &Path, variables: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let (document, table) = Document::parse("recipe", path, text)?;
        check::format(&document, table.get_ref())?;
        check::belongs_here(&document, table.get_ref())?;
        let schema = schema();
        if let Some(mistakes) = mistakes(&document, &schema, table.clone(), variables)? {
            return Err(mistakes);
        }
        let mut table = defaults::over(&table)?;
        // Read once as written, so that identity and errors know variables by name and never by value.
        let as_written = table.clone();
        let secrets = document::substitute(&document, table.get_mut(), variables, check::may_be_variable)?;
        let as_written: said::Recipe = document.deserialize(as_written, &schema, &[])?;
        check::check(&document, &as_written)?;
        let identity = identity::identity(&as_written)?;
        let said: said::Recipe = document.deserialize(table, &schema, &secrets)?;
        meant::meant(&document, said, path, identity)
    }

    /// The line of the recipe that says a key, such as `grant.read.storage` or `grant.read.storage[0]`; none if it
    /// is a default.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        self.lines.get(key).copied()
    }

    /// Where a key stands, for the `recipe` line of an error: `recipes/persons.toml:14`, or the file alone.
    pub fn place_of(&self, key: &str) -> String {
        match self.line_of(key) {
            Some(line) => format!("{}:{line}", self.path.display()),
            None => self.path.display().to_string(),
        }
    }

    /// Every resource the recipe names, by name; each stands for one capability only.
    pub fn resources(&self) -> Vec<Resource> {
        let source = match &self.source {
            Source::Scan { table, .. } => vec![(table, Capability::Storage, "source.scan.table".to_owned())],
            Source::Export { at: ExportAt::Bucket { bucket, .. }, .. } => {
                vec![(bucket, Capability::Storage, "source.export.bucket".to_owned())]
            }
            Source::Queue { queue, table, .. } => {
                let queue = (queue, Capability::Queue, "source.queue.queue".to_owned());
                let table = table.iter().map(|table| (table, Capability::Storage, "source.queue.table".to_owned()));
                [queue].into_iter().chain(table).collect()
            }
            Source::Requests { bucket, objects, intake, .. } => {
                let queue = match intake {
                    Some(Intake::Queue(queue)) => Some((queue, Capability::Queue, "source.requests.queue".to_owned())),
                    _ => None,
                };
                let buckets = [(bucket, "bucket"), (objects, "objects")];
                let buckets = buckets.map(|(name, key)| (name, Capability::Image, format!("source.requests.{key}")));
                buckets.into_iter().chain(queue).collect()
            }
            Source::File { .. } | Source::Export { .. } => Vec::new(),
        };
        let mut resources = BTreeMap::new();
        for (name, capability, key) in source.into_iter().chain(check::granted(&self.grant)) {
            resources.entry(name).or_insert_with(|| Resource { name: name.clone(), capability, key });
        }
        resources.into_values().collect()
    }

    /// What the recipe adds to the identity of a run: `source`, `grants`, `settings`, `items` and `indexes`.
    ///
    /// Variables count by their names, not by their values; paths count as written; `[limits]` and `[run]` do not
    /// count. The bytes of the plugin and of index definitions are the caller's to add.
    pub fn identity(&self) -> &BTreeMap<String, String> {
        &self.identity
    }

    /// The directory of the plugin's source, resolved; none if the recipe names a compiled component.
    ///
    /// *Errors*: the directory does not exist, or lies outside the recipe's workspace: the nearest directory at or
    /// above the recipe that holds `.git`, `Cargo.lock` or `Cargo.toml`, else the recipe's own.
    pub fn plugin_source(&self) -> Result<Option<PathBuf>> {
        let PluginAt::Source(dir) = &self.plugin.at else { return Ok(None) };
        let refuse = |message: &str| Error::usage(message).with("recipe", self.place_of("plugin.source"));
        let found = dir.canonicalize().map_err(|error| {
            refuse("the plugin's source directory cannot be found").because(error).hint(
                "`source` under `[plugin]` is relative to the recipe; for a compiled component write `file` instead",
            )
        })?;
        let root = document::root(&self.dir).unwrap_or_else(|| document::here(&self.dir).to_owned()).canonicalize();
        let root = root.map_err(|error| refuse("the recipe's workspace cannot be found").because(error))?;
        if found.starts_with(&root) {
            return Ok(Some(found));
        }
        Err(refuse("the plugin's source lies outside the recipe's workspace")
            .with("workspace", root.display().to_string())
            .hint("building runs its code outside the sandbox: build it yourself, and name the `.wasm` with `file`"))
    }
}

/// Every mistake of a recipe, joined. What is wrong is taken out and the rest is looked at on.
fn mistakes(
    document: &Document,
    schema: &serde_json::Value,
    mut table: Spanned<DeTable<'_>>,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Error>> {
    let mut found = Vec::new();
    let take_out = |table: &mut Spanned<DeTable<'_>>, error: Error, found: &mut Vec<Error>| {
        let keys: Vec<_> = error.each().filter_map(|error| error.key().map(str::to_owned)).collect();
        document::remove(table.get_mut(), &keys);
        found.push(error);
    };
    if let Err(error) = document::check(document, schema, table.get_ref()) {
        take_out(&mut table, error, &mut found);
    }
    let mut replaced = table.clone();
    if let Err(error) = document::substitute(document, replaced.get_mut(), variables, check::may_be_variable) {
        take_out(&mut table, error, &mut found);
    }
    for _ in 0..MOST_MISTAKES {
        // Something that has to be there was wrong, and is taken out: the rest cannot be put together.
        if !found.is_empty() && document::check(document, schema, table.get_ref()).is_err() {
            break;
        }
        match document.deserialize::<said::Recipe>(defaults::over(&table)?, schema, &[]) {
            Ok(said) => {
                let wrong = check::check(document, &said).err().into_iter().flat_map(Error::parted);
                // What is said of a table whose key was taken out may be only that.
                let is_part = |key: &str, of: &str| key.strip_prefix(of).is_some_and(|rest| rest.starts_with('.'));
                let taken: Vec<_> =
                    found.iter().flat_map(Error::each).filter_map(Error::key).map(str::to_owned).collect();
                found.extend(
                    wrong.filter(|error| error.key().is_none_or(|of| !taken.iter().any(|key| is_part(key, of)))),
                );
                break;
            }
            Err(error) if error.key().is_none_or(|key| !document.has_value(key)) => {
                found.push(error);
                break;
            }
            Err(error) => take_out(&mut table, error, &mut found),
        }
    }
    Ok(Error::joined(found).err())
}

/// So many values that cannot be read are named at once.
const MOST_MISTAKES: usize = 100;

impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipe").field("path", &self.path).field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("items", &self.items).finish_non_exhaustive()
    }
}
