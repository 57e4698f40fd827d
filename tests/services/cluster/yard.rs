//! Persons in DynamoDB, an index in a cluster, a ledger that every process shares, and processes that work on them.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use aws_sdk_dynamodb::types::ScalarAttributeType;
use reindex::{
    backend::dynamodb::Table,
    capability::{index::Document, storage::Table as _},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use servers::{Server, shared};

use crate::{
    dynamodb,
    index::{open, say},
    place::Place,
    plugins::component,
};

/// How many persons there are, and every how many one cannot be mapped.
pub const PERSONS: usize = 200;
pub const INVALID_EVERY: usize = 50;
/// How many cannot be mapped.
pub const INVALID: usize = PERSONS / INVALID_EVERY;

/// Everything a run leaves behind that does not tell when it ran.
#[derive(Debug, PartialEq)]
pub struct Left {
    pub documents: BTreeMap<String, (Option<u64>, Value)>,
    counts: Value,
    groups: Value,
}

pub struct Yard {
    pub place: Place,
    pub engine: Server,
    pub table: Table,
    pub name: String,
}

impl Yard {
    /// A yard of its own under this name, with more lines for its recipe.
    pub async fn new(engine: Server, name: &str, more: &str) -> Self {
        let name = format!("{name}-{engine}");
        let table = dynamodb::make(&format!("people-{name}"), &[("id", ScalarAttributeType::S)], None).await;
        let place = Place::new();
        place.write("persons.wasm", component("persons"));
        let yard = Self { place, engine, table, name };
        yard.define("{}");
        yard.recipe("persons", "", more);
        yard.environment(&shared(engine).url(), "");
        yard.put(0..PERSONS, 1).await;
        yard
    }

    /// What the index is to be, with settings of its own.
    pub fn define(&self, settings: &str) {
        let name = &self.name;
        let definition = format!(r#"{{"settings":{settings},"mappings":{{"_meta":{{"yard":"{name}"}}}}}}"#);
        self.place.write("index.json", definition);
    }

    /// Another recipe over the same persons into the same index.
    pub fn recipe(&self, name: &str, settings: &str, more: &str) {
        let source = "[source.scan]\ntable = 'people'\nkey = 'id'\nversion = 'versionNumber'\nsegments = 16\n";
        self.recipe_from(name, source, &format!("batch-records = 5\nsegments-at-once = 2\n{settings}"), more);
    }

    pub fn recipe_from(&self, name: &str, source: &str, settings: &str, more: &str) {
        let text = format!(
            "recipe = 1\nname = '{name}'\ndefault-env = 'cluster'\n[plugin]\nfile = 'persons.wasm'\n{source}\
             [grant.write]\nindex = ['persons']\n[index.persons]\ndefinition = 'index.json'\n\
             [run]\nlease = '2s'\n{settings}{more}"
        );
        self.place.write(&format!("{name}.toml"), text);
    }

    /// Where everything is; the index's cluster may stand behind a proxy.
    pub fn environment(&self, url: &str, more: &str) {
        let (name, engine, aws) = (&self.name, self.engine, dynamodb::server().url());
        let text = format!(
            "environment = 1\n[aws]\nregion = 'eu-west-2'\nendpoint = '{aws}'\n\
             [ledger.dynamodb]\ntable = 'ledger-{name}'\ncreate = true\n\
             [backend.people.dynamodb]\ntable = 'people-{name}'\n\
             [backend.persons.{engine}]\nurl = '{url}'\nalias = 'cluster-{name}'\n{more}"
        );
        self.place.write("environments/cluster.toml", text);
    }

    pub fn alias(&self) -> String {
        format!("cluster-{}", self.name)
    }

    pub async fn put(&self, persons: impl Iterator<Item = usize>, version: usize) {
        let records: Vec<_> = persons.map(|number| person(number, version)).collect();
        for answer in self.table.put_many(&records).await.unwrap() {
            answer.unwrap();
        }
    }

    /// Starts a command whose log is heard line by line.
    pub fn start(&self, command: &str) -> Worker {
        let mut process = self.place.command(&format!("{command} --log json"));
        let mut child = credited(&mut process).stdout(Stdio::null()).spawn().unwrap();
        let (said, log) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| said.send(line)));
        Worker { child, log, heard: Vec::new() }
    }

    /// Runs a command to its end.
    pub fn reindex(&self, command: &str) -> crate::place::Ran {
        crate::place::Ran::of(credited(&mut self.place.command(command)).output().unwrap())
    }

    pub fn status(&self) -> Value {
        self.reindex("status persons --json").exits(0).json()
    }

    /// The concrete index behind the alias.
    pub async fn concrete(&self) -> String {
        let index = open(shared(self.engine), &self.alias(), "").unwrap();
        index.current().await.unwrap().unwrap().name
    }

    /// Every concrete index that was made for the alias.
    pub async fn indexes(&self) -> Vec<String> {
        let found = say(shared(self.engine), "GET", "persons_*", "").await;
        let mine = |index: &Value| index["mappings"]["_meta"]["yard"] == *self.name;
        found.as_object().unwrap().iter().filter(|(_, index)| mine(index)).map(|(name, _)| name.clone()).collect()
    }

    /// What a load changes of an index's settings, as they are now.
    pub async fn settings(&self, concrete: &str) -> Value {
        let found = say(shared(self.engine), "GET", &format!("{concrete}/_settings"), "").await;
        let index = &found[concrete]["settings"]["index"];
        ["refresh_interval", "number_of_replicas", "auto_expand_replicas"]
            .iter()
            .map(|name| index[*name].clone())
            .collect()
    }

    pub async fn documents(&self) -> BTreeMap<String, (Option<u64>, Value)> {
        let index = open(shared(self.engine), &self.alias(), "").unwrap();
        let listing = index.listed().unwrap().list(&self.concrete().await, None, None, None, 10_000).await.unwrap();
        let ids: Vec<_> = listing.documents.into_iter().map(|listed| listed.id).collect();
        let parsed = |found: Document| (found.id, (found.version, serde_json::from_str(&found.body).unwrap()));
        index.get_many(None, &ids).await.unwrap().into_iter().flatten().map(parsed).collect()
    }

    pub async fn left(&self) -> Left {
        let status = self.status();
        assert_eq!(status["run"]["phase"], "finished");
        Left { documents: self.documents().await, counts: status["counts"].clone(), groups: status["groups"].clone() }
    }
}

/// A process at work.
pub struct Worker {
    child: Child,
    log: Receiver<String>,
    pub heard: Vec<String>,
}

impl Worker {
    /// Listens until a line has this in it. False if it ended before.
    pub fn hear(&mut self, word: &str) -> bool {
        self.listen(|line| line.contains(word))
    }

    /// Listens until something was read. False if it ended before.
    pub fn hear_progress(&mut self) -> bool {
        self.listen(|line| line.contains("\"progress\"") && !line.contains("\"read\":0"))
    }

    /// Listens to so many more lines. False if it ended before.
    pub fn hear_lines(&mut self, lines: usize) -> bool {
        let mut left = lines;
        lines == 0
            || self.listen(|_| {
                left -= 1;
                left == 0
            })
    }

    fn listen(&mut self, mut enough: impl FnMut(&str) -> bool) -> bool {
        while let Ok(line) = self.log.recv() {
            self.heard.push(line);
            if enough(self.heard.last().unwrap()) {
                return true;
            }
        }
        false
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Listens to its end. Answers its exit code and what it said the run came to.
    pub fn end(mut self) -> Ended {
        while let Ok(line) = self.log.recv() {
            self.heard.push(line);
        }
        let code = self.child.wait().unwrap().code();
        let events: Vec<Value> = self.heard.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let last = events.iter().rev().find(|event| event["event"] == "ended").cloned().unwrap_or_default();
        Ended { code, run: last["run"].clone(), counts: last["counts"].clone(), log: self.heard.join("\n") }
    }
}

/// What a process said at its end.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub run: Value,
    pub counts: Value,
    pub log: String,
}

/// Each ended well and says the same of the same run.
#[track_caller]
pub fn agree(all: &[Ended]) {
    for ended in all {
        assert_eq!(ended.code, Some(3), "{}", ended.log);
        assert_eq!((&ended.run, &ended.counts), (&all[0].run, &all[0].counts), "{}", ended.log);
    }
}

fn person(number: usize, version: usize) -> String {
    let tenures = if number % INVALID_EVERY == 7 { r#"{"L":[{"M":{"uprn":{"S":"1"}}}]}"# } else { r#"{"L":[]}"# };
    format!(
        r#"{{"id":{{"S":"{}"}},"versionNumber":{{"N":"{version}"}},"firstName":{{"S":"Ada {number}"}},"tenures":{tenures}}}"#,
        id(number)
    )
}

pub fn id(number: usize) -> String {
    format!("p-{number:04}")
}

/// The servers that stand in for AWS believe everybody, but want to see a name.
fn credited(command: &mut std::process::Command) -> &mut std::process::Command {
    command.env("AWS_ACCESS_KEY_ID", "reindex").env("AWS_SECRET_ACCESS_KEY", "reindex-tests")
}
