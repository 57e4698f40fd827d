//! The command line as a person and a program meet it: what is printed where, and the exit code.

mod answers;
mod failures;
mod iam;
mod ids;
mod images;
mod lost;
mod next;
mod rerun;
mod session;
mod tables;
mod trouble;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// What a command left behind.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn reindex(directory: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reindex"));
    command.args(arguments).current_dir(directory).env("NO_COLOR", "1");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the binary ends");
    let text = |bytes| String::from_utf8(bytes).expect("the binary prints UTF-8");
    Ran { code: output.status.code().expect("no signal"), out: text(output.stdout), err: text(output.stderr) }
}

/// The text without the times in it.
fn timeless(text: &str) -> String {
    text.lines().map(|line| line.split(" in ").next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn without_arguments_the_help_is_shown_and_with_help_the_exit_codes() {
    let directory = tempfile::tempdir().unwrap();
    let bare = reindex(directory.path(), &[], "");
    assert_eq!((bare.code, bare.out.as_str()), (2, ""));
    assert!(bare.err.contains("Usage: reindex"));
    let help = reindex(directory.path(), &["--help"], "");
    assert_eq!(help.code, 0);
    insta::assert_snapshot!(help.out.split_once("Exit codes:").unwrap().1, @r"
      0  done
      1  a bug in reindex
      2  the recipe, the plugin or the command line has to be mended
      3  finished, but some ids failed
      4  stopped; the same command goes on
      5  a backend is unavailable
      6  denied: a grant or a permission is missing
      7  there are differences (diff, verify, plugin test)
    ");
}

#[test]
fn a_misspelt_command_has_a_suggestion() {
    let directory = tempfile::tempdir().unwrap();
    let ran = reindex(directory.path(), &["serch", "persons", "x"], "");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("'search'"), "{}", ran.err);
}

#[test]
fn loading_counts_every_line_and_says_which_were_refused() {
    let directory = tempfile::tempdir().unwrap();
    let lines = "{\"id\":\"a\",\"n\":1}\n\nbroken\n{\"n\":2}\n{\"id\":\"b\"}\n";
    let ran = reindex(directory.path(), &["load", "people", "-"], lines);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    insta::assert_snapshot!(timeless(&ran.err), @r"
    refused: -:3: the item is not JSON: expected value at line 1 column 1
    refused: -:4: id is missing
    loaded: 2 records
    next: run a recipe that reads `people`: reindex run RECIPE
    ");
}

#[test]
fn an_export_that_is_loaded_as_plain_json_is_recognised() {
    let directory = tempfile::tempdir().unwrap();
    let line = "{\"Item\":{\"id\":{\"S\":\"x\"}}}\n";
    let ran = reindex(directory.path(), &["load", "people", "-"], line);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--format dynamodb-json"), "{}", ran.err);
    assert_eq!(reindex(directory.path(), &["load", "people", "-", "--format", "dynamodb-json"], line).code, 0);
}

#[test]
fn typed_json_that_is_loaded_as_plain_json_is_recognised() {
    let directory = tempfile::tempdir().unwrap();
    let line = "{\"id\":{\"S\":\"x\"},\"tags\":{\"SS\":[\"a\"]}}\n";
    let ran = reindex(directory.path(), &["load", "people", "-"], line);
    assert!(ran.code == 2 && ran.err.contains("--format dynamodb-json"), "{}", ran.err);
    assert_eq!(reindex(directory.path(), &["load", "people", "-", "--format", "dynamodb-json"], line).code, 0);
    let plain = "{\"id\":\"x\",\"address\":{\"S\":\"x\"}}\n";
    assert_eq!(reindex(directory.path(), &["load", "places", "-"], plain).code, 0);
}

#[test]
fn a_misspelt_index_or_recipe_is_an_error_and_never_an_empty_answer() {
    let directory = tempfile::tempdir().unwrap();
    let ran = reindex(directory.path(), &["search", "persosn", "x"], "");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("there is no index `persosn`"), "{}", ran.err);
    fs::write(directory.path().join("persons.toml"), "recipe = 1\n").unwrap();
    let ran = reindex(directory.path(), &["run", "person"], "");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean ./persons.toml?"), "{}", ran.err);
}

#[test]
fn a_log_for_programs_is_json_line_by_line_errors_included() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [&["--log", "json", "load", "people", "-"][..], &["--log", "json", "run", "nothing"]] {
        let ran = reindex(directory.path(), arguments, "{\"id\":\"a\"}\n");
        assert!(!ran.err.is_empty());
        for line in ran.err.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(value["time"].is_string() && value["event"].is_string(), "{line}");
        }
    }
}

#[test]
fn a_new_plugin_has_all_its_files_and_nothing_is_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let made = reindex(directory.path(), &["plugin", "new", "contacts"], "");
    assert_eq!((made.code, made.out.as_str()), (0, "contacts\n"));
    let file = directory.path().join("contacts/src/lib.rs");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("contacts") && !text.contains("{{name}}"));
    fs::write(&file, "mine").unwrap();
    assert_eq!(reindex(directory.path(), &["plugin", "new", "contacts"], "").code, 2);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_reader_that_goes_away_is_a_quiet_end() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_reindex"));
    command.args(["recipe", "defaults"]).current_dir(directory.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), [].as_slice()));
}
