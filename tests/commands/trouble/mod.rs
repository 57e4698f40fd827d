//! Trouble between two commands: a plugin or an index that is not what it was. Disks, databases and neighbours are next
//! door.

mod disk;
mod together;

use serde_json::json;

use crate::{
    place::{Place, snapshots},
    sandbox::build::rogue,
};

const RECIPE: &str = r#"
recipe = 1
[plugin]
file = "rogue.wasm"
[source.scan]
table = "things"
key = "id"
version = "v"
[grant.read]
storage = ["people"]
[grant.write]
index = ["rogues"]
[limits]
cpu = "300ms"
[run]
batch-records = 10
"#;

/// A place with a recipe `rogues` and so many things that are to do so.
fn place(things: usize, deed: &str) -> Place {
    let place = Place::with_rogue();
    place.write("rogues.toml", RECIPE);
    place.reindex_with("load people -", "{\"id\":\"p\"}\n").exits(0);
    load(&place, 1, things, deed);
    place
}

fn load(place: &Place, version: u32, things: usize, deed: &str) {
    let line = |n| json!({ "id": format!("t{n:03}"), "v": version, "do": deed }).to_string() + "\n";
    place.reindex_with("load things -", &(0..things).map(line).collect::<String>()).exits(0);
}

/// The recipe with another line.
fn change(place: &Place, from: &str, to: &str) {
    assert!(RECIPE.contains(from));
    place.write("rogues.toml", RECIPE.replace(from, to));
}

/// The same plugin with other bytes: a custom section that says nothing.
fn edited() -> Vec<u8> {
    [rogue(), &[0, 3, 1, b'x', 0]].concat()
}

#[test]
fn a_broken_plugin_stops_the_run_which_goes_on_after_the_records_are_mended() {
    let place = place(25, "trap");
    let broken = place.reindex("run rogues").exits(2);
    assert!(broken.err.contains("error: the plugin is broken") && broken.err.contains(" records in a row"));
    load(&place, 2, 25, "good");
    // What had failed before the run stopped is in the ledger, and a retry's business.
    let mended = place.reindex("run rogues");
    assert!(matches!(mended.code, Some(0 | 3)), "{}", mended.err);
    assert!(mended.err.contains("rogues goes on with run") && mended.err.contains("done: 25 read"), "{}", mended.err);
    place.reindex("retry rogues").exits(0);
    assert_eq!(place.documents("rogues", "").len(), 25);
}

#[test]
fn a_plugin_that_was_edited_half_way_is_refused_by_name_until_fresh_is_said() {
    let place = place(25, "trap");
    place.reindex("run rogues").exits(2);
    place.write("rogue.wasm", edited());
    load(&place, 2, 25, "good");
    let refused = place.reindex("run rogues");
    snapshots().bind(|| {
        insta::assert_snapshot!(refused.seen(), @r"
    exit 2
    --- err
    error: run RUN is unfinished, and its plugin changed since it began
      began   TIME
      plugin  rogue

    hint: put it back as it was and run again to go on, or give that run up and start over with `--fresh`
    ");
    });
    let fresh = place.reindex("run rogues --fresh").exits(0);
    assert!(fresh.err.contains("note: gave up the unfinished run"), "{}", fresh.err);
    assert_eq!(place.documents("rogues", "").len(), 25);
}

#[test]
fn a_plugin_of_another_api_version_is_refused() {
    let place = place(1, "good");
    let mut bytes = rogue().to_vec();
    let (old, new) = (b"reindex:plugin/mapping@0.1.0", b"reindex:plugin/mapping@0.9.0");
    let at: Vec<_> = (0..bytes.len() - old.len()).filter(|at| bytes[*at..].starts_with(old)).collect();
    at.into_iter().for_each(|at| bytes[at..at + new.len()].copy_from_slice(new));
    place.write("rogue.wasm", bytes);
    let refused = place.reindex("run rogues");
    snapshots().bind(|| {
        insta::assert_snapshot!(refused.seen(), @r"
    exit 2
    --- err
    error: the plugin speaks API version 0.9.0, and this host 0.1.0
      plugin  rogue
      file    ./rogue.wasm

    hint: build the plugin against the WIT files of this host
    ");
    });
}

#[test]
fn an_index_with_foreign_versions_or_another_definition_is_kept_and_a_rebuild_is_offered() {
    let place = place(3, "good");
    place.reindex("run rogues").exits(0);
    change(&place, "version = \"v\"", "version = \"none\"");
    let foreign = place.reindex("run rogues");
    snapshots().bind(|| {
        insta::assert_snapshot!(foreign.seen(), @r"
    exit 2
    --- err
    error: the versions in index `rogues` come from `v`, not from `none`
      index  rogues_MADE

    hint: add `--rebuild`: a new index is filled and takes the alias; the old one stays as it is
    ");
    });
    place.write("other.json", r#"{"settings":{},"mappings":{"properties":{"do":{"type":"keyword"}}}}"#);
    change(&place, "[limits]", "[index.rogues]\ndefinition = \"other.json\"\n[limits]");
    let other = place.reindex("run rogues");
    snapshots().bind(|| {
        insta::assert_snapshot!(other.seen(), @r"
    exit 2
    --- err
    error: index `rogues` is not what the recipe defines: it was made from another definition
      index  rogues_MADE

    hint: add `--rebuild`: a new index is filled and takes the alias; the old one stays as it is
    ");
    });
    assert_eq!(place.documents("rogues", "").len(), 3, "searchers are not disturbed");
    place.reindex("run rogues --rebuild").exits(0);
    assert_eq!(place.documents("rogues", "").len(), 3);
}
