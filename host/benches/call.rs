//! What a plugin call costs: `cargo bench --bench call`.
//!
//! Uses the rogue plugin of the tests, whose good deed copies the item into a document. The mapping figure is the
//! boundary alone: validated copy in, validated copy out.

#![allow(clippy::print_stdout, missing_docs, reason = "a benchmark prints a table")]

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use bytesize::ByteSize;
use reindex::{
    capability::{
        Resources,
        grant::{Config, Grants, Names},
    },
    event::Events,
    record::Item,
    sandbox::{Engine, Limits, Mapper, Plugin, Room},
};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let bytes = rogue();
    let dir = tempfile::tempdir().expect("a directory");
    let engine = || Engine::new(Some(dir.path())).expect("an engine");

    let cold = timed(1, async || drop(load(&engine(), &bytes).await)).await;
    println!("load, compiling {} KiB     {cold:>10.1?}", bytes.len() / 1024);
    let start = timed(20, async || drop(engine())).await;
    println!("engine                       {start:>10.1?}");
    let warm = timed(20, async || drop(load(&engine(), &bytes).await)).await;
    println!("engine and load, cached      {warm:>10.1?}");

    let plugin = load(&engine(), &bytes).await;
    let none: [Item; 0] = [];
    let one = [item(0, 30)];
    let fresh = timed(500, async || drop(plugin.start(room()).transform(&one).await)).await;
    println!("instance, one call, drop     {fresh:>10.2?}");
    let mapper = plugin.start(room());
    let call = timed(20_000, async || drop(mapper.transform(&one).await)).await;
    println!("call with one small item     {call:>10.2?}");
    let empty = timed(20_000, async || drop(mapper.transform(&none).await)).await;
    println!("empty batch (no call)        {empty:>10.2?}");
    for count in [200, 500] {
        per_record(&mapper, count).await;
    }
}

async fn per_record(mapper: &Mapper, count: usize) {
    let items: Vec<_> = (0..count).map(|place| item(place, 900)).collect();
    let batch = timed(200, async || drop(mapper.transform(&items).await)).await;
    println!("0.9 KB record, {count} a batch   {:>10.2?}", batch / u32::try_from(count).expect("small"));
}

/// The mean time of a call, after a tenth of the calls to warm up.
async fn timed(times: u32, call: impl AsyncFn()) -> Duration {
    for _ in 0..times / 10 {
        call().await;
    }
    let began = Instant::now();
    for _ in 0..times {
        call().await;
    }
    began.elapsed() / times
}

async fn load(engine: &Engine, bytes: &[u8]) -> Plugin {
    Plugin::load(engine, "rogue", bytes).await.expect("the rogue loads")
}

fn item(place: usize, bytes: usize) -> Item {
    let body = format!(r#"{{"do":"good","padding":"{}"}}"#, "x".repeat(bytes.saturating_sub(28)));
    Item { id: place.to_string(), version: Some(1), body }
}

fn rogue() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--target", "wasm32-wasip2", "-p", "rogue"])
        .current_dir(&root)
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the rogue plugin does not build");
    std::fs::read(root.join("target/wasm32-wasip2/release/rogue.wasm")).expect("the rogue was built")
}

fn room() -> Room {
    Room {
        limits: Limits {
            cpu: Duration::from_secs(2),
            cpu_per_record: Duration::from_millis(10),
            wall: Duration::from_secs(20),
            memory: ByteSize::mib(64),
            host_memory: ByteSize::mib(8),
            output: ByteSize::mib(16),
            item: ByteSize::mib(1),
            poison_in_a_row: 20,
        },
        grants: Grants::new(&Config {
            write: Names { index: vec!["rogues".into()], ..Names::default() },
            ..Config::default()
        }),
        resources: Resources::default(),
        settings: "{}".to_owned(),
        now: jiff::Timestamp::UNIX_EPOCH,
        seed: 1,
        events: Events::ignore(),
        instances: 1,
    }
}
