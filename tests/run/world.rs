//! A small world to run in: a table of persons, an index and a ledger, all real, in a directory of its own.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use reindex::{
    backend::{Backends, Mode},
    capability::{
        Resources,
        grant::{self, Grants},
        index::{Index, Stamp, Write, Written},
        queue::Queue,
        storage::{Scan, Table},
    },
    clock::System,
    ledger::{Filter, Ledger, list::List},
    pipeline::{Consuming, Messages},
    recipe::Recipe,
    record::{Form, Key, Shape, Version},
    run::Job,
    sandbox::{Engine, Plugin},
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{
    dealt::Dealt,
    faulty::{Faulty, Fuse},
};
use crate::plugins;

/// How many persons there are.
pub const RECORDS: usize = 60;

/// How many of them lack what the mapping requires.
pub const INVALID: usize = 4;

/// How long the lease of a shared world's worker lasts, unless a test says otherwise.
const LEASE: Duration = Duration::from_millis(300);

/// The id of a person.
pub fn id(number: usize) -> String {
    format!("p-{number:03}")
}

/// What a run leaves behind.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    documents: BTreeMap<String, (Option<u64>, String)>,
    rows: BTreeMap<String, (u32, String, u32)>,
    counts: reindex::ledger::Counts,
}

impl State {
    pub fn documents(&self) -> BTreeMap<String, (Option<u64>, String)> {
        self.documents.clone()
    }

    /// Whether it is another's state, but for messages that were delivered or tried more than once.
    pub fn assert_equals_but_repeats(&self, other: &Self) {
        let reasons = |state: &Self| -> Vec<_> {
            state.rows.iter().map(|(id, (state, reason, _))| (id.clone(), *state, reason.clone())).collect()
        };
        assert_eq!(self.documents, other.documents);
        assert_eq!(reasons(self), reasons(other));
        assert!(self.counts.add_up() && self.counts.read >= other.counts.read, "{:?}", self.counts);
    }
}

pub struct World {
    directory: TempDir,
    plugin: Plugin,
    table: Arc<dyn Table>,
    pub index: Arc<dyn Index>,
    ledger: Arc<dyn Ledger>,
    shared: bool,
}

impl World {
    pub async fn new() -> Self {
        static PLUGIN: OnceCell<Plugin> = OnceCell::const_new();
        let load = async || {
            let engine = Engine::new().unwrap();
            Plugin::load(&engine, "persons", &plugins::component("persons")).await.unwrap()
        };
        let directory = tempfile::tempdir().unwrap();
        let backends = Backends::new(directory.path(), directory.path(), Mode::ReadWrite, Arc::new(System));
        let database = backends.database(None).unwrap();
        let table = database.create_table("people", &["id".to_owned()], Form::Plain).await.unwrap();
        let world = Self {
            directory,
            plugin: PLUGIN.get_or_init(load).await.clone(),
            table: Arc::new(table),
            index: backends.index("persons", None).unwrap(),
            ledger: backends.ledger().unwrap(),
            shared: false,
        };
        for number in 0..RECORDS {
            world.put(&record(number)).await;
        }
        world
    }

    /// A world whose ledger several workers share.
    pub async fn shared() -> Self {
        Self { shared: true, ..Self::new().await }
    }

    pub async fn put(&self, record: &str) {
        self.table.put_many(&[record.to_owned()]).await.unwrap().pop().unwrap().unwrap();
    }

    /// Writes a document past every run.
    pub async fn write(&self, write: &Write) {
        let concrete = self.alias().await.unwrap();
        assert_eq!(self.index.write(&concrete, vec![write.clone()]).await.unwrap(), [Written::Done]);
    }

    /// Lets the alias name another, empty index of this definition.
    pub async fn exchange(&self, definition: &str) {
        let stamp = Stamp { version: "versionNumber".into() };
        self.index.create("persons_another", definition, &stamp).await.unwrap();
        crate::contract::index::point(&*self.index, "persons_another").await;
    }

    /// Makes every record valid.
    pub async fn mend(&self) {
        for number in 0..RECORDS {
            self.put(&valid(number)).await;
        }
    }

    pub fn job(&self) -> Job {
        self.faulty_job(&Fuse::default())
    }

    pub fn faulty_job(&self, fuse: &Fuse) -> Job {
        let index = Faulty { inner: self.index.clone(), fuse: fuse.clone(), shared: false };
        let mut resources = Resources::default();
        resources.indexes.insert("persons".into(), Arc::new(index));
        let names = grant::Names { index: vec!["persons".into()], ..Default::default() };
        let recipe = defaults();
        let mut pace = recipe.run;
        (pace.batch_records, pace.attempts) = (10, 1);
        if self.shared {
            (pace.lease, pace.segments_at_once) = (LEASE, 1);
        }
        let table: Arc<dyn Scan> = self.table.clone();
        let source = if self.shared { Arc::new(Dealt(table)) } else { table };
        Job {
            name: "persons".into(),
            plugin: self.plugin.clone(),
            settings: "{}".into(),
            grants: Grants::new(&grant::Config { write: names, ..Default::default() }),
            limits: recipe.limits,
            pace,
            source: Arc::new(Faulty { inner: source, fuse: fuse.clone(), shared: false }),
            messages: None,
            segments: if self.shared { 4 } else { 2 },
            shape: Shape {
                attributes: Vec::new(),
                key: Key::One("id".into()),
                version: Version::Attribute("versionNumber".into()),
                source: Form::Plain,
                wants: Form::Plain,
                max_bytes: 1 << 20,
            },
            definitions: BTreeMap::new(),
            prunes: BTreeMap::new(),
            servers: Default::default(),
            resources,
            ledger: Arc::new(Faulty { inner: self.ledger.clone(), fuse: fuse.clone(), shared: self.shared }),
            list: None,
            state_directory: Some(self.directory.path().to_owned()),
            identity: BTreeMap::new(),
            clock: Arc::new(System),
        }
    }

    /// A job that takes messages; each names a person of the table, or is one.
    pub fn consuming_job(&self, queue: Arc<dyn Queue>, named: bool, fuse: &Fuse) -> Job {
        let (lease, idle) = (Duration::from_secs(2), Duration::from_millis(100));
        let consuming = Consuming { lease, idle, max_deliveries: 3 };
        let queue = Arc::new(Faulty { inner: queue, fuse: fuse.clone(), shared: false });
        let table = named.then(|| self.table.clone());
        let messages = Arc::new(Messages::new("work", queue, table, Form::Plain, consuming));
        Job { source: messages.clone(), messages: Some(messages), ..self.faulty_job(fuse) }
    }

    /// A job with a list of ids.
    pub fn listed_job(&self, fuse: &Fuse) -> Job {
        let list = Arc::new(Faulty { inner: self.list(), fuse: fuse.clone(), shared: false });
        Job { list: Some(list), ..self.faulty_job(fuse) }
    }

    /// A list of ids beside the table.
    pub fn list(&self) -> Arc<dyn List> {
        let directory = self.directory.path();
        Backends::new(directory, directory, Mode::ReadWrite, Arc::new(System)).list("persons").unwrap()
    }

    /// A queue beside the table.
    pub fn queue(&self) -> Arc<dyn Queue> {
        let directory = self.directory.path();
        Backends::new(directory, directory, Mode::ReadWrite, Arc::new(System)).queue("work", None).unwrap()
    }

    /// The concrete index the alias names.
    pub async fn alias(&self) -> Option<String> {
        self.index.current().await.unwrap().map(|current| current.name)
    }

    /// Does something to the database past every backend.
    pub fn sql(&self, statement: &str) {
        rusqlite::Connection::open(self.directory.path().join("reindex.db")).unwrap().execute_batch(statement).unwrap();
    }

    /// How many concrete indexes the database holds.
    pub fn indexes(&self) -> u32 {
        self.count("SELECT count(*) FROM indexes")
    }

    /// The number that a query of the database answers.
    pub fn count(&self, query: &str) -> u32 {
        let database = rusqlite::Connection::open(self.directory.path().join("reindex.db")).unwrap();
        database.query_row(query, (), |row| row.get(0)).unwrap()
    }

    /// Every document a searcher finds.
    pub async fn documents(&self) -> BTreeMap<String, (Option<u64>, String)> {
        let (_, found) = self.index.search("", 10_000).await.unwrap();
        found.into_iter().map(|document| (document.id, (document.version, document.body))).collect()
    }

    /// What a run left behind, without times.
    pub async fn state(&self, run: &str) -> State {
        let rows = self.ledger.rows(run, &Filter::default(), None, 10_000).await.unwrap();
        let run = self.ledger.find(run).await.unwrap().unwrap();
        State {
            documents: self.documents().await,
            rows: rows.into_iter().map(|row| (row.id, (row.state.number(), row.reason, row.attempts))).collect(),
            counts: reindex::pipeline::counts(&*self.ledger, &run).await.unwrap(),
        }
    }
}

pub fn record(number: usize) -> String {
    // A tenure without an id makes a person invalid.
    if number % (RECORDS / INVALID) == 7 {
        return valid(number).replace(r#""tenures":[]"#, r#""tenures":[{"uprn":"1"}]"#);
    }
    valid(number)
}

fn valid(number: usize) -> String {
    format!(r#"{{"id":"{}","versionNumber":{number},"firstName":"Ada {number}","tenures":[]}}"#, id(number))
}

pub fn defaults() -> Recipe {
    let text = "recipe = 1\n[plugin]\nfile = \"x.wasm\"\n[source.file]\npath = \"x\"\nkey = \"id\"\nversion = \"none\"\n[grant.write]\nindex = [\"persons\"]\n";
    Recipe::parse(text, "persons.toml".as_ref(), &|_| None).unwrap()
}
