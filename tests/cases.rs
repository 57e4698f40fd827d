//! Bad input through the real binary: each folder of `cases/run` holds a recipe, its records, and what a person sees.

use std::{fs, path::Path};

use crate::{
    place::{Place, snapshots},
    plugins::root,
};

/// A case starts from a directory with the rogue and a table `people`, and its own files over it.
fn place(case: &Path) -> Place {
    let place = Place::with_rogue();
    place.reindex_with("load people -", "{\"id\":\"p1\"}\n").exits(0);
    for file in fs::read_dir(case).unwrap() {
        let file = file.unwrap();
        place.write(file.file_name().to_str().unwrap(), fs::read(file.path()).unwrap());
    }
    place
}

/// What a run, a look at it and a search show.
fn seen(place: &Place) -> String {
    let commands = ["run recipe.toml", "status recipe.toml", "search rogues '' --limit 3"];
    let shown = commands.map(|command| format!("$ reindex {command}\n{}", place.reindex(command).seen()));
    shown.join("\n")
}

/// A line that a finished run did not count would be a lost record.
fn no_line_is_lost(place: &Place) {
    let status = place.reindex("status recipe.toml --json");
    if status.code != Some(0) || status.json()["run"]["phase"] != "finished" {
        return;
    }
    let status = status.json();
    let items = fs::read(place.path("items.jsonl")).unwrap();
    let lines = items.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    let count = |name: &str| status["counts"][name].as_u64().unwrap();
    assert_eq!(count("read"), lines as u64, "{status}");
    let ends = ["done", "skipped", "not-found", "failed", "waiting"].map(count);
    assert_eq!(count("read"), ends.iter().sum::<u64>(), "{status}");
}

#[test]
fn bad_input_is_told_as_its_case_folder_says_and_no_record_is_lost() {
    let mut cases: Vec<_> =
        fs::read_dir(root().join("tests/cases/run")).unwrap().map(|case| case.unwrap().path()).collect();
    cases.sort();
    for case in cases {
        let place = place(&case);
        let mut settings = snapshots();
        settings.set_snapshot_path(&case);
        settings.set_description(case.file_name().unwrap().to_str().unwrap());
        settings.bind(|| insta::assert_snapshot!("expected", seen(&place)));
        no_line_is_lost(&place);
    }
}
