//! Clusters that push back, are full, disappear, or are given what they cannot take.

use std::{sync::Arc, time::Duration};

use proxy::Proxy;
use reindex::{
    capability::index::{Index, Write, Written},
    error::Kind,
};
use servers::{Options, Running, Server, shared, start};

use super::{documents, open, opened, put, say, stamp};

/// Writes from many tasks at once; every document has to be there once, and be answered so.
async fn written_by_many(index: Arc<dyn Index>, name: &str, tasks: usize, each: usize) {
    let tasks: Vec<_> = (0..tasks)
        .map(|task| {
            let (index, name) = (index.clone(), name.to_owned());
            tokio::spawn(async move { index.write(&name, documents(task * each, (task + 1) * each)).await.unwrap() })
        })
        .collect();
    let mut written = 0;
    for task in tasks {
        let answers = task.await.unwrap();
        assert!(
            answers.iter().all(|answer| *answer == Written::Done),
            "{:?}",
            answers.iter().find(|answer| **answer != Written::Done)
        );
        written += answers.len() as u64;
    }
    assert_eq!(index.count(name).await.unwrap(), written);
}

/// Either engine says it in its own way: one refuses single writes, the other whole requests.
async fn pushed_back(engine: Server) {
    let narrow = Options::default().set("thread_pool.write.size", "1").set("thread_pool.write.queue_size", "2");
    let server = start(engine, &narrow).unwrap();
    let index = open(&server, "pressed", "bulk-bytes = '20 kB'\nbulk-parallel = 64").unwrap();
    let shards = r#"{"settings":{"number_of_shards":4,"number_of_replicas":0}}"#;
    index.create("pressed_1", shards, &stamp()).await.unwrap();
    written_by_many(index, "pressed_1", 16, 500).await;
    let path = "_nodes/stats/thread_pool?filter_path=nodes.*.thread_pool.write.rejected";
    let said = say(&server, "GET", path, "").await.to_string();
    assert!(!said.contains("\"rejected\":0"), "it was never pushed back: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_opensearch_pushes_back() {
    pushed_back(Server::Opensearch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_elasticsearch_pushes_back() {
    pushed_back(Server::Elasticsearch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_takes_no_writes_stops_the_run_and_takes_them_afterwards() {
    for engine in [Server::Opensearch, Server::Elasticsearch] {
        blocked(shared(engine)).await;
    }
}

async fn blocked(server: &Running) {
    let proxy = Proxy::http(&server.url());
    let index = opened(server.server(), &proxy.url(), "blocked", "").unwrap();
    index.create("blocked_1", "{}", &stamp()).await.unwrap();
    // What a full disk does.
    let block = |value: &str| format!("{{\"index.blocks.read_only_allow_delete\":{value}}}");
    say(server, "PUT", "blocked_1/_settings", &block("true")).await;
    let error = index.write("blocked_1", documents(0, 3)).await.unwrap_err();
    assert_eq!((error.kind(), error.may_retry()), (Kind::Unavailable, false), "{error:?}");
    assert!(error.hint_text().unwrap().contains("disk"), "{error:?}");
    let refused = || proxy.requests().iter().filter(|it| it.path.contains("_bulk") && it.status.is_some()).count();
    let before = refused();
    let waiting = tokio::spawn({
        let index = index.clone();
        async move { index.write("blocked_1", documents(0, 3)).await }
    });
    while refused() == before {
        assert!(!waiting.is_finished(), "it gave up before it asked");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    say(server, "PUT", "blocked_1/_settings", &block("null")).await;
    assert_eq!(waiting.await.unwrap().unwrap(), [Written::Done, Written::Done, Written::Done]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_cannot_take_is_refused_alone() {
    for engine in [Server::Opensearch, Server::Elasticsearch] {
        let server = start(engine, &Options::default().set("http.max_content_length", "1mb")).unwrap();
        let index = open(&server, "large", "").unwrap();
        index.create("large_1", "{}", &stamp()).await.unwrap();
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(2_000_000));
        let mut writes = documents(0, 2000);
        writes[1000] = put("large", 1, &large);
        let answers = index.write("large_1", writes).await.unwrap();
        for (n, answer) in answers.iter().enumerate() {
            assert_eq!(
                matches!(answer, Written::Refused(reason) if reason.contains("1048576")),
                n == 1000,
                "{n} {answer:?}"
            );
        }
        assert_eq!(index.count("large_1").await.unwrap(), 1999);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_document_in_a_thousand_is_refused_with_the_engines_reason() {
    for engine in [Server::Opensearch, Server::Elasticsearch] {
        let index = open(shared(engine), "picky", "").unwrap();
        let definition = r#"{"mappings":{"properties":{"n":{"type":"long"}}}}"#;
        index.create("picky_1", definition, &stamp()).await.unwrap();
        let mut writes = documents(0, 3000);
        for n in [7, 1007, 2007] {
            writes[n] = put(&format!("d-{n}"), 1, "{\"n\":\"many\"}");
        }
        writes[1] = Write { id: "x".repeat(600), ..writes[1].clone() };
        writes[2] = Write { version: Some(1 << 63), ..writes[2].clone() };
        writes[3] = Write { body: Some("{\"n\":1,}".to_owned()), ..writes[3].clone() };
        let answers = index.write("picky_1", writes).await.unwrap();
        for (n, answer) in answers.iter().enumerate() {
            match n {
                1 => assert_eq!(*answer, Written::Refused("the document's id has 600 bytes, not 1 to 512".to_owned())),
                2 | 3 => assert!(matches!(answer, Written::Refused(_)), "{answer:?}"),
                7 | 1007 | 2007 => {
                    let Written::Refused(reason) = answer else { panic!("{answer:?}") };
                    assert!(reason.contains("[n]") && reason.contains("For input string: \"many\""), "{reason}");
                }
                _ => assert_eq!(*answer, Written::Done),
            }
        }
        assert_eq!(index.count("picky_1").await.unwrap(), 2994);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_disappears_and_comes_back_loses_nothing() {
    for engine in [Server::Opensearch, Server::Elasticsearch] {
        let server = start(engine, &Options::default()).unwrap();
        let index = open(&server, "lost", "").unwrap();
        index.create("lost_1", "{}", &stamp()).await.unwrap();
        index.write("lost_1", documents(0, 500)).await.unwrap();
        server.kill();
        let error = index.write("lost_1", documents(0, 1000)).await.unwrap_err();
        assert_eq!((error.kind(), error.may_retry()), (Kind::Unavailable, true), "{error:?}");
        assert!(error.hint_text().is_some(), "{error:?}");
        server.restart().unwrap();
        let answers = index.write("lost_1", documents(0, 1000)).await.unwrap();
        assert!(answers.iter().all(|answer| *answer == Written::Done));
        assert_eq!(index.count("lost_1").await.unwrap(), 1000);
    }
}
