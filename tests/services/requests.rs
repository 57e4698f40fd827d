//! Events on SQS become requests in S3, whatever the servers do meanwhile.

use std::{path::Path, sync::Arc, time::Duration};

use proxy::{Fault, Match, Pick, Proxy, Rule};
use reindex::{
    backend::{Backends, Config, Mode},
    capability::storage::Bucket,
    clock::System,
};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_on_sqs_become_requests_in_s3() {
    intake(desk("told", &shared(Server::Sqs).url(), &shared(Server::S3).url()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_another_bucket_or_outside_the_part_that_is_served_is_none_of_ours() {
    let desk = desk("outside", &shared(Server::Sqs).url(), &shared(Server::S3).url()).await;
    let backends = Backends::new(Path::new("."), Path::new("."), Mode::ReadWrite, Arc::new(System));
    let text = format!(
        "[s3]\nbucket = '{}'\nprefix = 'part/'\nendpoint = '{}'\npath-style = true",
        desk.name,
        shared(Server::S3).url()
    );
    let part = backends.with_aws(session()).bucket("any", Some(&toml::from_str(&text).unwrap())).unwrap();
    let desk = Desk { objects: part, ..desk };
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_that_vanish_or_have_too_much_cost_time_and_no_event() {
    let (queue, objects) = (Proxy::http(&shared(Server::Sqs).url()), Proxy::http(&shared(Server::S3).url()));
    let desk = desk("vanishing", &queue.url(), &objects.url()).await;
    let events: Vec<_> = (0..60)
        .map(|number| created(&desk.name, &format!("digital/{}.tif", number % 40), "x", &format!("{number:04}")))
        .collect();
    desk.tell(&events).await;
    objects.add(Rule::new(Match::any(), Fault::Throttle).turn(Pick::Every(5)));
    objects.add(Rule::new(Match::any().method("PUT"), Fault::LostReply).turn(Pick::Every(7)));
    objects.down();
    let comes_back = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        queue.down();
        objects.up();
        tokio::time::sleep(Duration::from_secs(1)).await;
        queue.up();
    };
    let (taken, ()) = tokio::join!(desk.take_in(), comes_back);
    objects.clear();
    assert_eq!(taken.requests.len(), 40);
    assert_eq!(taken.of("digital/3.tif")["sequencer"], "0043");
    assert!(objects.fired() > 0, "nothing was ever in the way");
}
