//! Embeds `reindex`: calls a plugin on a batch, then runs a recipe into an index of one's own and listens.
//!
//! `cargo run --example embed -- recipes/persons.toml`, after `./dev demo` has filled the table.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod memory;

use std::{path::Path, sync::Arc};

use memory::Memory;
use reindex::{
    backend::Mode,
    error::Result,
    event::{Event, Events},
    pipeline::Stop,
    record::Item,
    run::{Fresh, Options, Project},
};

#[tokio::main]
async fn main() -> Result<()> {
    let recipe = std::env::args().nth(1).unwrap_or_else(|| "recipes/persons.toml".to_owned());
    let project = Project::open(Path::new(&recipe), None, Mode::ReadWrite, &|_| None)?;
    let mut job = project.job(true, &Events::ignore()).await?;

    // A plugin is a pure function: items in, outcomes out, and nothing happens.
    let mapper = job.mapper(&Events::ignore());
    let item = Item { id: "1".into(), version: Some(1), body: r#"{"firstName":"Ada","id":"1"}"#.into() };
    println!("{:?}", mapper.transform(&[item]).await?);

    // Bring your own index, under the recipe's name for it; storage and queues are brought the same way.
    let index = Arc::new(Memory::default());
    job.resources.indexes.insert("persons".to_owned(), index.clone());
    job.name = "persons-in-memory".to_owned();

    let listener = Events::new(|event| {
        if let Event::ItemFailed { id, reason, .. } = event {
            println!("{id} failed: {reason}");
        }
    });
    let summary = job.run(Options { fresh: Fresh::Always, ..Options::default() }, &listener, &Stop::new()).await?;
    println!("{} documents, {} failed, {} in memory", summary.counts.documents, summary.counts.failed, index.len());
    Ok(())
}
