//! What every run that takes its work from a queue promises, whichever queue it is.

use std::sync::Arc;

use reindex::{
    capability::queue::{Message, Queue},
    error::Kind,
    event::{Event, Events},
    ledger::Filter,
    pipeline::Stop,
    run::{Job, Options, Summary},
};
use tokio::sync::Notify;

use super::{
    faulty::Fuse,
    world::{self, RECORDS, World},
};

/// Any queue, empty at first and in the end; `prefix` makes its messages' ids new.
pub async fn consume(queue: &Arc<dyn Queue>, prefix: &str) {
    persons_from_a_queue_equal_persons_from_a_scan(queue, prefix).await;
    what_a_consumer_held_when_it_died_is_taken_by_the_next(queue, prefix).await;
    what_is_in_hand_is_finished_or_given_back_when_asked_to_stop(queue, prefix).await;
    documents_converge_when_messages_are_sent_again(queue, prefix).await;
    a_message_that_leads_nowhere_is_a_row_and_not_a_loop(queue, prefix).await;
}

pub async fn run(job: &Job) -> Summary {
    let summary = job.run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    assert!(summary.is_finished() && summary.counts.add_up(), "{summary:?}");
    summary
}

/// What a scan of the same persons leaves behind.
pub async fn scanned() -> world::State {
    let world = World::new().await;
    let summary = run(&world.job()).await;
    world.state(&summary.run.id).await
}

/// Sends a message for every person: half of them the bare id, the others JSON.
pub async fn name_everybody(queue: &dyn Queue, prefix: &str) {
    let body = |n: usize| if n.is_multiple_of(2) { world::id(n) } else { format!(r#"{{"id":"{}"}}"#, world::id(n)) };
    send(queue, prefix, body).await;
}

async fn send(queue: &dyn Queue, prefix: &str, body: impl Fn(usize) -> String) {
    let message = |n| Message { id: format!("{prefix}-{n}"), body: body(n), priority: (n % 3) as u8 };
    let answers = queue.send(&(0..RECORDS).map(message).collect::<Vec<_>>()).await.unwrap();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

pub async fn assert_empty(queue: &dyn Queue) {
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.waiting, depth.in_hand), (0, 0));
}

async fn persons_from_a_queue_equal_persons_from_a_scan(queue: &Arc<dyn Queue>, prefix: &str) {
    let expected = scanned().await;
    for named in [true, false] {
        let world = World::new().await;
        if named {
            name_everybody(&**queue, &format!("{prefix}-named")).await;
        } else {
            send(&**queue, &format!("{prefix}-whole"), world::record).await;
        }
        let summary = run(&world.consuming_job(queue.clone(), named, &Fuse::default())).await;
        assert_eq!(world.state(&summary.run.id).await, expected, "named: {named}");
        assert_empty(&**queue).await;
        if named {
            world.mend().await;
            let job = world.consuming_job(queue.clone(), named, &Fuse::default());
            let summary = job.retry(None, Filter::default(), &Events::ignore(), &Stop::new()).await.unwrap();
            assert_eq!((summary.counts.failed, summary.counts.done), (0, RECORDS as u64), "a retry needs no queue");
        }
    }
}

/// Tells when something was committed.
fn listener() -> (Events, Arc<Notify>) {
    let committed = Arc::new(Notify::new());
    let notify = committed.clone();
    let events = Events::new(move |event| {
        if matches!(event, Event::Progress { .. }) {
            notify.notify_one();
        }
    });
    (events, committed)
}

async fn what_a_consumer_held_when_it_died_is_taken_by_the_next(queue: &Arc<dyn Queue>, prefix: &str) {
    let (expected, world) = (scanned().await, World::new().await);
    name_everybody(&**queue, &format!("{prefix}-died")).await;
    let (events, committed) = listener();
    let job = world.consuming_job(queue.clone(), true, &Fuse::default());
    let dying = tokio::spawn(async move { job.run(Options::default(), &events, &Stop::new()).await.map(drop) });
    committed.notified().await;
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    let summary = run(&world.consuming_job(queue.clone(), true, &Fuse::default())).await;
    assert!(summary.resumed);
    world.state(&summary.run.id).await.assert_equals_but_repeats(&expected);
    assert_empty(&**queue).await;
}

async fn what_is_in_hand_is_finished_or_given_back_when_asked_to_stop(queue: &Arc<dyn Queue>, prefix: &str) {
    let (expected, world) = (scanned().await, World::new().await);
    name_everybody(&**queue, &format!("{prefix}-stopped")).await;
    let stop = Stop::new();
    let asked = stop.clone();
    let events = Events::new(move |event| {
        if matches!(event, Event::Progress { .. }) {
            asked.ask();
        }
    });
    let job = world.consuming_job(queue.clone(), true, &Fuse::default());
    let error = job.run(Options::default(), &events, &stop).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Stopped);
    assert_eq!(queue.depth().await.unwrap().in_hand, 0);
    let summary = run(&world.consuming_job(queue.clone(), true, &Fuse::default())).await;
    assert!(summary.resumed);
    world.state(&summary.run.id).await.assert_equals_but_repeats(&expected);
    assert_empty(&**queue).await;
}

async fn documents_converge_when_messages_are_sent_again(queue: &Arc<dyn Queue>, prefix: &str) {
    let (expected, world) = (scanned().await, World::new().await);
    for _ in 0..2 {
        name_everybody(&**queue, &format!("{prefix}-again")).await;
    }
    let summary = run(&world.consuming_job(queue.clone(), true, &Fuse::default())).await;
    assert!([1, 2].contains(&(summary.counts.read / RECORDS as u64)), "{summary:?}");
    world.state(&summary.run.id).await.assert_equals_but_repeats(&expected);
    assert_empty(&**queue).await;
}

async fn a_message_that_leads_nowhere_is_a_row_and_not_a_loop(queue: &Arc<dyn Queue>, prefix: &str) {
    let world = World::new().await;
    let message = |name: &str, body: &str| Message { id: format!("{prefix}-{name}"), body: body.into(), priority: 2 };
    let poison = [message("poison", &world::id(0))];
    queue.send(&poison).await.unwrap();
    for _ in 0..4 {
        let (lease, wait) = (std::time::Duration::from_secs(60), std::time::Duration::from_secs(20));
        let taken = queue.receive(1, lease, wait).await.unwrap().remove(0);
        queue.extend(&[taken.receipt], std::time::Duration::ZERO).await.unwrap();
    }
    queue
        .send(&[message("missing", "nobody"), message("nameless", "{}"), message("good", &world::id(1))])
        .await
        .unwrap();
    let summary = run(&world.consuming_job(queue.clone(), true, &Fuse::default())).await;
    let counts = summary.counts;
    assert_eq!((counts.read, counts.done, counts.not_found, counts.failed), (4, 1, 1, 2), "{summary:?}");
    let reasons: Vec<_> = summary.groups.iter().map(|group| group.group.as_str()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("delivered # times")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("names no id")), "{reasons:?}");
    assert_empty(&**queue).await;
}
