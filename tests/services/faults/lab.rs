//! A run with a proxy before each of its servers, and everything that it leaves behind. It knows no fault.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use proxy::Proxy;
use reindex::{
    backend::{Backends, Config, LedgerConfig, Mode},
    capability::{index::Index, queue::Queue, storage::Bucket},
    clock::System,
    ledger::Filter,
};
use serde::Deserialize;
use serde_json::Value;
use servers::{Credentials, Server, shared};

use crate::{
    place::{Place, Ran},
    session::session,
};

/// What is run, and with what. A run of its own needs names of its own on the servers.
pub struct Scene {
    /// Names everything on the servers, with the name of the case.
    pub name: &'static str,
    /// The servers with a proxy before them.
    pub servers: &'static [Server],
    /// The compiled plugin.
    pub plugin: fn() -> Vec<u8>,
    /// The recipe, whose plugin is `plugin.wasm`.
    pub recipe: String,
    /// The environment, from what names begin with and the addresses of the servers.
    pub environment: fn(&str, &[String]) -> String,
    /// Puts there what the run begins with.
    pub load: fn(&Lab),
    /// Whether an item may be read twice, because its message came twice.
    pub reads_again: bool,
}

impl Scene {
    /// Sets everything up for one case.
    pub fn lab(&self, case: &str) -> Lab {
        let name = format!("{}-{}", self.name, case.replace(' ', "-"));
        let before = |server: &Server| match server {
            Server::Nats => Proxy::tcp(&shared(*server).url()),
            _ => Proxy::http(&shared(*server).url()),
        };
        let proxies: Vec<_> = self.servers.iter().map(before).collect();
        let urls: Vec<_> = proxies.iter().map(Proxy::url).collect();
        let environment = format!("environment = 1\n{}", (self.environment)(&name, &urls));
        let place = Place::new();
        place.write("plugin.wasm", (self.plugin)());
        place.write("recipe.toml", &self.recipe);
        place.write("environments/lab.toml", &environment);
        let bound = toml::from_str(&environment).unwrap();
        let lab = Lab { name, place, proxies, bound };
        (self.load)(&lab);
        lab
    }
}

/// What an environment binds.
#[derive(Deserialize)]
struct Bound {
    backend: BTreeMap<String, Config>,
    ledger: Option<BoundLedger>,
}

#[derive(Deserialize)]
struct BoundLedger {
    dynamodb: LedgerConfig,
}

/// A place whose environment `lab` reaches its servers through proxies.
pub struct Lab {
    pub name: String,
    pub place: Place,
    pub proxies: Vec<Proxy>,
    bound: Bound,
}

impl Lab {
    /// Runs a command in the environment, as somebody whom the servers believe.
    pub fn reindex(&self, command: &str, input: &str) -> Ran {
        self.place.write("input", input);
        let mut command = self.place.command(&format!("{command} --env lab"));
        let by = Credentials::TESTS;
        command.env("AWS_ACCESS_KEY_ID", by.access_key).env("AWS_SECRET_ACCESS_KEY", by.secret_key);
        // This machine is nobody's instance; asking would only take its time.
        command.env("AWS_REGION", by.region).env("AWS_EC2_METADATA_DISABLED", "true");
        command.stdin(std::fs::File::open(self.place.path("input")).unwrap());
        Ran::of(command.output().unwrap())
    }

    /// How many requests a fault did bite.
    pub fn fired(&self) -> usize {
        self.proxies.iter().map(Proxy::fired).sum()
    }

    /// Ends all faults.
    pub fn calm(&self) {
        for proxy in &self.proxies {
            proxy.clear();
            proxy.up();
        }
    }

    pub fn queue(&self, name: &str) -> Arc<dyn Queue> {
        self.backends().queue(name, self.bound.backend.get(name)).unwrap()
    }

    pub fn bucket(&self, name: &str) -> Arc<dyn Bucket> {
        self.backends().bucket(name, self.bound.backend.get(name)).unwrap()
    }

    fn backends(&self) -> Backends {
        let ledger = self.bound.ledger.as_ref().map(|ledger| ledger.dynamodb.clone());
        let (beside, state) = (self.place.path("environments"), self.place.path(".reindex/lab"));
        Backends::new(beside, state, Mode::ReadWrite, Arc::new(System)).with_aws(session()).with_ledger(ledger)
    }

    /// Looks at everything.
    pub fn left(&self) -> Left {
        let status = self.reindex("status recipe.toml --json", "").exits(0).json();
        let run = status["run"]["id"].as_str().unwrap();
        let bound = |names: &'static [&str]| names.iter().filter(|name| self.bound.backend.contains_key(**name));
        wait(async {
            let mut left = Left { counts: status["counts"].clone(), ..Left::default() };
            for name in bound(&["rogues", "persons"]) {
                let index = self.backends().index(name, self.bound.backend.get(*name)).unwrap();
                left.documents = documents(&*index).await;
            }
            for name in bound(&["files", "images"]) {
                left.objects.extend(objects(&*self.bucket(name)).await);
            }
            for name in bound(&["work"]) {
                (left.messages, left.repeats) = messages(&*self.queue(name)).await;
            }
            for name in bound(&["jobs"]) {
                let depth = self.queue(name).depth().await.unwrap();
                left.waiting = depth.waiting + depth.in_hand;
            }
            let rows = self.backends().ledger().unwrap().rows(run, &Filter::default(), None, 10_000).await.unwrap();
            left.rows = rows.into_iter().map(|row| (row.id, (row.state.number(), row.reason))).collect();
            left
        })
    }
}

/// Waits on a thread that has no runtime.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn documents(index: &dyn Index) -> BTreeMap<String, (Option<u64>, String)> {
    let Some(current) = index.current().await.unwrap() else { return BTreeMap::new() };
    let listing = index.listed().unwrap().list(&current.name, None, None, None, 10_000).await.unwrap();
    let ids: Vec<_> = listing.documents.into_iter().map(|listed| listed.id).collect();
    let found = index.get_many(None, &ids).await.unwrap().into_iter().flatten();
    found.map(|document| (document.id, (document.version, document.body))).collect()
}

/// Every object, by its key: how long it is and a digest.
async fn objects(bucket: &dyn Bucket) -> BTreeMap<String, (usize, String)> {
    let keys: Vec<_> = bucket.list("", None, 10_000).await.unwrap().objects.into_iter().map(|info| info.key).collect();
    let found = bucket.get_many(&keys, 64 << 20).await.unwrap().into_iter().map(Option::unwrap);
    keys.into_iter().zip(found.map(|body| (body.len(), blake3::hash(&body).to_hex().to_string()))).collect()
}

/// Takes every message: how many ids each body has, and how many messages came with an id that was there before.
async fn messages(queue: &dyn Queue) -> (BTreeMap<String, usize>, usize) {
    let (mut ids, mut repeats) = (BTreeMap::<String, BTreeSet<String>>::new(), 0);
    while queue.depth().await.unwrap().waiting > 0 {
        for taken in queue.receive(100, Duration::from_secs(600), Duration::ZERO).await.unwrap() {
            let is_new = ids.entry(taken.message.body).or_default().insert(taken.message.id);
            repeats += usize::from(!is_new);
        }
    }
    (ids.into_iter().map(|(body, ids)| (body, ids.len())).collect(), repeats)
}

/// Everything a run leaves behind, in a form in which two runs can be compared.
#[derive(Debug, Default)]
pub struct Left {
    pub documents: BTreeMap<String, (Option<u64>, String)>,
    pub objects: BTreeMap<String, (usize, String)>,
    /// How many ids there are of each body.
    pub messages: BTreeMap<String, usize>,
    /// How many messages came again with their own id.
    pub repeats: usize,
    /// Messages of the source that are still there.
    pub waiting: u64,
    pub counts: Value,
    pub rows: BTreeMap<String, (u32, String)>,
}

impl Left {
    /// How it differs from what an undisturbed run leaves, in few words: whole parts would fill screens.
    pub fn differs_from(&self, other: &Self, reads_again: bool) -> Vec<String> {
        let mut said = Vec::new();
        said.extend(differing("documents", &self.documents, &other.documents));
        said.extend(differing("objects", &self.objects, &other.objects));
        said.extend(differing("messages", &self.messages, &other.messages));
        said.extend(differing("rows", &self.rows, &other.rows));
        if self.waiting != other.waiting {
            said.push(format!("{} messages are left in the source", self.waiting));
        }
        let more = |word: &str| reads_again && self.counts[word].as_u64() >= other.counts[word].as_u64();
        for (word, count) in other.counts.as_object().unwrap() {
            if self.counts[word] != *count && !more(word) {
                said.push(format!("{word}: {} here, {count} undisturbed", self.counts[word]));
            }
        }
        said
    }
}

fn differing<T: PartialEq + std::fmt::Debug>(
    what: &str,
    here: &BTreeMap<String, T>,
    there: &BTreeMap<String, T>,
) -> Option<String> {
    let missing = there.keys().filter(|key| !here.contains_key(*key)).count();
    let first = here.iter().find(|(key, value)| there.get(*key) != Some(value));
    (here != there)
        .then(|| format!("{what}: {missing} are missing, and here is, if any: {first:?}").chars().take(600).collect())
}
