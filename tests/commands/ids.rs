//! The list of ids of a recipe, from loading to mending.

use std::fs;

use tempfile::TempDir;

use super::{Ran, reindex, timeless};
use crate::plugins::root;

fn place() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let recipe = fs::read_to_string(root().join("recipes/persons.toml")).unwrap();
    let recipe = recipe.replace("source = \"../plugins/persons\"", "file = \"persons.wasm\"");
    fs::write(directory.path().join("persons.toml"), recipe).unwrap();
    directory
}

fn ids(place: &TempDir, arguments: &[&str], input: &str) -> Ran {
    reindex(place.path(), &[&["ids"], arguments].concat(), input)
}

#[test]
fn a_mark_at_the_beginning_is_no_part_of_the_first_id() {
    let place = place();
    let loaded = ids(&place, &["load", "persons", "-"], "\u{FEFF}a\r\nb\r\n");
    assert_eq!((loaded.code, ids(&place, &["dump", "persons"], "").out.as_str()), (0, "a waiting\nb waiting\n"));
    fs::write(place.path().join("utf-16.txt"), b"\xFF\xFEa\0\n\0").unwrap();
    for command in [&["ids", "load", "persons", "utf-16.txt"][..], &["load", "people", "utf-16.txt"]] {
        let ran = reindex(place.path(), command, "");
        assert!(ran.code == 2 && ran.err.contains("UTF-16") && ran.err.contains("utf-16.txt"), "{}", ran.err);
    }
    let loaded = reindex(place.path(), &["load", "people", "-"], "\u{FEFF}{\"id\":\"a\"}\r\n");
    assert_eq!((loaded.code, timeless(&loaded.err).lines().next()), (0, Some("loaded: 1 record")));
}

#[test]
fn a_file_of_ids_is_loaded_counted_and_made_ready_again() {
    let place = place();
    let none = ids(&place, &["status", "persons"], "");
    assert_eq!((none.code, none.out.as_str()), (0, ""));
    assert_eq!(none.err, "no ids yet\nnext: reindex ids load persons FILE\n");
    let long = "x".repeat(513);
    let lines = format!("b\n\n  a  \nb\r\ntab\there\n{long}\n   \nc");
    let loaded = ids(&place, &["load", "persons", "-"], &lines);
    assert_eq!((loaded.code, loaded.out.as_str()), (3, ""));
    insta::assert_snapshot!(loaded.err, @r"
    refused: -:5: the id holds a control character
    refused: -:6: the id has 513 bytes; at most 512 are allowed
    loaded: 3 new ids, 1 twice in the file, 2 blank lines, 2 lines refused
    next: reindex ids status persons counts them
    ");
    let again = ids(&place, &["load", "persons", "-"], "a\nd\n");
    assert_eq!(again.err, "loaded: 1 new ids, 1 there already\nnext: reindex ids status persons counts them\n");
    let reset = ids(&place, &["load", "persons", "-", "--reset"], "a\nd\n");
    assert_eq!(reset.err, "loaded: 0 new ids, 2 ready again\nnext: reindex ids status persons counts them\n");
    assert_eq!(ids(&place, &["dump", "persons"], "").out, "a waiting\nb waiting\nc waiting\nd waiting\n");
    assert_eq!(ids(&place, &["dump", "persons", "--state", "done"], "").out, "");
    let json = ids(&place, &["dump", "persons", "--json"], "").out;
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((first["id"].as_str(), first["state"].as_str(), json.lines().count()), (Some("a"), Some("waiting"), 4));
    assert_eq!(ids(&place, &["status", "persons", "--json"], "").out.trim(), r#"{"waiting":4}"#);
    assert_eq!(ids(&place, &["status", "persons"], "").out, "waiting                    4\n");
    let made_ready = ids(&place, &["reset", "persons", "--state", "waiting"], "");
    assert_eq!(made_ready.err, "4 ids are ready again\nnext: reindex ids status persons counts them\n");
    assert!(ids(&place, &["reset", "persons"], "").err.starts_with("0 ids"));
    assert_eq!(ids(&place, &["reset", "persons", "--state", "dnoe"], "").code, 2);
    assert_eq!(ids(&place, &["load", "persons", "nowhere.txt"], "").code, 2);
}
