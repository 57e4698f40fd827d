//! What a command says to do next: it runs as it is printed, from the same directory.

use std::{fs, path::Path, process::Command};

use super::{Ran, reindex};
use crate::{place::Place, plugins::component, plugins::root};

/// A recipe directory whose name has a space, with an environment; a person works beside it.
fn place() -> Place {
    let place = Place::new();
    place.write("my recipes/persons.wasm", component("persons"));
    place.write(
        "my recipes/environments/dev.toml",
        "environment = 1\n[backend.people.sqlite]\n[backend.persons.sqlite]\n[backend.work.sqlite]\n[backend.totals.sqlite]\n",
    );
    let recipe = fs::read_to_string(root().join("recipes/persons.toml")).unwrap();
    place.write(
        "my recipes/the persons.toml",
        "name = \"persons\"\n".to_owned()
            + &recipe.replace("source = \"../plugins/persons\"", "file = \"persons.wasm\""),
    );
    place
}

const PEOPLE: &str =
    "{\"id\":\"a\",\"versionNumber\":1,\"tenures\":[]}\n{\"id\":\"b\",\"versionNumber\":1,\"tenures\":[{}]}\n";

/// The commands of a `next:` line, without what is said of them and with something in the place of what a person
/// has to fill in.
fn commands(ran: &Ran) -> Vec<String> {
    let seen = format!("{}\n{}", ran.out, ran.err);
    let next = seen.lines().filter_map(|line| line.strip_prefix("next: ")).collect::<Vec<_>>().join("; ");
    assert!(!next.is_empty(), "no next step: {seen}");
    let words = [
        " goes ", " counts ", " lists ", " shows ", " puts ", " writes ", " fills ", ", after ", ", once ", " tries ",
        " starts ",
    ];
    let command = |part: &str| {
        let begin = part.find("reindex ")?;
        let part = &part[begin..];
        let end = words.iter().filter_map(|word| part.find(word)).min().unwrap_or(part.len());
        Some(part[..end].trim_end_matches('`').replace("WORDS", "x").replace(" FILE", " people.jsonl"))
    };
    next.split("; ").filter_map(command).collect()
}

/// Runs a line as a shell does.
fn shell(directory: &Path, line: &str) -> Ran {
    let binary = Path::new(env!("CARGO_BIN_EXE_reindex"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(directory).env("PATH", path).env("NO_COLOR", "1");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// Every next step of these commands, and every next step of those.
fn follow(directory: &Path, lines: &[&[&str]]) {
    for line in lines {
        let ran = reindex(directory, line, PEOPLE);
        for next in commands(&ran) {
            let followed = shell(directory, &next);
            assert!(
                ![1, 2, 5].contains(&followed.code) || followed.err.contains("no open id"),
                "{line:?} says to do `{next}`, which ends with {}: {}",
                followed.code,
                followed.err
            );
        }
    }
}

#[test]
fn every_next_step_runs_as_it_is_printed_with_its_environment_and_its_directory() {
    let place = place();
    let directory = place.path("");
    fs::write(directory.join("people.jsonl"), PEOPLE).unwrap();
    fs::write(directory.join("ids.txt"), "a\n").unwrap();
    let there = &["-C", "my recipes", "--env", "dev"];
    let with = |line: &[&'static str]| [line, &there[..]].concat();
    let lines = [
        with(&["load", "people", "people.jsonl"]),
        with(&["check", "the persons"]),
        with(&["status", "the persons"]),
        with(&["diff", "the persons", "--ids", "ids.txt"]),
        with(&["run", "the persons", "--ids", "ids.txt"]),
        with(&["run", "the persons"]),
        with(&["status", "the persons"]),
        with(&["failures", "the persons"]),
        with(&["failures", "the persons", "--id", "b"]),
        with(&["verify", "the persons"]),
        with(&["retry", "the persons"]),
        with(&["ids", "load", "the persons", "ids.txt"]),
        with(&["run", "the persons", "--loaded"]),
        with(&["queue", "send", "work", "x"]),
        with(&["table", "create", "totals"]),
    ];
    follow(&directory, &lines.iter().map(Vec::as_slice).collect::<Vec<_>>());
    // Named by its path, from outside; the options lead there.
    let path = "my recipes/the persons.toml";
    let lines = [
        ["run", path, "--env", "dev", "--ids", "ids.txt"].to_vec(),
        ["status", path, "--env", "dev"].to_vec(),
        ["run", path, "--env", "dev", "--dry-run"].to_vec(),
    ];
    follow(&directory, &lines.iter().map(Vec::as_slice).collect::<Vec<_>>());
}

#[test]
fn commands_with_and_without_a_recipe_use_the_same_state() {
    let place = Place::new();
    place.write("parcels/persons.wasm", component("persons"));
    let recipe = fs::read_to_string(root().join("recipes/persons.toml")).unwrap();
    let recipe = recipe.replace("source = \"../plugins/persons\"", "file = \"persons.wasm\"");
    place.write("parcels/recipe.toml", format!("name = \"parcels\"\n{recipe}"));
    // As `plugin new` makes it: a package, and so a workspace of its own.
    place.write("parcels/Cargo.toml", "[package]\nname = \"parcels\"\n");
    place.reindex_with("load people -", PEOPLE).exits(0);
    place.reindex("run parcels/recipe.toml").exits(3);
    assert_eq!(place.documents("persons", "").len(), 1);
    assert!(!place.path("parcels/.reindex").exists());
    let elsewhere = place.reindex("-C parcels search persons x").exits(2);
    assert!(elsewhere.err.contains("parcels/.reindex/reindex.db") && elsewhere.err.contains("-C"), "{}", elsewhere.err);
    // In a directory without a workspace of its own, the state above is found from within, too.
    fs::remove_file(place.path("parcels/Cargo.toml")).unwrap();
    place.write("Cargo.toml", "[workspace]\n");
    place.reindex("-C parcels search persons x").exits(0);
    let status = place.reindex("-C parcels status recipe").exits(0);
    assert!(status.out.contains("finished"), "{}{}", status.out, status.err);
}

#[test]
fn what_is_not_there_is_answered_with_where_it_was_looked_for() {
    let place = place();
    place.reindex_with("load people -", PEOPLE).exits(0);
    for line in ["search persons x", "table get people", "table get nobody a"] {
        let ran = place.reindex(&format!("-C {} {line}", place.path("nowhere/else").display()));
        assert!(ran.code == Some(2) && ran.err.contains("nowhere/else"), "{line}: {}", ran.err);
    }
    fs::create_dir(place.path("other")).unwrap();
    for line in ["search persons x", "table get people"] {
        let ran = place.reindex(&format!("-C other {line}")).exits(2);
        assert!(ran.err.contains("other/.reindex/reindex.db"), "{line}: {}", ran.err);
    }
}
