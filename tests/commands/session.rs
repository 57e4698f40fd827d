//! Whole sessions with the plugin of persons: what each command shows, and how it exits.

use std::fs;

use serde_json::Value;

use crate::{
    place::{Place, Ran, snapshots},
    plugins::{component, root},
};

/// Ten persons of the sample and one with an empty tenure; nothing is run yet.
pub(super) fn place() -> Place {
    let place = Place::new();
    place.write("persons.wasm", component("persons"));
    let recipe = fs::read_to_string(root().join("recipes/persons.toml")).unwrap();
    let recipe = recipe.replace("source = \"../plugins/persons\"", "file = \"persons.wasm\"");
    // What `check` shows must not depend on the machine's cores.
    let recipe = recipe.replace("table = \"people\"", "table = \"people\"\nsegments = 2");
    place.write("persons.toml", recipe);
    let people = fs::read_to_string(root().join("recipes/sample/people.jsonl")).unwrap();
    let mut people: String = people.lines().take(10).map(|line| format!("{line}\n")).collect();
    people.push_str(
        "{\"Item\":{\"id\":{\"S\":\"nobody\"},\"versionNumber\":{\"N\":\"1\"},\"tenures\":{\"L\":[{\"M\":{}}]}}}\n",
    );
    place.reindex_with("load people - --format dynamodb-json", &people).exits(0);
    place
}

/// What a person sees who types these commands.
pub(super) fn session(place: &Place, commands: &[&str]) -> String {
    let shown = commands.iter().map(|command| format!("$ reindex {command}\n{}", place.reindex(command).seen()));
    shown.collect::<Vec<_>>().join("\n")
}

/// The lines of standard output as JSON.
fn lines(place: &Place, command: &str, code: i32) -> Vec<Value> {
    let ran = place.reindex(command).exits(code);
    ran.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn looking_before_the_first_run_changes_nothing() {
    let place = place();
    let commands = [
        "check persons",
        "check persons --connect",
        "check persons --probe",
        "run persons --dry-run",
        "diff persons --limit 2",
        "status persons",
        "search persons x",
        "retry persons",
    ];
    snapshots().bind(|| insta::assert_snapshot!("looking", session(&place, &commands)));
    assert_eq!(place.reindex("status persons --json").exits(0).json(), Value::Null);
}

#[test]
fn running_retrying_and_rebuilding() {
    let place = place();
    let commands = [
        "run persons --limit 3",
        "run persons",
        "status persons",
        "search persons Jones --limit 1",
        "get persons nope",
        "diff persons",
        "verify persons",
        "retry persons --state known-error",
        "run persons --rebuild",
        "status persons",
        "run persons --rebuild --waive 1 --drop-old",
        "run persons --fresh",
    ];
    snapshots().bind(|| insta::assert_snapshot!("running", session(&place, &commands)));
    assert_eq!(place.documents("persons", "").len(), 10);
}

#[test]
fn a_mended_record_is_retried_and_a_changed_one_is_a_difference() {
    let place = place();
    place.reindex("run persons").exits(3);
    let first = fs::read_to_string(root().join("recipes/sample/people.jsonl")).unwrap();
    let first = first.lines().next().unwrap().to_owned();
    let id = serde_json::from_str::<Value>(&first).unwrap()["Item"]["id"]["S"].as_str().unwrap().to_owned();
    place.reindex_with("load people -", &(first.replace(&id, "nobody") + "\n")).exits(0);
    place.write("ids.txt", format!("\u{FEFF}{id}\r\n"));
    place.reindex("run persons --ids ids.txt").exits(0);
    let status = place.reindex("status persons").exits(0).out;
    assert!(status.contains("nobody"), "a run of other ids does not hide what is open: {status}");
    let retried = place.reindex("retry persons").exits(0);
    assert!(retried.err.contains("done: 11 read, 11 documents, 0 failed"), "{}", retried.err);
    let surname = place.reindex(&format!("get persons {id} --json")).exits(0).json()["document"]["surname"].clone();
    let surname = surname.as_str().unwrap();
    let changed = first.replace(&format!("\"S\":\"{surname}\""), "\"S\":\"Newname\"");
    place.reindex_with("load people -", &(changed + "\n")).exits(0);
    let differences = lines(&place, "diff persons --json", 7);
    assert_eq!((differences.len(), differences[0]["id"].as_str().unwrap()), (1, id.as_str()));
    assert!(differences[0].to_string().contains("Newname"), "{}", differences[0]);
    let dry = place.reindex("run persons --dry-run").exits(0);
    assert!(dry.err.contains("0 to add, 1 to change, 10 as they are"), "{}", dry.err);
    let only = place.reindex_with("run persons --ids -", &format!("{id}\nstranger\n")).exits(0);
    assert!(only.err.contains("done: 2 read, 1 documents, 1 not found, 0 failed"), "{}", only.err);
    place.write("ids.txt", format!("{id}\n\n  nobody \n"));
    let only = place.reindex("run persons --ids ids.txt").exits(0);
    assert!(only.err.contains("done: 2 read, 2 documents, 0 failed"), "{}", only.err);
    place.reindex("diff persons").exits(0);
}

#[test]
fn recipes_of_one_name_in_two_directories_keep_their_runs_apart() {
    let place = place();
    place.write("environments/local.toml", "environment = 1\n");
    let recipe = fs::read_to_string(place.path("persons.toml")).unwrap();
    let source = "[source.file]\npath = \"people.jsonl\"\n";
    let recipe = recipe.replace("file = \"persons.wasm\"", "file = \"../persons.wasm\"");
    let recipe = recipe.replace("[source.scan]\ntable = \"people\"\nsegments = 2\n", source);
    assert!(recipe.contains("source.file"), "{recipe}");
    let line = |id: &str, tenures: &str| format!("{{\"id\":\"{id}\",\"versionNumber\":1,\"tenures\":{tenures}}}\n");
    for (directory, invalid) in [("a", "a-invalid"), ("b", "b-invalid")] {
        place.write(&format!("{directory}/persons.toml"), &recipe);
        let lines = line(&format!("{directory}-valid"), "[]") + &line(invalid, "[{}]");
        place.write(&format!("{directory}/people.jsonl"), lines);
    }
    place.reindex("run a/persons.toml").exits(3);
    let other = place.reindex("retry b/persons.toml").exits(2);
    assert!(other.err.contains("was never run") && other.err.contains("another recipe `persons`"), "{}", other.err);
    assert!(place.reindex("status b/persons.toml").exits(0).err.contains("no run yet"));
    let ran = place.reindex("run b/persons.toml").exits(3);
    assert!(ran.err.contains("../a/persons.toml"), "{}", ran.err);
    for (directory, other) in [("a", "b"), ("b", "a")] {
        place.reindex(&format!("retry {directory}/persons.toml")).exits(3);
        let status = place.reindex(&format!("status {directory}/persons.toml")).exits(0).out;
        assert!(
            status.contains(&format!("{directory}-invalid")) && !status.contains(&format!("{other}-invalid")),
            "{status}"
        );
    }
    place.reindex("run a/persons.toml").exits(3);
}

#[test]
fn a_list_of_ids_is_worked_through_mended_and_worked_through_again() {
    let place = place();
    let dumped = fs::read_to_string(root().join("recipes/sample/people.jsonl")).unwrap();
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["Item"]["id"]["S"].as_str().unwrap().to_owned();
    let ids: String = dumped.lines().take(10).map(|line| id(line) + "\n").collect();
    place.write("ids.txt", ids + "nobody\nstranger\n");
    let commands = [
        "run persons --loaded",
        "ids load persons ids.txt",
        "run persons --loaded",
        "ids status persons",
        "ids dump persons --state not-found",
        "retry persons",
        "ids reset persons --state known-error --reason nonsense",
        "ids reset persons --state known-error --reason tenures[0].id",
        "ids reset persons --state known-error",
        "run persons --loaded --limit 3",
    ];
    snapshots().bind(|| insta::assert_snapshot!("loaded", session(&place, &commands)));
    let mended = dumped.lines().next().unwrap();
    place.reindex_with("load people -", &mended.replace(&id(mended), "nobody")).exits(0);
    place.reindex("ids reset persons --state known-error").exits(0);
    let again = place.reindex("run persons --loaded").exits(0);
    assert!(again.err.contains("in the list: 1 not-found, 11 verified"), "{}", again.err);
}

#[test]
fn ids_that_cannot_be_read_are_told() {
    let place = place();
    let commands = ["run persons --ids -", "run persons --ids nothing.txt", "run persons --ids - --limit 3"];
    snapshots().bind(|| insta::assert_snapshot!("ids", session(&place, &commands)));
}

#[test]
fn standard_output_carries_data_only_and_json_where_a_program_may_read() {
    let place = place();
    let ran = place.reindex("run persons --log json").exits(3);
    assert_eq!(ran.out, "");
    let events: Vec<Value> = ran.err.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names.first(), Some(&"note"));
    assert_eq!(names.last(), Some(&"ending"));
    assert!(["started", "progress", "item-failed", "ended"].iter().all(|name| names.contains(name)), "{names:?}");
    let status = place.reindex("status persons --json").exits(0).json();
    assert_eq!((&status["counts"]["read"], &status["counts"]["failed"]), (&11.into(), &1.into()));
    assert_eq!(status["groups"][0]["examples"][0], "nobody");
    let found = lines(&place, "search persons '' --json --limit 3", 0);
    assert_eq!(found.len(), 3);
    let id = found[0]["id"].as_str().unwrap();
    assert_eq!(lines(&place, &format!("get persons {id} --json"), 0), found[..1]);
    assert!(lines(&place, "diff persons --json", 3).is_empty());
    place.reindex("queue peek work --json").exits(2);
    place.reindex("queue send work x").exits(0);
    assert_eq!(lines(&place, "queue peek work --json", 0).len(), 1);
}

#[test]
fn an_environment_keeps_its_own_tables_and_indexes() {
    let place = place();
    let resources = ["people", "persons"].map(|name| format!("[backend.{name}.sqlite]\n"));
    place.write("environments/dev.toml", format!("environment = 1\n{}", resources.concat()));
    place.reindex("run persons").exits(3);
    let commands = ["run persons --env dvelopment", "run persons --env dev", "search persons x --env dev"];
    snapshots().bind(|| insta::assert_snapshot!("environment", session(&place, &commands)));
    place.reindex_with("load people - --env dev", "{\"id\":\"a\",\"versionNumber\":1,\"tenures\":[{}]}\n").exits(0);
    place.reindex("run persons --env dev").exits(3);
    assert!(place.documents("persons", "--env dev").is_empty());
    assert_eq!(place.documents("persons", "").len(), 10, "the other environment is as it was");
}

#[test]
fn source_is_never_built_where_that_is_forbidden() {
    let place = place();
    let recipe = fs::read_to_string(place.path("persons.toml")).unwrap();
    place.write("persons/Cargo.toml", "[package]\nname = \"persons\"\n");
    place.write("persons.toml", recipe.replace("file = \"persons.wasm\"", "source = \"persons\""));
    place.write("Cargo.toml", "[workspace]\n");
    snapshots().bind(|| insta::assert_snapshot!("no-build", session(&place, &["run persons --no-build"])));
}

#[test]
fn plugins_are_inspected_and_tested_with_their_samples() {
    let place = place();
    for sample in ["worked-example.json", "worked-example.expected.json"] {
        place.write(
            &format!("samples/{sample}"),
            fs::read(root().join("plugins/persons/samples").join(sample)).unwrap(),
        );
    }
    let inspected = place.reindex("plugin inspect persons.wasm").exits(0).out;
    assert!(inspected.contains("asks     to write index `persons`"), "{inspected}");
    place.reindex("plugin test persons.wasm").exits(0);
    let expected = fs::read_to_string(place.path("samples/worked-example.expected.json")).unwrap();
    place.write("samples/worked-example.expected.json", expected.replacen("\"title\"", "\"titel\"", 1));
    let commands = ["plugin test persons.wasm", "plugin test persons.wasm --accept", "plugin test persons.wasm"];
    snapshots().bind(|| insta::assert_snapshot!("plugin-test", session(&place, &commands)));
    let accepted = fs::read_to_string(place.path("samples/worked-example.expected.json")).unwrap();
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(json(&accepted), json(&expected));
    let commands = ["plugin test nothing.wasm", "plugin inspect persons.toml", "plugin build nowhere"];
    snapshots().bind(|| insta::assert_snapshot!("plugin-missing", session(&place, &commands)));
}

#[test]
fn a_plugin_that_looks_at_buckets_and_images_is_tested_without_either() {
    let place = Place::new();
    place.write("pyramid.wasm", component("pyramid"));
    let samples = root().join("plugins/pyramid/samples");
    place.reindex(&format!("plugin test pyramid.wasm --samples {}", samples.display())).exits(0);
    place.write("samples/image.json", r#"{"items":[],"images":{"masters":{"a/p.jpg":{"width":1}}}}"#);
    snapshots().bind(|| insta::assert_snapshot!("sample-of-images", session(&place, &["plugin test pyramid.wasm"])));
}

#[test]
fn a_plugin_of_this_repository_is_built_where_the_recipe_finds_it() {
    component("persons");
    let built = Place::new().reindex(&format!("plugin build {}", root().join("plugins/persons").display())).exits(0);
    assert!(
        built.out.ends_with("persons.wasm\n") && fs::metadata(built.out.trim()).is_ok(),
        "{}{}",
        built.out,
        built.err
    );
}

#[test]
fn what_editors_and_shells_read_is_well_formed() {
    let place = Place::new();
    let schema = place.reindex("recipe schema").exits(0);
    assert_eq!((schema.json()["type"].as_str(), schema.err.as_str()), (Some("object"), ""));
    let defaults = place.reindex("recipe defaults").exits(0).out;
    assert!(defaults.parse::<toml::Table>().unwrap().contains_key("limits"));
    for shell in ["bash", "zsh", "fish"] {
        let script = place.reindex(&format!("completions {shell}")).exits(0);
        assert!(script.out.contains("reindex") && script.out.contains("drop-old") && script.err.is_empty(), "{shell}");
    }
}

#[test]
fn a_new_plugin_is_built_tested_and_run_outside_this_repository() {
    let place = Place::new();
    place.reindex("plugin new contacts").exits(0);
    // Kept from test run to test run: only the first one builds everything.
    let target = concat!(env!("CARGO_TARGET_TMPDIR"), "/new-plugin");
    let reindex = |arguments| Ran::of(place.command(arguments).env("CARGO_TARGET_DIR", target).output().unwrap());
    let tested = reindex("plugin test contacts").exits(0);
    assert!(tested.out.starts_with("passed"), "{}{}", tested.out, tested.err);
    let run = reindex("run contacts/recipe.toml");
    assert!(run.err.contains("done: "), "{}", run.err);
    let found = reindex("search contacts '' --json --limit 1").exits(0);
    assert_eq!(found.out.lines().count(), 1, "{}{}", found.out, run.err);
}
