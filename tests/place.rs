//! A directory of its own to try the binary in: recipes, a plugin, records. The embedded default lies in it.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::sandbox::build::rogue;

/// What a command left behind.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the binary prints UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }

    /// The only JSON value on standard output.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// Exit code and both streams, as a person sees them.
    pub fn seen(&self) -> String {
        let code = self.code.map_or("a signal".to_owned(), |code| code.to_string());
        let part = |name: &str, text: &str| if text.is_empty() { String::new() } else { format!("--- {name}\n{text}") };
        format!("exit {code}\n{}{}", part("out", &self.out), part("err", &self.err))
    }
}

/// A directory to work in, removed when it is dropped.
pub struct Place(TempDir);

impl Place {
    /// An empty directory.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With the rogue as `rogue.wasm`.
    pub fn with_rogue() -> Self {
        let place = Self::new();
        place.write("rogue.wasm", rogue());
        place
    }

    /// A copy of everything in it, the embedded database included.
    pub fn copy(&self) -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        copy_into(self.0.path(), copy.0.path());
        copy
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// The command, not yet started.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reindex"));
        command.args(words(arguments)).current_dir(self.0.path()).env("NO_COLOR", "1");
        // Compiled plugins are kept from test to test.
        command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end; its arguments stand apart by spaces, and `''` is an empty one.
    pub fn reindex(&self, arguments: &str) -> Ran {
        Ran::of(self.command(arguments).output().expect("the binary runs"))
    }

    /// Runs a command that reads its standard input.
    pub fn reindex_with(&self, arguments: &str, input: &str) -> Ran {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("the binary runs");
        // A command that does not read its input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Ran::of(child.wait_with_output().expect("the binary ends"))
    }

    /// Starts a command and lets it go on.
    pub fn start(&self, arguments: &str) -> Child {
        self.command(arguments).spawn().expect("the binary runs")
    }

    /// Every document of an index by id.
    #[track_caller]
    pub fn documents(&self, index: &str, more: &str) -> BTreeMap<String, String> {
        let ran = self.reindex(&format!("search {index} '' --json --limit 100000 {more}")).exits(0);
        let value = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        ran.out.lines().map(value).map(|hit| (hit["id"].as_str().unwrap().to_owned(), hit.to_string())).collect()
    }
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, to) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), to).unwrap();
        } else if kind.is_dir() {
            fs::create_dir(&to).unwrap();
            copy_into(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn words(arguments: &str) -> impl Iterator<Item = &str> {
    arguments.split_whitespace().map(|word| if word == "''" { "" } else { word })
}

/// Snapshots without what differs from run to run: times, run ids, names of indexes, pids, directories.
pub fn snapshots() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, with) in [
        (r"\d{8}T\d{6}\.\d{3}-[0-9a-f]{6}", "RUN"),
        (r"_\d{8}t\d{6}_[0-9a-f]{6}", "_MADE"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
        (r"\b(in|took|began) (\d+m )?\d+(\.\d+)?m?s\b", "$1 TIME"),
        (r", \d[\d,.]*/s", ", RATE/s"),
        (r"\b(pid|process) \d+", "$1 PID"),
        (r"(/[^/ ]+)*/\.tmp\w{6}", "DIR"),
        (r"\bdigest [0-9a-f]{16}", "digest DIGEST"),
        (r"deeds\.rs:\d+:\d+", "deeds.rs:LINE"),
    ] {
        settings.add_filter(pattern, with);
    }
    settings
}
