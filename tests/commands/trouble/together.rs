//! Several commands at one time, and readers that go away.

use std::io::{BufRead, BufReader};

use super::{RECIPE, load, place};
use crate::place::{Place, Ran};

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

/// So many recipes, each with records of its own, that fill one index.
fn sharers(count: usize) -> (Place, Vec<String>) {
    let place = place(1, "good");
    let names: Vec<_> = (0..count).map(|n| format!("sharer-{n}")).collect();
    for name in &names {
        place
            .reindex_with(&format!("load {name} -"), &format!("{{\"id\":\"{name}\",\"v\":1,\"do\":\"good\"}}\n"))
            .exits(0);
        place.write(&format!("{name}.toml"), RECIPE.replace("\"things\"", &format!("\"{name}\"")));
    }
    (place, names)
}

#[test]
fn recipes_that_fill_one_index_and_begin_at_the_same_moment_make_it_once() {
    for _ in 0..4 {
        let (place, names) = sharers(4);
        let running: Vec<_> = names.iter().map(|name| place.start(&format!("run {name}"))).collect();
        for child in running {
            Ran::of(child.wait_with_output().unwrap()).exits(0);
        }
        assert_eq!(place.documents("rogues", "").into_keys().collect::<Vec<_>>(), names);
    }
}

#[test]
fn a_run_whose_index_is_exchanged_under_it_says_so_and_does_not_claim_to_be_done() {
    let (place, names) = sharers(1);
    place.reindex(&format!("run {}", names[0])).exits(0);
    load(&place, 1, 1, "spin");
    let mut run = place.start("run rogues --log json");
    let mut log = BufReader::new(run.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains("started")));
    place.reindex(&format!("run {} --rebuild", names[0])).exits(0);
    let rest: Vec<_> = log.collect();
    assert_eq!(run.wait().unwrap().code(), Some(2), "{rest:?}");
    assert!(rest.join("\n").contains("which this run was filling, is no longer behind `rogues`"), "{rest:?}");
    place.reindex("run rogues").exits(2);
    place.reindex("run rogues --fresh").exits(3);
}

#[test]
fn a_log_that_cannot_be_written_is_no_reason_to_stop() {
    let place = place(30, "good");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ran = place.command("run rogues").stderr(full).output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    assert_eq!(place.documents("rogues", "").len(), 30);
}
