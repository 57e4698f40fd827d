//! Processes that divide a run; what becomes of one of them changes nothing of what it comes to.

use std::{fmt::Write as _, time::Duration};

use proxy::{Fault, Match, Proxy, Rule};
use rustix::process::Signal;
use servers::{Server, shared};
use tokio::sync::OnceCell;

use super::yard::{Left, PERSONS, Worker, Yard, agree, id};
use crate::queue::sqs;

/// What an undisturbed process leaves behind.
async fn expected() -> &'static Left {
    static LEFT: OnceCell<Left> = OnceCell::const_new();
    LEFT.get_or_init(async || {
        let yard = Yard::new(Server::Opensearch, "undisturbed", "").await;
        agree(&[yard.start("run persons").end()]);
        yard.left().await
    })
    .await
}

/// A yard whose cluster takes its time, so that there is something to divide.
async fn slow(name: &str) -> (Yard, Proxy) {
    let yard = Yard::new(Server::Opensearch, name, "").await;
    let proxy = Proxy::http(&shared(Server::Opensearch).url());
    proxy.add(Rule::new(Match::any().contains("_bulk"), Fault::Delay(Duration::from_millis(50))));
    yard.environment(&proxy.url(), "");
    (yard, proxy)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_together_come_to_what_one_comes_to() {
    for workers in [2, 4] {
        let (yard, _proxy) = slow(&format!("together-{workers}")).await;
        let running: Vec<_> = (0..workers).map(|_| yard.start("run persons")).collect();
        let ended: Vec<_> = running.into_iter().map(Worker::end).collect();
        agree(&ended);
        assert_eq!(&yard.left().await, expected().await);
        assert_eq!(yard.indexes().await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_others_go_on_where_one_was_killed_and_whoever_comes_late_helps() {
    let (yard, _proxy) = slow("killed").await;
    let mut first = yard.start("run persons");
    assert!(first.hear_progress());
    let mut second = yard.start("run persons");
    assert!(second.hear_progress());
    first.kill();
    let third = yard.start("run persons").end();
    agree(&[second.end(), third]);
    assert_eq!(&yard.left().await, expected().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stood_still_is_fenced_off_when_it_wakes() {
    let (yard, _proxy) = slow("stood-still").await;
    let mut first = yard.start("run persons");
    assert!(first.hear_progress());
    first.signal(Signal::STOP);
    let second = yard.start("run persons").end();
    assert!(second.log.contains("took over part"), "{}", second.log);
    let before = yard.left().await;
    first.signal(Signal::CONT);
    agree(&[first.end(), second]);
    assert_eq!(&before, expected().await);
    assert_eq!(yard.left().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_process_gives_its_leases_back_at_once() {
    let (yard, _proxy) = slow("interrupted").await;
    let long = std::fs::read_to_string(yard.place.path("persons.toml")).unwrap().replace("'2s'", "'10m'");
    yard.place.write("persons.toml", long);
    let mut first = yard.start("run persons");
    assert!(first.hear_progress());
    first.signal(Signal::INT);
    assert_eq!(first.end().code, Some(4));
    // It would wait for ten minutes otherwise.
    agree(&[yard.start("run persons").end()]);
    assert_eq!(&yard.left().await, expected().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_divide_a_list_of_ids() {
    let (yard, _proxy) = slow("ids").await;
    let mut ids = String::new();
    (0..PERSONS).for_each(|number| writeln!(ids, "{}", id(number)).unwrap());
    yard.place.write("ids.txt", ids);
    let mut running: Vec<_> = (0..2).map(|_| yard.start("run persons --ids ids.txt")).collect();
    assert!(running[0].hear_progress());
    running.remove(0).kill();
    running.push(yard.start("run persons --ids ids.txt"));
    let ended: Vec<_> = running.into_iter().map(Worker::end).collect();
    agree(&ended);
    let left = yard.left().await;
    assert_eq!(left.documents, expected().await.documents);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_gets_messages_of_a_queue() {
    let (yard, proxy) = slow("queue").await;
    let queue = shared(Server::Sqs);
    yard.environment(&proxy.url(), &format!("[backend.work.sqs]\nendpoint = '{}'\nqueue = 'cluster'\n", queue.url()));
    let source = "[source.queue]\nqueue = 'work'\ntable = 'people'\nkey = 'id'\nversion = 'versionNumber'\nlease = '5s'\nidle = '2s'\n";
    yard.recipe_from("persons", source, "batch-records = 1\n", "");
    let (url, client) = (sqs::make("cluster").await, sqs::client());
    for number in 0..PERSONS {
        client.send_message().queue_url(&url).message_body(id(number)).send().await.unwrap();
    }
    let mut running: Vec<_> = (0..3).map(|_| yard.start("run persons")).collect();
    let busy = || {
        let workers = yard.status()["workers"].clone();
        workers.as_array().unwrap().iter().filter(|worker| worker["segments"] != serde_json::json!([])).count()
    };
    assert!(running[0].hear_progress());
    while busy() < 3 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running.remove(0).kill();
    let ended: Vec<_> = running.into_iter().map(Worker::end).collect();
    agree(&ended);
    assert_eq!(yard.documents().await, expected().await.documents);
}
