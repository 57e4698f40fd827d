//! Trouble with real servers, through the real binary: what a person reads, how the command exits, and that nothing is
//! lost: the run goes on after what was wrong is mended.

mod aws;
mod probe;
mod search;
mod secrets;

use std::process::Command;

use insta::Settings;
use servers::Running;

use crate::place::{Place, Ran, snapshots};

const RECIPE: &str = r#"
recipe = 1
[plugin]
file = "rogue.wasm"
[source.scan]
table = "things"
key = "id"
version = "v"
segments = 1
[grant.read]
storage = ["people"]
[grant.write]
index = ["rogues"]
[run]
batch-records = 50
workers = 1
attempts = 2
"#;

/// A place whose environment `lab` is what a test says; AWS knows the caller as a test server does.
struct Lab {
    place: Place,
    variables: Vec<(&'static str, &'static str)>,
}

impl Lab {
    fn new(environment: &str) -> Self {
        let place = Place::with_rogue();
        place.write("rogues.toml", RECIPE);
        let variables = vec![
            ("AWS_ACCESS_KEY_ID", "reindex"),
            ("AWS_SECRET_ACCESS_KEY", "reindex-tests"),
            ("AWS_REGION", "eu-west-2"),
        ];
        let lab = Self { place, variables };
        lab.environment(environment);
        lab
    }

    fn environment(&self, text: &str) {
        self.place.write("environments/lab.toml", format!("environment = 1\n{text}\n[backend.people.sqlite]\n"));
    }

    /// The recipe with another line.
    fn recipe(&self, from: &str, to: &str) {
        assert!(RECIPE.contains(from));
        self.place.write("rogues.toml", RECIPE.replace(from, to));
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.place.command(arguments);
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
            command.env_remove(name);
        }
        // No profile of whoever runs the tests, and no machine's own role.
        command.env("HOME", self.place.path("")).env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(self.variables.iter().copied());
        command
    }

    fn reindex(&self, arguments: &str) -> Ran {
        Ran::of(self.command(&format!("{arguments} --env lab")).output().unwrap())
    }

    /// Fills the source with things that are put as they are.
    fn load(&self, lines: &str, format: &str) {
        self.place.write("things.jsonl", lines);
        self.reindex(&format!("load things things.jsonl --format {format}")).exits(0);
    }

    /// Runs to the end; so many documents are there then.
    #[track_caller]
    fn goes_on(&self, documents: u64) {
        let ran = self.reindex("run rogues").exits(0);
        let status = self.reindex("status rogues --json").exits(0).json();
        let counts = &status["counts"];
        let there = counts["documents"].as_u64().unwrap() + counts["newer-there"].as_u64().unwrap();
        assert_eq!((there, &counts["failed"]), (documents, &0.into()), "{}", ran.err);
    }
}

/// Things with a version each, as plain lines.
fn things(numbers: std::ops::Range<usize>, version: i64, more: impl Fn(usize) -> String) -> String {
    numbers.map(|n| format!("{{\"id\":\"t{n:04}\",\"v\":{version},\"do\":\"good\"{}}}\n", more(n))).collect()
}

fn plain(numbers: std::ops::Range<usize>) -> String {
    things(numbers, 1, |_| String::new())
}

/// Snapshots without what differs from server to server.
fn told() -> Settings {
    let mut settings = snapshots();
    for (pattern, with) in [
        // Progress is said whenever there was time for it.
        (r"(?m)^rogues [\d,]+ / [\d,]+ .*\n", ""),
        // So is how far it got before it stopped.
        (r"stopped: [\d,]+ read, [\d,]+ documents", "stopped: SOME read, SOME documents"),
        (r"127\.0\.0\.1:\d+", "SERVER"),
        (r"_\d{8}t\d{6}_[0-9a-f]{6}", "_MADE"),
        (r"\b[A-Za-z0-9_-]{22}\b", "UUID"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "REQUEST"),
    ] {
        settings.add_filter(pattern, with);
    }
    settings
}

/// An index `rogues` in a cluster at this address, and things in SQLite.
fn searched(server: &Running, url: &str, alias: &str, more: &str) -> String {
    format!("[backend.things.sqlite]\n[backend.rogues.{}]\nurl = '{url}'\nalias = '{alias}'\n{more}\n", server.server())
}
