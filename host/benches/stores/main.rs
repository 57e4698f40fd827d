//! The table of benchmarks on real servers: `cargo bench -p reindex --bench stores -- [ITEMS [ITEMS_FOR_MEMORY]]`.
//!
//! Each figure is a ratio of two things measured in this one run against the same servers, which it starts itself:
//! DynamoDB Local, OpenSearch and Elasticsearch. Rivals that cannot be had (Python, npm) are named and left out.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs, reason = "a benchmark prints, and may fail")]

mod bare;
#[path = "../speed/child.rs"]
mod child;
mod copy;
mod place;
mod rivals;
mod share;
mod workers;

const ITEMS: u64 = 50_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if words.first().is_some_and(|word| word == "--bare") {
        return bare::main(&words[1..]);
    }
    let numbers: Vec<u64> =
        words.iter().map(|word| word.replace('_', "").parse().expect("a number of items")).collect();
    let items = numbers.first().copied().unwrap_or(ITEMS);
    let mut place = place::Place::new();
    println!(
        "{items} people of about 1 KB; DynamoDB Local and one-node engines on this machine, one shard, no replica"
    );
    copy::tables(&mut place, items);
    rivals::table(&mut place, items);
    workers::table(&mut place, items);
    share::table(&mut place);
    for size in numbers.iter().skip(1) {
        copy::memory(&mut place, *size);
    }
}
