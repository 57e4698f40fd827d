//! Persons in a table of DynamoDB, which is made once and only read.

use std::{fs, sync::Once};

use housing::{Housing, Kind};
use servers::{Server, shared};

use super::lab::{Lab, Scene};
use crate::plugins::{component, root};

/// How many there are.
pub const PERSONS: u64 = 1200;

/// Town without end; some of its people cannot be mapped.
pub fn town() -> Housing {
    Housing { invalid_per_thousand: 5, ..Housing::new(7) }
}

/// The recipe of this repository in small batches, so that there are many requests.
pub fn recipe() -> String {
    let recipe = fs::read_to_string(root().join("recipes/persons.toml")).unwrap();
    let recipe = recipe.replace("source = \"../plugins/persons\"", "file = \"plugin.wasm\"");
    format!("name = \"persons\"\n{recipe}\n[run]\nbatch-records = 50\nlease = \"2s\"\n")
}

/// The plugin of this repository.
pub fn plugin() -> Vec<u8> {
    component("persons")
}

/// The table, at this address.
pub fn table(url: &str) -> String {
    format!("[backend.people.dynamodb]\ntable = 'FaultPersons'\nendpoint = '{url}'\n")
}

/// Fills the table, the first time.
pub fn load(_: &Lab) {
    static LOADED: Once = Once::new();
    LOADED.call_once(|| {
        let scene = Scene {
            name: "persons",
            servers: &[],
            plugin,
            recipe: recipe(),
            environment: |_, _| table(&shared(Server::Dynamodb).url()),
            load: |_| (),
            reads_again: false,
        };
        let lines: Vec<_> = town().lines(Kind::People, 0..PERSONS).collect();
        scene.lab("load").reindex("load people - --format dynamodb-json", &(lines.join("\n") + "\n")).exits(0);
    });
}
