//! A service as its supervisor meets it: what it answers over HTTP, how it ends, and what it logs.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStderr},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{RECIPE, load, place};
use crate::place::{Place, snapshots};

/// No wait of these tests takes nearly as long.
const PATIENCE: Duration = Duration::from_secs(120);

/// A service with what it logs, line by line as JSON.
pub struct Serving {
    child: Child,
    log: std::io::Lines<BufReader<ChildStderr>>,
    pub address: String,
}

impl Serving {
    /// Starts a service on a port that is free.
    pub fn start(place: &Place, recipes: &str) -> Self {
        let mut child = place.start(&format!("serve {recipes} --listen 127.0.0.1:0 --log json"));
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut serving = Self { child, log, address: String::new() };
        let said = serving.hear(|line| line["text"].as_str()?.contains("listening on").then(|| line["text"].clone()));
        let said = said.as_str().unwrap().to_owned();
        serving.address = said.split(['/', ',']).nth(2).unwrap().to_owned();
        serving
    }

    /// The first answer to a line of the log.
    pub fn hear<T>(&mut self, mut answer: impl FnMut(&Value) -> Option<T>) -> T {
        let mut heard = String::new();
        for line in self.log.by_ref().map_while(Result::ok) {
            if let Some(answer) = answer(&serde_json::from_str(&line).expect(&line)) {
                return answer;
            }
            heard.push_str(&(line + "\n"));
        }
        panic!("it ended, and had said only\n{heard}")
    }

    /// Waits for an event.
    pub fn event(&mut self, name: &str) -> Value {
        self.hear(|line| (line["event"] == name).then(|| line.clone()))
    }

    /// Waits until it says something like this.
    pub fn says(&mut self, text: &str) {
        self.hear(|line| line["text"].as_str()?.contains(text).then_some(()));
    }

    /// Asks for a path. Answers the status and the body.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect(&answer);
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Asks until the answer has this status.
    pub fn until(&self, path: &str, status: u16) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let (found, body) = self.get(path);
            if found == status {
                return body;
            }
            assert!(Instant::now() < end, "{found} {body}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end. Answers the exit code, and what it still logged.
    pub fn ends(mut self) -> (Option<i32>, Vec<Value>) {
        let rest =
            self.log.by_ref().map_while(Result::ok).map(|line| serde_json::from_str(&line).expect(&line)).collect();
        (self.child.wait().unwrap().code(), rest)
    }

    /// Asks it to end and waits for that.
    pub fn stop(self) -> Vec<Value> {
        self.signal(Signal::TERM);
        let (code, rest) = self.ends();
        assert_eq!(code, Some(0), "{rest:?}");
        rest
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Nothing outlives its test, however that ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Like the recipe, but for things that come through a queue.
pub fn queued(place: &Place) {
    let (from, to) = (RECIPE.find("[source.scan]").unwrap(), RECIPE.find("[grant.read]").unwrap());
    let source = "[source.queue]\nqueue = \"work\"\nkey = \"id\"\nversion = \"v\"\n";
    place.write("queued.toml", [&RECIPE[..from], source, &RECIPE[to..]].concat());
}

#[test]
fn it_answers_whether_it_lives_and_is_ready_and_its_numbers() {
    let place = place(30, "good");
    load(&place, "others", 1, 3, "good");
    place.write("others.toml", RECIPE.replace("\"things\"", "\"others\""));
    let mut serving = Serving::start(&place, "rogues others");
    serving.until("/readyz", 200);
    assert_eq!(serving.get("/livez"), (200, "ok\n".to_owned()));
    let due = [serving.event("due"), serving.event("due")];
    let mut named: Vec<_> = due.iter().map(|line| line["recipe"].as_str().unwrap()).collect();
    named.sort_unstable();
    assert_eq!(named, ["others", "rogues"]);
    let (_, metrics) = serving.get("/metrics");
    for line in ["reindex_build_info{version=", "reindex_runs_started_total{recipe=\"others\"} 0"] {
        assert!(metrics.contains(line), "{metrics}");
    }
    assert!(metrics.contains("reindex_next_due_timestamp_seconds{recipe=\"rogues\"} "), "{metrics}");
    assert_eq!(serving.get("/").0, 404);
    let rest = serving.stop();
    assert!(rest.iter().any(|line| line["text"].as_str().is_some_and(|text| text.contains("stopping"))), "{rest:?}");
}

#[test]
fn a_run_that_was_killed_is_gone_on_with_stopped_and_ends_like_an_undisturbed_one() {
    let place = place(600, "good");
    let undisturbed = place.copy();
    undisturbed.reindex("run rogues").exits(0);
    let mut killed = place.start("run rogues --log json");
    let mut log = BufReader::new(killed.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains("\"progress\"")));
    killed.kill().unwrap();
    killed.wait().unwrap();
    let mut serving = Serving::start(&place, "rogues");
    assert_eq!(serving.event("started")["resumed"], true);
    serving.stop();
    let mut serving = Serving::start(&place, "rogues");
    serving.event("due");
    serving.stop();
    assert_eq!(place.documents("rogues", ""), undisturbed.documents("rogues", ""));
    let counts = |place: &Place| place.reindex("status rogues --json").json()["counts"].clone();
    assert_eq!(counts(&place), counts(&undisturbed));
}

#[test]
fn a_server_that_never_answers_holds_up_no_other_recipe_and_no_end() {
    let place = place(3, "good");
    // The system takes connections, and nobody says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let index = format!("[backend.rogues.elasticsearch]\nurl = 'http://{}'\n", silent.local_addr().unwrap());
    let tables = "[backend.things.sqlite]\n[backend.people.sqlite]\n";
    place.write("environments/silent.toml", format!("environment = 1\n{tables}{index}"));
    place.write("hung.toml", RECIPE.replace("recipe = 1\n", "recipe = 1\ndefault-env = \"silent\"\n"));
    for table in ["people", "things"] {
        place.reindex_with(&format!("load {table} - --env silent"), "{\"id\":\"p\",\"v\":1}\n").exits(0);
    }
    let mut serving = Serving::start(&place, "hung rogues");
    assert_eq!(serving.event("due")["recipe"], "rogues");
    assert_eq!(serving.get("/livez"), (200, "ok\n".to_owned()));
    assert!(serving.until("/readyz", 503).starts_with("hung: "));
    serving.stop();
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = place(3, "good");
    place.write("rogues.toml", RECIPE.replace("[run]", "[limits]\ncpu = \"10m\"\nwall = \"10m\"\n[run]"));
    load(&place, "things", 2, 3, "spin");
    let mut run = place.start("run rogues --log json");
    let mut log = BufReader::new(run.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains("\"started\"")));
    run.kill().unwrap();
    run.wait().unwrap();
    let mut serving = Serving::start(&place, "rogues");
    serving.event("started");
    serving.signal(Signal::TERM);
    serving.says("again to stop at once");
    assert_eq!(serving.get("/readyz"), (503, "stopping\n".to_owned()));
    assert_eq!(serving.get("/livez").0, 200, "what ends in order is alive");
    serving.signal(Signal::TERM);
    assert_eq!(serving.ends().0, Some(4));
}

#[test]
fn what_is_wrong_with_any_recipe_is_told_before_anything_begins() {
    let place = place(3, "good");
    place.write("unread.toml", RECIPE.replace("[run]", "[runs]"));
    place
        .write("unscheduled.toml", RECIPE.replace("[schedule]\ncron = \"30 5 * * *\"\nzone = \"Europe/London\"\n", ""));
    place.write("pluginless.toml", RECIPE.replace("rogue.wasm", "nothing.wasm"));
    let command = "serve rogues rogues unread unscheduled pluginless missing --listen none";
    snapshots().bind(|| insta::assert_snapshot!("wrong", place.reindex(command).seen()));
    assert!(!fs::exists(place.path(".reindex/rogues.lock")).unwrap());
}

#[test]
fn a_port_that_is_taken_is_refused() {
    let place = place(3, "good");
    let serving = Serving::start(&place, "rogues");
    let refused = place.reindex(&format!("serve rogues --listen {}", serving.address)).exits(2);
    assert!(refused.err.contains("cannot listen on") && refused.err.contains("hint: "), "{}", refused.err);
    serving.stop();
}

#[test]
fn a_log_for_people_begins_every_line_with_its_recipe() {
    let place = place(3, "good");
    let mut child = place.start("serve rogues --listen none");
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let first = log.next().unwrap();
    assert!(first.starts_with("rogues: note: runs next at "), "{first}");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert!(log.all(|line| line.starts_with("rogues: ")));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
