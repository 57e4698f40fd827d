//! How long a cluster remembers that a document was deleted.

use std::{sync::Arc, time::Duration};

use reindex::capability::index::{Index, Write, Written};
use servers::{Options, Running, Server, start};

use super::{open, put, say, stamp};

const SHORT: &str = r#"{"settings":{"index":{"gc_deletes":"1s"}}}"#;

/// Puts a document and deletes it with a higher version, in two calls.
async fn put_and_delete(index: &dyn Index, name: &str) {
    let deletion = Write { id: "x".to_owned(), version: Some(10), body: None };
    for write in [put("x", 9, "{}"), deletion] {
        assert_eq!(index.write(name, vec![write]).await.unwrap(), [Written::Done]);
    }
}

/// A write that was read before the deletion and comes after it.
async fn late(index: &dyn Index, name: &str) -> Written {
    index.write(name, vec![put("x", 4, "{}")]).await.unwrap().remove(0)
}

/// Waits until an index has forgotten its deletion.
async fn forgotten(index: &dyn Index, name: &str) {
    for _ in 0..600 {
        if late(index, name).await == Written::Done {
            return;
        }
        index.refresh(name).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{name} never forgets");
}

async fn remembered(server: &Running, index: Arc<dyn Index>) {
    index.create("short_1", SHORT, &stamp()).await.unwrap();
    index.create("own_1", "{}", &stamp()).await.unwrap();
    put_and_delete(&*index, "own_1").await;
    put_and_delete(&*index, "short_1").await;
    forgotten(&*index, "short_1").await;
    index.refresh("own_1").await.unwrap();
    assert_eq!(late(&*index, "own_1").await, Written::NewerThere, "remembered for longer");
    let settings = say(server, "GET", "own_1/_settings", "").await;
    assert_eq!(settings["own_1"]["settings"]["index"]["gc_deletes"], "1h");
    say(server, "POST", "own_1/_flush", "").await;
    server.restart().unwrap();
    // What the README says of it: the engine keeps these versions in memory only.
    assert_eq!(late(&*index, "own_1").await, Written::Done);
    put_and_delete(&*index, "own_1").await;
    assert_eq!(late(&*index, "own_1").await, Written::NewerThere, "the setting outlives a restart");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_is_remembered_for_an_hour_unless_the_server_restarts() {
    for engine in [Server::Opensearch, Server::Elasticsearch] {
        let server = start(engine, &Options::default()).unwrap();
        remembered(&server, open(&server, "deletions", "").unwrap()).await;
    }
}
