//! Starts every server there is, and holds it to what tests rely on. Says aloud which ones could not be had.
#![allow(clippy::unwrap_used, missing_docs, clippy::print_stderr, reason = "a test says what failed by failing")]

mod request;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpStream},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use request::{get, mark, marked, send};
use servers::{Error, Options, Running, Server, shared, start};

/// Nothing, said aloud, where the tools of a server are not installed; in CI that is a failure.
fn started(server: Server, options: &Options) -> Option<Running> {
    match start(server, options) {
        Ok(running) => Some(running),
        Err(error @ Error::Missing(..)) if env::var_os("CI").is_none() => {
            eprintln!("NOT RUN: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn keeps_its_data(server: Server) {
    let Some(running) = started(server, &Options::default()) else { return };
    let port = running.port();
    mark(&running);
    running.restart().unwrap();
    assert!(marked(&running), "{server} forgot what it was told, stopped in good order");
    running.kill();
    assert!(!is_open(port), "{server} goes on after it was killed");
    running.restart().unwrap();
    assert!(marked(&running), "{server} forgot what it was told, killed");
    assert_eq!(running.port(), port);
    drop(running);
    assert!(!is_open(port), "{server} goes on after it was dropped");
}

fn is_open(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[test]
fn opensearch_keeps_its_data_when_it_is_restarted_or_killed() {
    keeps_its_data(Server::Opensearch);
}

#[test]
fn elasticsearch_keeps_its_data_when_it_is_restarted_or_killed() {
    keeps_its_data(Server::Elasticsearch);
}

#[test]
fn dynamodb_keeps_its_data_when_it_is_restarted_or_killed() {
    keeps_its_data(Server::Dynamodb);
}

#[test]
fn s3_keeps_its_data_when_it_is_restarted_or_killed() {
    keeps_its_data(Server::S3);
}

#[test]
fn minio_keeps_its_data_when_it_is_restarted_or_killed() {
    keeps_its_data(Server::Minio);
}

#[test]
fn sqs_keeps_its_data_when_it_is_restarted_or_killed() {
    keeps_its_data(Server::Sqs);
}

#[test]
fn nats_keeps_its_data_when_it_is_restarted_or_killed() {
    keeps_its_data(Server::Nats);
}

#[test]
fn a_server_dies_when_its_owner_is_killed() {
    if started(Server::Nats, &Options::default()).is_none() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let mut owner = Command::new(env!("CARGO_BIN_EXE_servers"));
    owner.args(["run", "nats"]).env("TMPDIR", place.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut owner = owner.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(owner.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().rsplit(':').next().unwrap().parse().unwrap();
    let homes = || fs::read_dir(place.path()).unwrap().filter(|entry| is_home(entry.as_ref().unwrap())).count();
    assert!(is_open(port) && homes() == 1, "{line}");
    // SIGKILL: the owner has no say in what happens next.
    owner.kill().unwrap();
    owner.wait().unwrap();
    while is_open(port) || homes() > 0 {
        sleep(Duration::from_millis(10));
    }
}

fn is_home(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with("reindex-nats-")
}

#[test]
fn a_setting_that_no_server_knows_is_answered_with_its_log() {
    if started(Server::Nats, &Options::default()).is_none() {
        return;
    }
    let wrong = start(Server::Nats, &Options::default().set("max_payload", "\"much\"")).unwrap_err();
    let Error::Start(Server::Nats, why, log) = &wrong else { panic!("{wrong}") };
    assert!(why.starts_with("it ended with") && log.contains("nats.conf:"), "{wrong}");
}

#[test]
fn a_narrow_cluster_takes_the_settings_it_is_given() {
    let narrow = Options::default().set("thread_pool.write.size", "1").set("thread_pool.write.queue_size", "2");
    for server in [Server::Opensearch, Server::Elasticsearch] {
        let Some(running) = started(server, &narrow) else { continue };
        let pools = get(&running, "/_nodes/settings?filter_path=nodes.*.settings.thread_pool.write");
        assert!(pools.contains(r#""size":"1""#) && pools.contains(r#""queue_size":"2""#), "{pools}");
    }
}

#[test]
fn elasticsearch_has_the_analysis_that_index_definitions_need() {
    let Some(running) = started(Server::Elasticsearch, &Options::default()) else { return };
    let analysis = r#"{"settings": {"analysis": {
        "tokenizer": {"edges": {"type": "edge_ngram", "min_gram": 1, "max_gram": 3, "token_chars": ["letter"]}},
        "analyzer": {"begins": {"type": "custom", "tokenizer": "edges", "filter": ["lowercase", "asciifolding"]}}}}}"#;
    send(&running, "PUT /names", &["content-type: application/json"], analysis);
    let text = r#"{"analyzer": "begins", "text": "Éva"}"#;
    let tokens = send(&running, "POST /names/_analyze", &["content-type: application/json"], text);
    for token in ["e", "ev", "eva"] {
        assert!(tokens.contains(&format!(r#""token":"{token}""#)), "{tokens}");
    }
    assert!(get(&running, "/").contains(r#""number":"8."#));
}

#[test]
fn what_is_shared_is_one_server() {
    if started(Server::Nats, &Options::default()).is_some() {
        let ports = [(), ()].map(|()| std::thread::spawn(|| shared(Server::Nats).port()).join().unwrap());
        assert_eq!(ports[0], ports[1]);
    }
}
