//! A shop full of things to run over, and everything that a run leaves behind in it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use reindex::{
    backend::{Backends, Mode},
    clock::System,
    ledger::Filter,
};
use serde_json::{Value, json};

use crate::place::Place;

/// How many things there are, and every how many one is invalid.
pub const THINGS: usize = 300;
pub const INVALID_EVERY: usize = 20;
/// Every how many one has an effect of every kind; the others are documents only, since objects are slow to store.
const EVERYTHING_EVERY: usize = 7;
/// Every how many one was asked for, and stores an object under a condition.
pub const CLAIM_EVERY: usize = 11;
/// The claim that was asked for again meanwhile.
const ASKED_AGAIN: usize = 3 * CLAIM_EVERY;

/// A row of the ledger: id, state, reason, attempts.
type Row = (String, u32, String, u32);

/// Everything a run leaves behind, in a form in which two runs can be compared.
#[derive(Debug, PartialEq)]
pub struct Left {
    pub documents: BTreeMap<String, String>,
    pub objects: BTreeMap<String, String>,
    pub requests: BTreeMap<String, String>,
    pub copies: Vec<Option<String>>,
    pub messages: Vec<String>,
    pub counts: Value,
    pub rows: Vec<Row>,
}

impl Left {
    /// A retry that was killed may have tried once more.
    pub fn without_attempts(mut self) -> Self {
        self.rows.iter_mut().for_each(|row| row.3 = 0);
        self
    }

    /// Which parts differ, in few words: whole parts would fill screens.
    pub fn differs_from(&self, other: &Self) -> Vec<String> {
        let parts = |left: &Self| {
            [
                ("documents", format!("{:?}", left.documents), left.documents.len()),
                ("objects", format!("{:?}", left.objects), left.objects.len()),
                ("requests", format!("{:?}", left.requests), left.requests.len()),
                ("copies", format!("{:?}", left.copies), left.copies.iter().flatten().count()),
                ("messages", format!("{:?}", left.messages), left.messages.len()),
                ("counts", left.counts.to_string(), 1),
                ("rows", format!("{:?}", left.rows), left.rows.len()),
            ]
        };
        let pairs = parts(self).into_iter().zip(parts(other)).filter(|(mine, others)| mine != others);
        pairs.map(|(mine, others)| format!("{}: {} here, {} there", mine.0, mine.2, others.2)).collect()
    }
}

/// A place with the things loaded, before any run.
pub fn shop() -> Place {
    let place = Place::with_rogue();
    place.write("things.toml", include_str!("recipe.toml"));
    place.write("environments/shop.toml", include_str!("environment.toml"));
    place.reindex_with("load people - --env shop", "{\"id\":\"p\"}\n").exits(0);
    place.reindex_with("load copies - --env shop", "{\"id\":\"first\"}\n").exits(0);
    for n in (0..THINGS).filter(|n| deed(*n) == "claim") {
        place.write(&format!("requests/{}", id(n)), id(n));
    }
    load(&place, 1, deed);
    place
}

/// What a thing does.
pub fn deed(n: usize) -> &'static str {
    match n {
        n if n.is_multiple_of(INVALID_EVERY) => "mischief",
        n if n.is_multiple_of(EVERYTHING_EVERY) => "everything",
        n if n.is_multiple_of(CLAIM_EVERY) => "claim",
        _ => "good",
    }
}

/// Loads every thing in a version, with what is to be done with it.
pub fn load(place: &Place, version: u32, deed: impl Fn(usize) -> &'static str) {
    let seen = |n: usize| if n == ASKED_AGAIN { "what was there before" } else { "" };
    let line = |n: usize| json!({ "id": id(n), "v": version, "do": deed(n), "with": seen(n) }).to_string() + "\n";
    place.reindex_with("load things - --env shop", &(0..THINGS).map(line).collect::<String>()).exits(0);
}

/// What searchers see.
pub fn documents(place: &Place) -> BTreeMap<String, String> {
    place.documents("rogues", "--env shop")
}

/// Looks at everything.
pub fn left(place: &Place) -> Left {
    let status = place.reindex("status things --json").exits(0).json();
    let (copies, rows) = stored(place, status["run"]["id"].as_str().unwrap());
    Left {
        documents: documents(place),
        objects: objects(&place.path("files")),
        requests: objects(&place.path("requests")),
        copies,
        messages: messages(place),
        counts: status["counts"].clone(),
        rows,
    }
}

fn objects(directory: &Path) -> BTreeMap<String, String> {
    // A directory in it is where the bucket keeps what is not yet whole.
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file());
    let named =
        |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap());
    files.map(named).collect()
}

fn messages(place: &Place) -> Vec<String> {
    let lines = place.reindex("queue peek work --env shop --json --limit 10000").exits(0).out;
    let mut bodies: Vec<_> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["body"].to_string()).collect();
    bodies.sort();
    bodies
}

/// What no command prints: the copied records, and the rows of the ledger.
fn stored(place: &Place, run: &str) -> (Vec<Option<String>>, Vec<Row>) {
    let state = place.path(".reindex/shop");
    let backends = Backends::new(&state, &state, Mode::ReadOnly, Arc::new(System));
    let ids: Vec<_> = (0..THINGS).map(id).chain(["first".to_owned()]).collect();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let copies = backends.table("copies", None).unwrap().get_many(&ids).await.unwrap();
        let rows = backends.ledger().unwrap().rows(run, &Filter::default(), None, usize::MAX).await.unwrap();
        let rows = rows.into_iter().map(|row| (row.id, row.state.number(), row.reason, row.attempts));
        (copies.into_iter().map(|copy| copy.map(|copy| String::from_utf8(copy).unwrap())).collect(), rows.collect())
    })
}

pub fn id(n: usize) -> String {
    format!("t{n:03}")
}
