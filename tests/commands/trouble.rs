//! Trouble between two commands: a plugin, an index, a disk or a database that is not what it was.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use serde_json::json;

use crate::{
    place::{Place, Ran, snapshots},
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
    ")
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
    ")
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
    ")
    });
    place.write("other.json", r#"{"settings":{},"mappings":{"properties":{"do":{"type":"keyword"}}}}"#);
    change(&place, "[limits]", "[index.rogues]\ndefinition = \"other.json\"\n[limits]");
    let other = place.reindex("run rogues");
    snapshots().bind(|| {
        insta::assert_snapshot!(other.seen(), @r"
    exit 2
    --- err
    error: index `rogues` was made from another definition
      index  rogues_MADE

    hint: add `--rebuild`: a new index is filled and takes the alias; the old one stays as it is
    ")
    });
    assert_eq!(place.documents("rogues", "").len(), 3, "searchers are not disturbed");
    place.reindex("run rogues --rebuild").exits(0);
    assert_eq!(place.documents("rogues", "").len(), 3);
}

#[test]
fn a_database_of_a_newer_version_or_of_somebody_else_is_not_touched() {
    let place = place(3, "good");
    let file = place.path(".reindex/reindex.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let newer = place.reindex("run rogues");
    snapshots().bind(|| {
        insta::assert_snapshot!(newer.seen(), @r"
    exit 2
    --- err
    error: the database has version 99; this program knows 1 and older
      database  DIR/.reindex/reindex.db

    hint: use the newer `reindex` that wrote it, or name another file in the environment
    ")
    });
    place.reindex("search rogues x").exits(2);
    for journal in ["reindex.db-wal", "reindex.db-shm"] {
        let _ = fs::remove_file(place.path(".reindex").join(journal));
    }
    fs::write(&file, "this is a text, and long enough not to be taken for an empty database ".repeat(100)).unwrap();
    let text = place.reindex("run rogues");
    snapshots().bind(|| {
        insta::assert_snapshot!(text.seen(), @r"
    exit 2
    --- err
    error: the file is not a SQLite database
      database  DIR/.reindex/reindex.db
      because file is not a database
      because Error code 26: file is not a database

    hint: move the file away, or name another one in the environment
    ")
    });
    assert!(fs::read_to_string(&file).unwrap().starts_with("this is a text"));
}

#[test]
fn a_second_run_is_refused_with_the_pid_while_other_recipes_and_readers_go_on() {
    let place = place(30, "good");
    place.reindex("run rogues").exits(0);
    load(&place, 2, 30, "spin");
    let mut first = place.start("run rogues --log json");
    let mut log = BufReader::new(first.stderr.take().unwrap()).lines();
    assert!(log.next().unwrap().unwrap().contains("started"));
    let pid = first.id().to_string();
    let second = place.reindex("run rogues").exits(2);
    assert!(second.err.contains(&format!("already running as process {pid}")), "{}", second.err);
    place.reindex("retry rogues").exits(2);
    let status = place.reindex("status rogues").exits(0);
    assert!(status.out.contains(&format!("running (pid {pid})")), "{}", status.out);
    assert_eq!(place.documents("rogues", "").len(), 30);
    place.reindex_with("load others -", "{\"id\":\"o\",\"v\":1,\"do\":\"good\"}\n").exits(0);
    place.write("others.toml", RECIPE.replace("\"things\"", "\"others\""));
    let other = place.reindex("run others").exits(0);
    assert!(other.err.contains("done: 1 read, 1 documents"), "{}", other.err);
    assert_eq!(place.reindex("status others --json").json()["counts"]["done"], 1);
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(place.reindex("status rogues").exits(0).out.contains("stopped"), "the lock died with its process");
}

#[test]
fn a_reader_that_takes_one_line_of_many_is_no_error() {
    let place = place(300, "good");
    place.reindex("run rogues").exits(0);
    load(&place, 2, 300, "good");
    for command in ["search rogues '' --json --limit 300", "diff rogues --json"] {
        let mut child = place.start(command);
        let mut line = String::new();
        BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert!(line.starts_with('{'), "{line}");
        assert!(!ran.err.contains("panic") && !ran.err.contains("error"), "{command}: {}", ran.err);
        assert_eq!(ran.code, Some(0), "{command}: {}", ran.err);
    }
}

/// Runs lines of a shell, in which `$REINDEX` is the binary.
fn shell(place: &Place, program: &[&str], lines: &str) -> Ran {
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).args(["sh", "-euc", lines]).current_dir(place.path(""));
    command.env("REINDEX", env!("CARGO_BIN_EXE_reindex")).env("NO_COLOR", "1").stdin(Stdio::null());
    Ran::of(command.output().expect("a shell runs"))
}

/// Fills an index until the disk is full, makes room, and goes on.
fn outgrow(place: &Place, program: &[&str], small: &str, first: &str, large: &str) {
    let pad = "words that fill the disk ".repeat(4);
    let line = |n| json!({ "id": format!("t{n}"), "do": "good", "pad": pad }).to_string() + "\n";
    place.write("items.jsonl", (0..2000).map(line).collect::<String>());
    let source = "[source.file]\npath = \"items.jsonl\"\nkey = \"id\"\nversion = \"none\"\n";
    let scan = "[source.scan]\ntable = \"things\"\nkey = \"id\"\nversion = \"v\"\n";
    change(place, scan, source);
    let ran = shell(
        place,
        program,
        &format!(
            "{small}
            echo '{{\"id\":\"p\"}}' | $REINDEX load people -
            set +e
            ( {first}; $REINDEX run rogues ); echo full $?
            $REINDEX status rogues
            {large}
            $REINDEX run rogues; echo again $?
            $REINDEX search rogues '' --json --limit 100000 | wc -l"
        ),
    );
    assert!(ran.out.contains("full 5\n"), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("nothing was half written"), "{}", ran.err);
    assert!(ran.out.contains("next: reindex run rogues goes on from here"), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("rogues goes on with run"), "{}", ran.err);
    assert!(ran.out.ends_with("again 0\n2000\n"), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("done: 2,000 read, 2,000 documents, 0 failed"), "{}", ran.err);
}

#[test]
fn a_file_that_may_not_grow_stops_the_run_which_goes_on_when_it_may() {
    let place = place(0, "good");
    // The limit is inherited by the first run only; without the trap it would be a signal and not an error.
    outgrow(&place, &["env"], "", "trap '' XFSZ; ulimit -f 300", "");
}

#[test]
fn a_full_disk_stops_the_run_which_goes_on_after_there_is_room() {
    let private = ["unshare", "--mount", "--map-root-user"];
    let place = place(0, "good");
    if !shell(&place, &private, "mkdir t; mount -t tmpfs none t").code.is_some_and(|code| code == 0) {
        assert!(std::env::var_os("CI").is_none(), "a full disk needs the right to mount one");
        eprintln!("NOT TESTED: a full disk, since nothing may be mounted here; a limit on the file's size was tried");
        return;
    }
    let kept = fs::read_link(place.path(".reindex/cache")).unwrap();
    let mount = format!("mount -t tmpfs -o size=1m none .reindex; ln -s {} .reindex/cache", kept.display());
    outgrow(&place, &private, &mount, "true", "mount -o remount,size=40m .reindex");
}
