//! The table of benchmarks: `cargo bench -p reindex --bench speed -- [SIZE…]`.
//!
//! Each figure is a ratio of two things measured in this one run, since machines differ and are noisy: a plugin
//! against native code, a whole run against a bare loop that writes the same finished documents. `SIZE` is a
//! number of records; without any, only small sizes are run. Data lies below `target/`.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs, reason = "a benchmark prints, and may fail")]

mod bare;
mod call;
mod child;
mod whole;

use std::path::{Path, PathBuf};

const SMALL: [u64; 2] = [10_000, 100_000];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [flag, database, documents] = words.as_slice()
        && flag == "--bare"
    {
        return bare::insert(Path::new(database), Path::new(documents));
    }
    let sizes: Vec<u64> =
        words.iter().map(|word| word.replace('_', "").parse().expect("a number of records")).collect();
    let component = component();
    call::table(&component);
    whole::start_up(&component);
    whole::table(&component, if sizes.is_empty() { &SMALL } else { &sizes });
}

/// The persons plugin as it is shipped.
fn component() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let built = std::process::Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", "plugin", "--target", "wasm32-wasip2", "--package", "persons"])
        .current_dir(root)
        .status();
    assert!(built.unwrap().success(), "the plugin does not build");
    root.join("target/wasm32-wasip2/plugin/persons.wasm")
}
