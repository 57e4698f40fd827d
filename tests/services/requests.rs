//! Events on SQS become requests in S3, whatever the servers do meanwhile.

use std::{path::Path, sync::Arc, time::Duration};

use proxy::{Fault, Match, Pick, Proxy, Rule};
use reindex::{
    backend::{Backends, Config, Mode},
    capability::storage::{Bucket, Scan as _, Segment},
    clock::System,
};
use serde_json::{Value, json};
use servers::{Server, shared};

use crate::{
    contract::intake::{Desk, created, intake},
    queue::sqs,
    s3,
    session::session,
};

/// A desk of its own on the servers, which are reached at these addresses.
async fn desk(name: &str, queue: &str, objects: &str) -> Desk {
    sqs::make(name).await;
    let backends = Backends::new(Path::new("."), Path::new("."), Mode::ReadWrite, Arc::new(System));
    let backends = backends.with_aws(session());
    let bound = |text: String| toml::from_str::<Config>(&text).unwrap();
    let bucket = |name: String, prefix: &str| -> Arc<dyn Bucket> {
        let text = format!("[s3]\nbucket = '{name}'\nprefix = '{prefix}'\nendpoint = '{objects}'\npath-style = true");
        backends.bucket("any", Some(&bound(text))).unwrap()
    };
    let (requests, masters) = (format!("{name}-desk"), format!("{name}-masters"));
    s3::make_bucket(&requests).await;
    s3::make_bucket(&masters).await;
    let queue = bound(format!("[sqs]\nqueue = '{name}'\nendpoint = '{queue}'"));
    Desk {
        queue: backends.queue("events", Some(&queue)).unwrap(),
        bucket: bucket(requests, ""),
        objects: bucket(masters.clone(), ""),
        name: masters,
    }
}

/// The same desk, of whose masters only those in one part are served.
fn part(desk: Desk) -> Desk {
    let backends = Backends::new(Path::new("."), Path::new("."), Mode::ReadWrite, Arc::new(System));
    let text = format!(
        "[s3]\nbucket = '{}'\nprefix = 'part/'\nendpoint = '{}'\npath-style = true",
        desk.name,
        shared(Server::S3).url()
    );
    let objects = backends.with_aws(session()).bucket("any", Some(&toml::from_str(&text).unwrap())).unwrap();
    Desk { objects, ..desk }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_on_sqs_become_requests_in_s3() {
    intake(desk("told", &shared(Server::Sqs).url(), &shared(Server::S3).url()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_another_bucket_or_outside_the_part_that_is_served_is_none_of_ours() {
    let desk = desk("outside", &shared(Server::Sqs).url(), &shared(Server::S3).url()).await;
    let desk = part(desk);
    desk.tell(&[
        created(&desk.name, "part/digital/a.tif", "x", "01"),
        created(&desk.name, "digital/a.tif", "x", "01"),
        created("another", "part/digital/b.tif", "x", "01"),
    ])
    .await;
    let taken = desk.take_in().await;
    assert_eq!((taken.asked, taken.passed.values().sum::<u64>()), (1, 2), "{:?}", taken.passed);
    taken.of("digital/a.tif");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_may_name_the_bucket_as_its_server_does_and_one_for_another_keeps_its_name() {
    let desk = desk("named", &shared(Server::Sqs).url(), &shared(Server::S3).url()).await;
    for (file, bucket, key) in [
        ("1", "", "digital/a.tif"),
        ("2", "masters", "digital/a.tif"),
        ("3", &*desk.name, "part/digital/a.tif"),
        ("4", &*desk.name, "digital/a.tif"),
        ("5", "another", "part/digital/a.tif"),
    ] {
        let body = json!({ "bucket": bucket, "key": key }).to_string();
        desk.bucket.put(&format!("requests/{file}.json"), body.into_bytes(), None).await.unwrap();
    }
    let desk = part(desk);
    let page = desk.requests().read(Segment { number: 0, total: 1 }, None, 10).await.unwrap();
    let asked = page.rows.iter().map(|row| {
        let request: Value = serde_json::from_slice(&row.body).unwrap();
        ["bucket", "key", "path"].map(|name| request[name].as_str().unwrap().to_owned()).join(" ")
    });
    let own = "masters digital/a.tif digital/".to_owned();
    let others =
        [format!("{} digital/a.tif digital/", desk.name), "another part/digital/a.tif part/digital/".to_owned()];
    assert_eq!(asked.collect::<Vec<_>>(), [vec![own; 3], others.into()].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_that_vanish_or_have_too_much_cost_time_and_no_event() {
    let (queue, objects) = (Proxy::http(&shared(Server::Sqs).url()), Proxy::http(&shared(Server::S3).url()));
    let desk = desk("vanishing", &queue.url(), &objects.url()).await;
    let events: Vec<_> = (0..60)
        .map(|number| created(&desk.name, &format!("digital/{}.tif", number % 40), "x", &format!("{number:04}")))
        .collect();
    desk.tell(&events).await;
    let vanishes = |seconds| Fault::Down(Some(Duration::from_secs(seconds)));
    objects.add(Rule::new(Match::any(), vanishes(2)).turn(Pick::At(vec![3])));
    queue.add(Rule::new(Match::any().target("ReceiveMessage"), vanishes(1)).turn(Pick::At(vec![2])));
    objects.add(Rule::new(Match::any(), Fault::Throttle).turn(Pick::Every(5)));
    objects.add(Rule::new(Match::any().method("PUT"), Fault::LostReply).turn(Pick::Every(7)));
    let taken = desk.take_in().await;
    objects.clear();
    assert_eq!(taken.requests.len(), 40);
    assert_eq!(taken.of("digital/3.tif")["sequencer"], "0043");
    let vanished = |proxy: &Proxy| proxy.requests().iter().any(|it| matches!(it.fault, Some(Fault::Down(_))));
    assert!(vanished(&objects) && vanished(&queue));
    for fault in [Fault::Throttle, Fault::LostReply] {
        assert!(objects.requests().iter().any(|it| it.fault.as_ref() == Some(&fault)), "{fault:?} never happened");
    }
}
