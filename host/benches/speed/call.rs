//! What the sandbox costs: the mapping of persons inside it, with every limit on, and native.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use housing::{Form, Housing, Kind};
use reindex::{
    capability::{
        Resources,
        grant::{Config, Grants, Names},
    },
    event::Events,
    recipe::Recipe,
    record::Item,
    sandbox::{Context, Engine, Mapper, Plugin},
};

const ROUNDS: u32 = 25;
const BATCH: u64 = 500;

/// Prints the rows of the mapping and the call.
pub fn table(component: &Path) {
    let [native, value, bytes] = native();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mapped, call, instance) = runtime.block_on(sandboxed(component));
    let ratio = |a: u128, b: u128| a as f64 / b as f64;
    println!("\nMapping one person of {bytes} bytes, batches of {BATCH}, every limit on");
    println!("  native, through the guest SDK         {native:>8} ns");
    println!("  native, over a serde_json::Value      {value:>8} ns");
    println!("  in the sandbox, through the guest SDK {mapped:>8} ns");
    println!("  sandbox / same code native            {:>8.2}", ratio(mapped, native));
    println!("  sandbox / native serde_json::Value    {:>8.2}", ratio(mapped, value));
    println!("  a call with one item that is refused  {call:>8} ns");
    println!("  a fresh instance and such a call      {instance:>8} ns");
}

/// Nanoseconds a person natively, through the SDK and over a `Value`, and the bytes of a person.
fn native() -> [u128; 3] {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--package", "native"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u128> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

async fn sandboxed(component: &Path) -> (u128, u128, u128) {
    let engine = Engine::new().unwrap();
    let plugin = Plugin::load(&engine, "persons", &std::fs::read(component).unwrap()).await.unwrap();
    let mapper = plugin.start(room());
    let mut housing = Housing::new(1);
    housing.form = Form::Plain;
    let people: Vec<Item> = housing
        .lines(Kind::People, 0..BATCH)
        .enumerate()
        .map(|(n, body)| Item { id: n.to_string(), version: Some(1), body })
        .collect();
    let refused = [Item { id: "x".into(), version: None, body: "{}".into() }];
    let mapped = fastest(|| mapper.transform(&people)).await.as_nanos() / u128::from(BATCH);
    let call = many(&mapper, &refused, 2_000).await;
    let instance = fastest(async || plugin.start(room()).transform(&refused).await).await.as_nanos();
    (mapped, call, instance)
}

async fn many(mapper: &Mapper, items: &[Item], times: u32) -> u128 {
    let calls = async || {
        for _ in 0..times {
            drop(mapper.transform(items).await);
        }
    };
    (fastest(calls).await / times).as_nanos()
}

/// The fastest round: what the code costs where nothing else has the core.
async fn fastest<T>(round: impl AsyncFn() -> T) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        drop(round().await);
        best = best.min(begun.elapsed());
    }
    best
}

fn room() -> Context {
    let names = Names { index: vec!["persons".into()], ..Names::default() };
    Context {
        limits: default_limits(),
        grants: Grants::new(&Config { write: names, ..Config::default() }),
        resources: Resources::default(),
        settings: "{}".into(),
        now: jiff::Timestamp::UNIX_EPOCH,
        seed: 1,
        events: Events::ignore(),
        instances: 1,
    }
}

/// The limits of a recipe that says nothing about them.
fn default_limits() -> reindex::sandbox::Limits {
    let text = "recipe = 1\n[plugin]\nfile = 'x.wasm'\n[source.file]\npath = 'x'\nkey = 'id'\nversion = 'none'\n[grant.write]\nindex = ['persons']";
    Recipe::parse(text, "bench.toml".as_ref(), &|_| None).unwrap().limits
}
