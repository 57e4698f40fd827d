//! NATS JetStream.

use std::{path::Path, sync::Arc, time::Duration};

use reindex::{
    backend::{Backends, Config, Mode},
    capability::queue::{Message, Queue},
    clock::System,
    error::Kind,
};
use servers::{Options, Server, shared, start};

use crate::{
    contract::queue::{self, Habits, message, send},
    run::consume,
};

const NOW: Duration = Duration::ZERO;

/// The queue an environment names so.
fn open(text: &str) -> Arc<dyn Queue> {
    open_at(&shared(Server::Nats).url(), text)
}

fn open_at(url: &str, text: &str) -> Arc<dyn Queue> {
    let config: Config = toml::from_str(&format!("[nats]\nurl = '{url}'\n{text}")).unwrap();
    let here = Path::new(".");
    let backends = Backends::new(here, here, Mode::ReadWrite, Arc::new(System));
    backends.queue("work", Some(&config)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_keeps_the_promises_of_a_queue() {
    let habits = Habits { backend: "nats queue", clock: None, lease: Duration::from_secs(2), many: 5_000 };
    let text = "stream = 'CONTRACT'\ncreate = true\nsubjects = ['contract.high', 'contract', 'contract.low']";
    queue::queue(open(text), &habits).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_from_nats_ends_like_a_scan() {
    let queue = open("stream = 'RUN'\ncreate = true\nsubjects = ['run.high', 'run.low']");
    consume::consume(&queue, "run").await;
}

#[tokio::test]
async fn the_lag_is_the_time_since_the_oldest_message_that_waits_was_sent() {
    let queue = open("stream = 'LAG'\ncreate = true\nsubject = 'lag'");
    send(&*queue, &[message("a", 0), message("b", 0)]).await;
    let before = queue.depth().await.unwrap();
    assert_eq!(before.waiting, 2, "nobody ever consumed");
    let taken = queue.receive(1, Duration::from_secs(60), NOW).await.unwrap();
    let after = queue.depth().await.unwrap();
    assert_eq!((taken[0].message.id.as_str(), after.waiting, after.in_hand), ("a", 1, 1));
    assert!(before.oldest.unwrap() <= after.oldest.unwrap());
    let last = queue.receive(5, Duration::from_secs(60), NOW).await.unwrap();
    assert_eq!((last.len(), queue.depth().await.unwrap().oldest), (1, None));
}

#[tokio::test]
async fn a_receipt_is_good_in_the_hands_of_another_process() {
    let text = "stream = 'HANDED'\ncreate = true\nsubject = 'handed'";
    let queue = open(text);
    send(&*queue, &[message("a", 0)]).await;
    let taken = queue.receive(1, Duration::from_secs(60), NOW).await.unwrap().remove(0);
    drop(queue);
    let other = open(text);
    assert_eq!(other.acknowledge(&[taken.receipt]).await.unwrap(), [true]);
    let depth = other.depth().await.unwrap();
    assert_eq!((depth.waiting, depth.in_hand), (0, 0));
}

#[tokio::test]
async fn a_message_that_is_too_big_costs_only_itself() {
    let queue = open("stream = 'SIZES'\ncreate = true\nsubject = 'sizes'");
    let big = Message { body: "x".repeat(2 << 20), ..message("big", 0) };
    let answers = queue.send(&[message("a", 0), big, message("b", 0)]).await.unwrap();
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(answers[1].as_ref().unwrap_err().kind(), Kind::Usage);
    assert_eq!(queue.depth().await.unwrap().waiting, 2);
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_said_and_not_made_unasked() {
    let queue = open("stream = 'NOWHERE'\nsubject = 'nowhere'");
    let error = queue.receive(1, Duration::from_secs(60), NOW).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{error:?}");
    assert!(error.report().contains("NOWHERE") && error.hint_text().unwrap().contains("create = true"), "{error:?}");
    let error = queue.send(&[message("a", 0)]).await.unwrap_err();
    assert!(error.kind() == Kind::NotFound && !error.concerns_item(), "no message is to blame: {error:?}");
}

#[tokio::test]
async fn a_queue_goes_on_when_its_server_comes_back() {
    let server = start(Server::Nats, &Options::default()).unwrap();
    let queue = open_at(&server.url(), "stream = 'BACK'\ncreate = true\nsubject = 'back'");
    send(&*queue, &[message("a", 0), message("b", 0)]).await;
    let taken = queue.receive(1, Duration::from_secs(60), NOW).await.unwrap().remove(0);
    server.kill();
    let error = queue.depth().await.unwrap_err();
    assert!(error.kind() == Kind::Unavailable && error.may_retry(), "{error:?}");
    server.restart().unwrap();
    while queue.acknowledge(std::slice::from_ref(&taken.receipt)).await.unwrap_or_default() != [true] {}
    let taken = queue.receive(5, Duration::from_secs(60), Duration::from_secs(20)).await.unwrap();
    assert_eq!(taken.iter().map(|taken| taken.message.id.as_str()).collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn a_server_that_wants_a_token_says_so_and_is_content_with_it() {
    let server = start(Server::Nats, &Options::default().set("authorization", "{ token: hush }")).unwrap();
    let text = "stream = 'TOKEN'\ncreate = true\nsubject = 'token'";
    let error = open_at(&server.url(), text).receive(1, Duration::from_secs(60), NOW).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Denied, "{error:?}");
    assert!(error.hint_text().unwrap().contains("token"), "{error:?}");
    let wrong = open_at(&server.url(), &format!("{text}\ntoken = 'hash'")).depth().await.unwrap_err();
    assert!(wrong.kind() == Kind::Denied && !wrong.report().contains("hash"), "{wrong:?}");
    send(&*open_at(&server.url(), &format!("{text}\ntoken = 'hush'")), &[message("a", 0)]).await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_worth_another_try() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let queue = open_at(&format!("nats://127.0.0.1:{port}"), "stream = 'GONE'\nsubject = 'gone'");
    let error = queue.depth().await.unwrap_err();
    assert!(error.kind() == Kind::Unavailable && error.may_retry() && error.hint_text().is_some(), "{error:?}");
}
