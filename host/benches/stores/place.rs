//! The servers, the table, the recipes and the files that every measurement works on.

use std::{
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use housing::{Housing, Kind};
use servers::{Options, Running, Server};

use super::{
    bare,
    child::{self, Cost},
    copy,
};

/// As many as the server needs to be fast: DynamoDB Local delays every page.
pub const SEGMENTS: u32 = 64;

/// Everything the measurements share; gone when it is dropped.
pub struct Place {
    directory: tempfile::TempDir,
    pub dynamodb: Running,
    pub opensearch: Running,
    pub elasticsearch: Running,
}

impl Place {
    pub fn new() -> Self {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target");
        // The servers as fast as they get: by default they start quickly instead.
        let start =
            |kind| servers::start(kind, &Options::default().jvm("-XX:TieredStopAtLevel=4").jvm("-Xmx1g")).unwrap();
        let place = Self {
            directory: tempfile::Builder::new().prefix("bench-").tempdir_in(target).unwrap(),
            dynamodb: start(Server::Dynamodb),
            opensearch: start(Server::Opensearch),
            elasticsearch: start(Server::Elasticsearch),
        };
        fs::create_dir(place.path("environments")).unwrap();
        fs::copy(component(), place.path("persons.wasm")).unwrap();
        for engine in ["opensearch", "elasticsearch"] {
            place.environment(engine, engine, "");
        }
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn url(&self, engine: &str) -> String {
        if engine == "opensearch" { self.opensearch.url() } else { self.elasticsearch.url() }
    }

    /// An environment of this name on an engine, and more lines.
    pub fn environment(&self, name: &str, engine: &str, more: &str) {
        let text = format!(
            "environment = 1\n[aws]\nregion = 'eu-west-2'\nendpoint = '{}'\n[backend.people.dynamodb]\ntable = 'people'\n\
             [backend.persons.{engine}]\nurl = '{}'\n{more}\n",
            self.dynamodb.url(),
            self.url(engine)
        );
        fs::write(self.path(&format!("environments/{name}.toml")), text).unwrap();
    }

    /// A recipe of this name that scans the table, or reads a file of JSON lines, into an index of the same name.
    pub fn recipe(&self, name: &str, source: &str) {
        let text = format!(
            "recipe = 1\n[plugin]\nfile = 'persons.wasm'\n{source}\nkey = 'id'\nversion = 'versionNumber'\n\
             [grant.write]\nindex = ['persons']\n"
        );
        fs::write(self.path(&format!("{name}.toml")), text).unwrap();
    }

    /// A file with people as JSON lines.
    pub fn lines(&self, items: u64) -> PathBuf {
        let path = self.path(&format!("people-{items}.jsonl"));
        if !path.exists() {
            let mut file = BufWriter::new(fs::File::create(&path).unwrap());
            for line in Housing::new(1).lines(Kind::People, 0..items) {
                writeln!(file, "{line}").unwrap();
            }
            file.flush().unwrap();
        }
        path
    }

    /// `reindex` with these arguments, as a user of the test servers.
    pub fn reindex(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reindex"));
        command.current_dir(self.directory.path()).args(arguments);
        credentials(&mut command);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Cost {
        child::run(&mut self.reindex(arguments))
    }

    /// This benchmark again, as the bare loop.
    pub fn bare(&self, arguments: &[&str]) -> Cost {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.current_dir(self.directory.path()).arg("--bare").args(arguments);
        credentials(&mut command);
        child::run(&mut command)
    }

    /// Empties what the engine holds, so that every measurement begins alike.
    pub fn clear(&self, engine: &str) {
        copy::wait(bare::remove_all(&self.url(engine)));
        // Segments that are still being merged would cost the next measurement.
        std::thread::sleep(Duration::from_secs(2));
        let _ = fs::remove_dir_all(self.path(".reindex").join(engine));
    }
}

/// DynamoDB Local takes any keys, but wants some.
pub fn credentials(command: &mut Command) {
    command
        .env("AWS_ACCESS_KEY_ID", "bench")
        .env("AWS_SECRET_ACCESS_KEY", "bench")
        .env("AWS_REGION", "eu-west-2")
        .env("AWS_DEFAULT_REGION", "eu-west-2");
}

/// The persons plugin as it is shipped.
fn component() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", "plugin", "--target", "wasm32-wasip2", "--package", "persons"])
        .current_dir(root)
        .status();
    assert!(built.unwrap().success(), "the plugin does not build");
    root.join("target/wasm32-wasip2/plugin/persons.wasm")
}
