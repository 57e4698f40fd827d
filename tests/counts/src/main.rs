//! `./dev counts`: counts the instructions of hot paths under valgrind's callgrind, and compares them with what
//! `tests/counts.txt` says. More than 3 % above it fails and names the functions that grew.
//!
//! Instructions and not time: the same code and input give the same count on a busy machine. The paths are tests of
//! `tests/counts.rs`, in the binary that the other tests are in, so that nothing is built for them.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks")]

mod profile;
mod table;

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use profile::Profile;
use table::Table;

/// A path: its test, and the function that holds all of it.
struct Hot {
    test: &'static str,
    function: &'static str,
}

const HOT: [Hot; 5] = [
    Hot { test: "canonical_item_from_plain", function: "counts::read_plain" },
    Hot { test: "canonical_item_from_typed", function: "counts::read_typed" },
    Hot { test: "canonical_item_from_typed_for_a_plain_plugin", function: "counts::read_typed_as_plain" },
    Hot { test: "ledger_commit", function: "backend::sqlite::writer::run" },
    Hot { test: "sqlite_batch", function: "backend::sqlite::writer::run" },
];

const USAGE: &str = "usage: counts TEST_BINARY TABLE [--accept]";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [binary, table] => compare(binary.as_ref(), table.as_ref()),
        [binary, table, "--accept"] => accept(binary.as_ref(), table.as_ref()),
        _ => Err(USAGE.to_owned()),
    };
    result.map_or_else(
        |why| {
            eprintln!("{why}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn compare(binary: &Path, file: &Path) -> Result<(), String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}; --accept writes it", file.display()))?;
    let (before, now) = (Table::parse(&text)?, count(binary)?);
    let grown = before.grown(&now);
    if grown.is_empty() { Ok(()) } else { Err(grown.join("\n")) }
}

fn accept(binary: &Path, file: &Path) -> Result<(), String> {
    fs::write(file, count(binary)?.to_string()).map_err(|error| format!("{}: {error}", file.display()))
}

fn count(binary: &Path) -> Result<Table, String> {
    let mut table = Table::default();
    for hot in &HOT {
        let profile = run(binary, hot.test)?;
        let total = profile.inclusive(hot.function).ok_or_else(|| format!("{} was never called", hot.function))?;
        println!("{:>12} {}", total, hot.test);
        table.add(hot.test, total, profile.largest());
    }
    Ok(table)
}

fn run(binary: &Path, test: &str) -> Result<Profile, String> {
    let out = env::temp_dir().join(format!("reindex-counts-{}", std::process::id()));
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", &format!("--callgrind-out-file={}", out.display())])
        .arg(binary)
        .args(["--ignored", "--exact", &format!("counts::{test}"), "--test-threads=1"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("cannot run valgrind: {error}; on Debian: apt-get install valgrind"))?;
    let text = fs::read_to_string(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    // What is left of it is in a directory for such things.
    let _ = fs::remove_file(&out);
    if status.success() { Profile::parse(&text) } else { Err(format!("the test {test} failed under valgrind")) }
}
