//! Services: as a library under a clock that the tests turn, and as processes that are asked over HTTP and killed.

mod process;
mod routes;
mod service;
mod times;
mod together;

use serde_json::json;

use crate::place::Place;

/// A recipe that puts things into an index, every day at 5:30 in London.
pub const RECIPE: &str = r#"
recipe = 1
[plugin]
file = "rogue.wasm"
[source.scan]
table = "things"
key = "id"
version = "v"
[schedule]
cron = "30 5 * * *"
zone = "Europe/London"
[grant.read]
storage = ["people"]
[grant.write]
index = ["rogues"]
[run]
batch-records = 10
"#;

/// A place with the recipe `rogues` and so many things that are to do so.
pub fn place(things: usize, deed: &str) -> Place {
    let place = Place::with_rogue();
    place.write("rogues.toml", RECIPE);
    place.reindex_with("load people -", "{\"id\":\"p\"}\n").exits(0);
    load(&place, "things", 1, things, deed);
    place
}

/// Loads so many records that are to do so.
pub fn load(place: &Place, table: &str, version: u32, count: usize, deed: &str) {
    let line = |n| json!({ "id": format!("{table}-{n:03}"), "v": version, "do": deed }).to_string() + "\n";
    place.reindex_with(&format!("load {table} -"), &(0..count).map(line).collect::<String>()).exits(0);
}
