//! A studio to run in: a table of things to be done, buckets, somebody who opens images, and a plugin that does as told.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use reindex::{
    backend::{Backends, Mode, files},
    capability::{
        Resources,
        grant::{Config, Grants, Names},
        image::{About, Answer, Block, Flaw, Header, Images, Origin, Rendered},
        storage::{Bucket, Table, chunks},
    },
    clock::Fixed,
    error::Result,
    event::Events,
    ledger::Ledger,
    pipeline::{Stop, Tally},
    record::{Form, Key, Rendition, Shape, Size, Version},
    run::{Job, Options, Summary, Work},
    sandbox::{Engine, Plugin},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::world::defaults;
use crate::sandbox::build;

/// The time in the studio.
pub const NOW: &str = "2026-11-25T05:30:00Z";

pub struct Studio {
    directory: TempDir,
    backends: Backends,
    plugin: Plugin,
    things: Arc<dyn Table>,
    pub copies: Arc<dyn Table>,
    ledger: Arc<dyn Ledger>,
    /// The buckets by name, to be exchanged by tests.
    pub buckets: BTreeMap<String, Arc<dyn Bucket>>,
}

impl Studio {
    pub async fn new() -> Self {
        static PLUGIN: OnceCell<Plugin> = OnceCell::const_new();
        let load = async || Plugin::load(&Engine::new().unwrap(), "rogue", build::rogue()).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(Fixed(NOW.parse().unwrap()));
        let backends = Backends::new(directory.path(), directory.path(), Mode::ReadWrite, clock);
        let database = backends.database(None).unwrap();
        let id = ["id".to_owned()];
        let things = database.create_table("things", &id, Form::Plain).await.unwrap();
        let copies = database.create_table("copies", &id, Form::DynamodbJson).await.unwrap();
        let bucket = |name: &str| -> (String, Arc<dyn Bucket>) {
            (name.to_owned(), Arc::new(files::Bucket::open(directory.path().join(name))))
        };
        Self {
            buckets: ["files", "requests", "masters", "images"].map(bucket).into(),
            plugin: PLUGIN.get_or_init(load).await.clone(),
            things: Arc::new(things),
            copies: Arc::new(copies),
            ledger: backends.ledger().unwrap(),
            directory,
            backends,
        }
    }

    /// Says what each thing does: its id, and the deed with what it is done with.
    pub async fn ask(&self, deeds: &[(&str, &str)]) {
        let record = |(id, deed): &(&str, &str)| {
            let (deed, with) = deed.split_once(' ').unwrap_or((deed, ""));
            json!({ "id": id, "do": deed, "with": with }).to_string()
        };
        let records: Vec<_> = deeds.iter().map(record).collect();
        for answer in self.things.put_many(&records).await.unwrap() {
            answer.unwrap();
        }
    }

    pub async fn run(&self) -> Summary {
        self.try_run().await.unwrap()
    }

    pub async fn try_run(&self) -> Result<Summary> {
        self.job().run(Options::default(), &Events::ignore(), &Stop::new()).await
    }

    pub async fn compare(&self) -> Tally {
        self.job().diff(Work::Full, &Events::ignore(), &Stop::new(), |_| ()).await.unwrap()
    }

    /// The reason of each id that is not done.
    pub async fn reasons(&self, summary: &Summary) -> BTreeMap<String, String> {
        let rows = self.ledger.rows(&summary.run.id, &Default::default(), None, 1000).await.unwrap();
        rows.into_iter().map(|row| (row.id, format!("{}: {}", row.state.word(), row.reason))).collect()
    }

    fn job(&self) -> Job {
        let recipe = defaults();
        let mut pace = recipe.run;
        pace.attempts = 2;
        let names = |storage: &[&str]| storage.iter().map(|name| (*name).to_owned()).collect();
        let read = Names { storage: names(&["files", "requests"]), image: names(&["masters"]), ..Names::default() };
        let storage = names(&["files", "requests", "images", "copies"]);
        let write = Names { storage, index: names(&["rogues"]), ..Names::default() };
        let mut resources = Resources { images: Some(Arc::new(Camera)), ..Resources::default() };
        resources.buckets = self.buckets.clone();
        resources.tables.insert("copies".to_owned(), self.copies.clone());
        resources.indexes.insert("rogues".to_owned(), self.backends.index("rogues", None).unwrap());
        Job {
            name: "things".into(),
            plugin: self.plugin.clone(),
            settings: "{}".into(),
            grants: Grants::new(&Config { read, write }),
            limits: recipe.limits,
            pace,
            source: self.things.clone(),
            messages: None,
            segments: 1,
            shape: Shape {
                attributes: Vec::new(),
                key: Key::One("id".into()),
                version: Version::None,
                source: Form::Plain,
                wants: Form::Plain,
                max_bytes: 1 << 20,
            },
            definitions: BTreeMap::new(),
            prunes: BTreeMap::new(),
            servers: Default::default(),
            resources,
            ledger: self.ledger.clone(),
            list: None,
            state_directory: Some(self.directory.path().to_owned()),
            identity: BTreeMap::new(),
            clock: Arc::new(Fixed(NOW.parse().unwrap())),
        }
    }
}

/// Takes every object for a picture of 3000 × 1500 pixels, unless its text says what is wrong with it.
struct Camera;

const PICTURE: Size = Size { width: 3000, height: 1500 };

/// The text of an object that is a picture.
async fn picture(origin: &Origin) -> Result<Answer<Bytes>> {
    let Origin::Object { bucket, key, .. } = origin else { return Ok(Err(Flaw::Missing)) };
    let Some((_, content)) = bucket.read(key).await? else { return Ok(Err(Flaw::Missing)) };
    let bytes: Vec<Bytes> = content.try_collect().await?;
    let bytes = Bytes::from(bytes.concat());
    Ok(match &*bytes {
        b"large" => Err(Flaw::Refused("it has 999 bands; raise `max-bands` under `[image]`, which is 16".to_owned())),
        b"broken" => Err(Flaw::Unreadable(format!("the end is missing at {}", bytes.len()))),
        b"hangs" => Err(Flaw::Fatal("it takes longer than `wall` under `[image]` allows (2m)".to_owned())),
        b"replaced" => Err(Flaw::Changed),
        _ => Ok(bytes),
    })
}

#[async_trait]
impl Images for Camera {
    async fn about(&self) -> Result<About> {
        Ok(About::default())
    }

    async fn describe(&self, origin: &Origin) -> Result<Answer<Header>> {
        let Size { width, height } = PICTURE;
        let header = |bytes: Bytes| Header {
            format: "jpeg".to_owned(),
            size: bytes.len() as u64,
            width,
            height,
            pages: 1,
            bands: 3,
            bits: 8,
            colour: "srgb".to_owned(),
            alpha: false,
            orientation: 1,
            profile: None,
        };
        Ok(picture(origin).await?.map(header))
    }

    async fn blocks(&self, _: &Origin, _: u64) -> Result<Answer<Vec<Block>>> {
        Ok(Ok(Vec::new()))
    }

    async fn measure(&self, origin: &Origin, rendition: &Rendition) -> Result<Answer<Size>> {
        Ok(picture(origin).await?.map(|_| rendition.measure(PICTURE, 1)))
    }

    async fn render(&self, origin: &Origin, rendition: &Rendition) -> Result<Answer<Rendered>> {
        Ok(picture(origin).await?.map(|bytes| Rendered {
            picture: PICTURE,
            size: rendition.measure(PICTURE, 1),
            bytes: bytes.len() as u64,
            content: chunks(bytes),
        }))
    }
}
