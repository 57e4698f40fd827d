//! Rogue plugins: each limit bites, and costs only the record that passed it.

pub mod build;
mod grants;
mod languages;
mod limits;
mod loading;
mod room;
mod stores;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytesize::ByteSize;
use reindex::{
    capability::{
        Resources,
        grant::{Config, Grants, Names},
    },
    event::{Event, Events},
    record::{Effect, Item, Outcome},
    sandbox::{Answer, Context, Engine, Failure, Limits, Mapper, Plugin},
};

/// A rogue at work, and everything that was said meanwhile.
struct Rogue {
    mapper: Mapper,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Rogue {
    /// Starts the rogue in a room that a test has changed.
    async fn start(change: impl FnOnce(&mut Context)) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let listener = Arc::clone(&events);
        let mut room = room(Events::new(move |event| listener.lock().expect("a listener").push(event)));
        change(&mut room);
        Self { mapper: rogue().await.start(room), events }
    }

    /// Maps items that are to do these deeds. The id of an item is its place.
    async fn map(&self, deeds: &[&str]) -> Vec<Answer> {
        self.mapper.transform(&items(deeds)).await.expect("the plugin counts as broken")
    }

    /// Maps one item and gives back what it said in words.
    async fn says(&self, deed: &str) -> String {
        match self.map(&[deed]).await.remove(0) {
            Ok(Outcome::Skip(text)) => text,
            other => panic!("{deed}: {other:?}"),
        }
    }

    /// Maps one item and gives back its failure.
    async fn fails(&self, deed: &str) -> Failure {
        self.map(&[deed]).await.remove(0).expect_err(deed)
    }

    fn events(&self) -> Vec<Event> {
        self.events.lock().expect("a listener").clone()
    }
}

/// The engine and the plugin, compiled once for all tests.
async fn rogue() -> Plugin {
    static ROGUE: tokio::sync::OnceCell<(Engine, Plugin)> = tokio::sync::OnceCell::const_new();
    let load = async || {
        let engine = Engine::new().expect("an engine");
        let plugin = Plugin::load(&engine, "rogue", build::rogue()).await.expect("the rogue loads");
        (engine, plugin)
    };
    ROGUE.get_or_init(load).await.1.clone()
}

fn room(events: Events) -> Context {
    Context {
        limits: limits(),
        grants: Grants::new(&Config {
            read: Names {
                storage: vec!["people".into(), "images".into(), "missing".into()],
                queue: vec!["work".into()],
                image: vec!["masters".into()],
                ..Names::default()
            },
            write: Names {
                storage: vec!["people".into(), "images".into()],
                index: vec!["rogues".into()],
                ..Names::default()
            },
        }),
        resources: Resources::default(),
        settings: "{}".to_owned(),
        now: "2026-01-02T03:04:05Z".parse().expect("a time"),
        seed: 1,
        events,
        instances: 2,
    }
}

fn limits() -> Limits {
    Limits {
        cpu: Duration::from_secs(2),
        cpu_per_record: Duration::from_millis(10),
        wall: Duration::from_secs(20),
        memory: ByteSize::mib(64),
        host_memory: ByteSize::mib(8),
        output: ByteSize::mib(4),
        item: ByteSize::mib(1),
        poison_in_a_row: 20,
    }
}

fn items(deeds: &[&str]) -> Vec<Item> {
    let item = |(place, deed): (usize, &&str)| {
        let (deed, with) = deed.split_once(' ').unwrap_or((deed, ""));
        let body = serde_json::json!({ "do": deed, "with": with }).to_string();
        Item { id: place.to_string(), version: Some(1), body }
    };
    deeds.iter().enumerate().map(item).collect()
}

/// Many good items, with some deeds among them by place.
fn among_good<'a>(count: usize, deeds: &[(usize, &'a str)]) -> Vec<&'a str> {
    let mut all = vec!["good"; count];
    for (place, deed) in deeds {
        all[*place] = deed;
    }
    all
}

/// Whether an answer is the document of the item at this place.
fn is_good(answer: &Answer, place: usize) -> bool {
    matches!(answer, Ok(Outcome::Effects(effects))
        if matches!(effects.as_slice(), [Effect::PutDocument { id, .. }] if *id == place.to_string()))
}

/// Asserts that every item is good but those at these places, and gives back their failures.
fn only_these_fail(answers: &[Answer], places: &[usize]) -> Vec<Failure> {
    for (place, answer) in answers.iter().enumerate() {
        assert_eq!(is_good(answer, place), !places.contains(&place), "item {place}: {answer:?}");
    }
    places.iter().map(|place| answers[*place].clone().expect_err("a failure")).collect()
}
