//! A disk that is full, a file that may not grow, and a database that is not ours.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::{change, place};
use crate::place::{Place, Ran, snapshots};

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
    error: the database has version 99; this program knows 6 and older
      database  DIR/.reindex/reindex.db

    hint: use the newer `reindex` that wrote it, or name another file in the environment
    ");
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

    hint: move the file away, or name another one in the environment
    ");
    });
    assert!(fs::read_to_string(&file).unwrap().starts_with("this is a text"));
}

/// Runs lines of a shell, in which `$REINDEX` is the binary.
fn shell(place: &Place, program: &[&str], lines: &str) -> Ran {
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).args(["sh", "-euc", lines]).current_dir(place.path(""));
    command.env("REINDEX", env!("CARGO_BIN_EXE_reindex")).env("NO_COLOR", "1").stdin(Stdio::null());
    Ran::of(command.output().expect("a shell runs"))
}

/// Lets the recipe read a file instead of the table.
fn read_file(place: &Place, file: &str) {
    let scan = "[source.scan]\ntable = \"things\"\nkey = \"id\"\nversion = \"v\"\n";
    change(place, scan, &format!("[source.file]\npath = \"{file}\"\nkey = \"id\"\nversion = \"none\"\n"));
}

/// Fills an index until the disk is full, makes room, and goes on.
fn outgrow(place: &Place, program: &[&str], small: &str, first: &str, large: &str) {
    let pad = "words that fill the disk ".repeat(4);
    let line = |n| json!({ "id": format!("t{n}"), "do": "good", "pad": pad }).to_string() + "\n";
    place.write("items.jsonl", (0..2000).map(line).collect::<String>());
    read_file(place, "items.jsonl");
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
#[expect(clippy::print_stderr, reason = "what could not be tested is said aloud")]
fn a_full_disk_stops_the_run_which_goes_on_after_there_is_room() {
    let private = ["unshare", "--mount", "--map-root-user"];
    let place = place(0, "good");
    if shell(&place, &private, "mkdir t; mount -t tmpfs none t").code.is_none_or(|code| code != 0) {
        assert!(std::env::var_os("CI").is_none(), "a full disk needs the right to mount one");
        eprintln!("NOT TESTED: a full disk, since nothing may be mounted here; a limit on the file's size was tried");
        return;
    }
    let mount = "mkdir -p .reindex; mount -t tmpfs -o size=1m none .reindex";
    outgrow(&place, &private, mount, "true", "mount -o remount,size=40m .reindex");
}

#[test]
fn a_compressed_file_that_is_cut_off_is_told_and_what_was_whole_is_there() {
    let place = place(0, "good");
    read_file(&place, "items.jsonl.gz");
    let mut compressed = GzEncoder::new(Vec::new(), Compression::default());
    for n in 0..5000 {
        writeln!(compressed, "{}", json!({ "id": format!("t{n}"), "do": "good", "pad": n * 7919 % 5000 })).unwrap();
    }
    let whole = compressed.finish().unwrap();
    place.write("items.jsonl.gz", &whole[..whole.len() / 2]);
    let cut = place.reindex("run rogues").exits(2);
    assert!(cut.err.contains("the compressed file is cut off or damaged"), "{}", cut.err);
    assert!(place.documents("rogues", "").len() > 100);
    place.write("items.jsonl.gz", &whole);
    let changed = place.reindex("run rogues").exits(2);
    assert!(changed.err.contains("its source changed since it began"), "{}", changed.err);
    place.reindex("run rogues --fresh").exits(0);
    assert_eq!(place.documents("rogues", "").len(), 5000);
}
