//! What failed, in whichever run: listed one by one, shown whole, and tried again.

use std::fs;

use serde_json::Value;

use super::session::{place, session};
use crate::place::{Place, snapshots};

/// The id of the run that a command named on its last line.
fn run_of(seen: &str) -> String {
    let id = seen.rsplit("(run ").next().unwrap();
    id.split([')', ',']).next().unwrap().to_owned()
}

fn status(place: &Place) -> Value {
    place.reindex("status persons --json").exits(0).json()
}

#[test]
fn failures_of_every_run_are_listed_one_by_one_and_shown_whole() {
    let place = place();
    place.write("ids.txt", "nobody\nstranger\n");
    let commands = [
        "failures persons",
        "run persons",
        "run persons --ids ids.txt",
        "failures persons",
        "failures persons --json",
        "failures persons --id nobody",
        "failures persons --id stranger --state not-found",
        "failures persons --state too-big",
        "failures persons --reason tenures[0]",
        "failures persons --id Nobody",
        "failures persons --run 20990101T000000.000-abcdef",
        "status persons",
        "retry persons --run 20990101T000000.000-abcdef",
    ];
    snapshots().bind(|| insta::assert_snapshot!("failures", session(&place, &commands)));
}

#[test]
fn a_few_ids_that_failed_are_found_again_after_other_runs_and_retried_by_name() {
    let place = place();
    place.write("ids.txt", "nobody\n");
    let few = run_of(&place.reindex("run persons --ids ids.txt").exits(3).err);
    let first = place.reindex("run persons --limit 3").exits(0);
    assert!(first.err.contains("done: 3 read"), "{}", first.err);
    let seen = status(&place);
    assert_eq!((&seen["run"]["id"], &seen["counts"]["failed"]), (&few.as_str().into(), &1.into()));
    // What a few ids left open, the whole source reads again.
    let whole = run_of(&place.reindex("run persons").exits(3).err);
    let seen = status(&place);
    assert_eq!((&seen["run"]["id"], &seen["others"]), (&whole.as_str().into(), &Value::Array(Vec::new())));
    let again = run_of(&place.reindex("run persons --ids ids.txt").exits(3).err);
    let seen = status(&place);
    assert_eq!((&seen["run"]["id"], &seen["others"][0]["run"]), (&whole.as_str().into(), &again.as_str().into()));
    let line = fs::read_to_string(crate::plugins::root().join("recipes/sample/people.jsonl")).unwrap();
    let line = line.lines().next().unwrap();
    let id = serde_json::from_str::<Value>(line).unwrap()["Item"]["id"]["S"].as_str().unwrap().to_owned();
    place.reindex_with("load people -", &line.replace(&id, "nobody")).exits(0);
    place.reindex(&format!("retry persons --run {few}")).exits(0);
    let retried = place.reindex(&format!("retry persons --run {again}")).exits(0);
    assert!(retried.err.contains("done: 1 read, 1 documents, 0 failed"), "{}", retried.err);
    let seen = status(&place);
    assert_eq!((&seen["run"]["id"], &seen["others"]), (&whole.as_str().into(), &Value::Array(Vec::new())));
    place.reindex("retry persons --reason tenures[#].id").exits(0);
    place.reindex("failures persons").exits(0);
    assert_eq!(place.reindex(&format!("status persons --run {few} --json")).exits(0).json()["run"]["id"], few.as_str());
}

#[test]
fn a_retry_of_an_unfinished_run_ends_and_the_run_goes_on() {
    let place = place();
    place.reindex("run persons --rebuild").exits(4);
    let still = place.reindex("retry persons").exits(3);
    assert!(still.err.contains("retried: 11 read, 10 documents, 1 failed"), "{}", still.err);
    let line = fs::read_to_string(crate::plugins::root().join("recipes/sample/people.jsonl")).unwrap();
    let line = line.lines().next().unwrap();
    let id = serde_json::from_str::<Value>(line).unwrap()["Item"]["id"]["S"].as_str().unwrap().to_owned();
    place.reindex_with("load people -", &line.replace(&id, "nobody")).exits(0);
    let commands = ["retry persons", "retry persons", "run persons --rebuild", "retry persons"];
    snapshots().bind(|| insta::assert_snapshot!("retry-unfinished", session(&place, &commands)));
}
