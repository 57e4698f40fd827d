//! Shows that each rule of the house catches its breach, on small sources made up here, and leaves the rest alone.

use super::{House, Source, source};

fn house(files: &[(&str, &str)]) -> House {
    let source = |(path, text): &(&str, &str)| Source { path: (*path).to_owned(), text: (*text).to_owned() };
    House { sources: files.iter().map(source).collect() }
}

/// The lines at which a rule finds a breach in one file.
fn lines(rule: fn(&House) -> Vec<String>, path: &str, text: &str) -> Vec<usize> {
    let breaches = rule(&house(&[(path, text)]));
    let line = |breach: &String| breach.split(':').nth(1).unwrap().parse().unwrap();
    breaches.iter().map(line).collect()
}

#[test]
fn a_neighbour_and_a_higher_floor_are_found_however_they_are_named() {
    let find = |path, text| lines(super::floors, path, text);
    let none: Vec<usize> = Vec::new();
    assert_eq!(find("host/src/record/item.rs", "use crate::ledger::State;"), [1]);
    assert_eq!(find("host/src/ledger/mod.rs", "use crate::{error::{Error, Kind},\n  capability::Queue};"), [2]);
    assert_eq!(find("host/src/ledger/mod.rs", "fn a() {\n  let b = crate::run::start();\n}"), [2]);
    assert_eq!(find("host/src/record/item.rs", "use super::super::cli::ui;"), [1]);
    assert_eq!(find("host/src/error.rs", "mod a { use super::super::clock::Clock; }"), [1]);
    assert_eq!(find("host/src/error.rs", "#[cfg(test)]\nmod tests { use crate::clock::Clock; }"), [2]);
    assert_eq!(find("host/src/record/item.rs", "use reindex::cli;"), [1]);
    assert_eq!(find("host/src/attic.rs", "//! a"), [1]);
    assert_eq!(find("host/src/run.rs", "use crate::Recipe;"), [1]);

    assert_eq!(find("host/src/run.rs", "use crate::{self as all, pipeline::*, recipe::Recipe as Said};"), [1]);
    assert_eq!(find("host/src/run.rs", "use crate::{pipeline::*, recipe::Recipe as Said};"), none);
    assert_eq!(
        find("host/src/record/item.rs", "use super::canonical;\nuse crate::record::Key;\npub(crate) fn a() {}"),
        none
    );
    assert_eq!(find("host/src/error.rs", "mod tests { use super::*; use super::Error; }"), none);
    assert_eq!(find("host/src/error.rs", "//! see [`crate::cli`]\nconst A: &str = \"crate::cli\";"), none);
    assert_eq!(find("host/src/lib.rs", "pub use crate::run::Run;"), none);
}

#[test]
fn a_heavy_word_abroad_is_found_and_at_home_is_not() {
    let find = |path, text| lines(super::words, path, text);
    let none: Vec<usize> = Vec::new();
    assert_eq!(find("host/src/run.rs", "fn a(e: wasmtime::Engine) {}"), [1]);
    assert_eq!(find("host/src/sandbox/pool.rs", "fn a(e: wasmtime::Engine) {}"), none);
    assert_eq!(find("host/src/backend/files/mod.rs", "use rusqlite::{\n  Connection};"), [2]);
    assert_eq!(find("host/src/ledger/mod.rs", "let a = jiff::Timestamp::now();"), [1]);
    assert_eq!(find("host/src/clock.rs", "let a = jiff::Timestamp::now();"), none);
    assert_eq!(find("host/src/run.rs", "use std::{fs, env::{self, var}};").len(), 3);
    assert_eq!(find("host/src/run.rs", "let a = env!(\"A\");\nlet env = a; env::vars();"), [2]);
    assert_eq!(find("host/src/run.rs", "println!(\"a\");\nstd::process::exit(1);"), [1, 2]);
    assert_eq!(find("host/src/cli/ui.rs", "println!(\"a\");\nstd::process::exit(1);"), none);
    assert_eq!(find("host/src/run.rs", "#[cfg(test)]\nmod tests { fn a() { println!(); } }\nprintln!();"), [3]);
    assert_eq!(find("host/src/run.rs", "#[cfg(test)]\nmod tests { fn a() { std::env::temp_dir(); } }"), [2]);
    assert_eq!(find("host/src/run.rs", "// println!\nlet a = r#\"todo!() \" println!\"#; /* dbg! /* */ dbg! */"), none);
}

#[test]
fn unfinished_work_is_found() {
    assert_eq!(lines(super::unfinished, "host/src/cli/run.rs", "fn a() { todo!() }"), [1]);
    assert_eq!(lines(super::unfinished, "plugins/cats/src/lib.rs", "fn a() {\n  unimplemented!(\"b\")\n}"), [2]);
    assert_eq!(lines(super::unfinished, "tests/a.rs", "fn a() { let todo = \"todo!()\"; }"), [0; 0]);
}

#[test]
fn a_stranger_and_a_gap_at_the_top_are_found() {
    let all = ["Cargo.toml", "README.md", "host/a", "plugins/a", "recipes/a", "tests/a", "wit/a", "dev"];
    let files: Vec<_> = all.iter().map(|path| (*path, "")).collect();
    assert_eq!(super::top(&house(&files)), Vec::<String>::new());
    assert_eq!(super::top(&house(&files[1..])), ["Cargo.toml:1: is missing at the top"]);
    let files = [files, vec![("scripts/a.sh", "")]].concat();
    assert_eq!(super::top(&house(&files)), ["scripts:1: does not belong at the top"]);
}

#[test]
fn an_undocumented_wit_item_is_found() {
    let text = "package a:b;\ninterface c {\n  use d.{e};\n  /// F.\n  record f {\n    g: u8,\n  }\n  /// H.\n  h: func(\n    i: u8,\n  ) -> u8;\n  enum j {\n    /// K.\n    k,\n    l(string),\n  }\n}\n";
    assert_eq!(lines(super::wit, "wit/a.wit", text), [2, 6, 12, 15]);
}

#[test]
fn a_missing_head_a_drawer_and_a_long_file_are_found() {
    assert_eq!(lines(super::heads, "host/src/run.rs", "// run\n"), [1]);
    assert_eq!(lines(super::heads, "host/src/run.rs", "//! Runs.\n"), [0; 0]);
    assert_eq!(lines(super::drawers, "host/src/backend/utils/mod.rs", ""), [1]);
    assert_eq!(lines(super::drawers, "plugins/a/src/helpers.rs", ""), [1]);
    assert_eq!(lines(super::lengths, "host/src/run.rs", &"\n".repeat(501)), [500]);
    assert_eq!(lines(super::lengths, "host/src/run.rs", &"\n".repeat(500)), [0; 0]);
}

#[test]
fn a_path_of_one_machine_and_a_registry_are_found() {
    assert_eq!(lines(super::places, "recipes/a.toml", "\nfile = \"/home/ada/a.jsonl\""), [2]);
    assert_eq!(lines(super::places, "plugins/a/package.json", "https://packages.example/a"), [1]);
    assert_eq!(lines(super::places, "plugins/a/package.json", "\"a\": \"./home/a\""), [0; 0]);
}

#[test]
fn an_entity_in_the_host_is_found() {
    let find = |path, text| super::entities(&house(&[("plugins/cats/Cargo.toml", ""), (path, text)])).len();
    assert_eq!(find("host/src/run.rs", "let a = if b == \"cats\" { 1 } else { 2 };"), 1);
    assert_eq!(find("host/src/run.rs", "mod cats;"), 1);
    assert_eq!(find("host/src/run.rs", "/// Such as `cats`.\nlet concats = \"guest\";"), 0);
    assert_eq!(find("host/src/run.rs", "#[cfg(test)]\nmod tests { const A: &str = \"cats {\"; }"), 0);
    assert_eq!(find("host/src/cli/run.rs", "const HELP: &str = \"reindex run recipes/cats.toml\";"), 0);
}

#[test]
fn literals_comments_and_lifetimes_are_told_apart() {
    let code = |text| source::mask(text, source::Keep::Code);
    assert_eq!(code("a('\"', b\"c\", 'd) // e"), "a(   ,     , 'd)     ");
    assert_eq!(code(r##"r#"a"b"# c '\'' d"##), "         c      d");
    assert_eq!(code("\"a\\\"b\nc\" d"), "     \n   d");
    assert_eq!(code("/* a /* b */ c */ d"), "                  d");
    assert_eq!(source::mask("// a\n\"b\"", source::Keep::CodeAndTexts), "    \n\"b\"");
}
