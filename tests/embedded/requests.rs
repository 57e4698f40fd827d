//! Requests and events on the embedded queue and in folders.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use reindex::{
    backend::{Backends, Mode},
    capability::storage::{Scan as _, Segment},
    clock::{Clock, System},
    request::Request,
};
use tempfile::TempDir;

use crate::{
    contract::{
        Hand,
        intake::{Desk, created, intake},
    },
    run::faulty::{Faulty, Fuse},
};

/// A desk in a directory of its own.
fn desk() -> (TempDir, Desk) {
    desk_by(Arc::new(System))
}

/// A desk whose leases go by this clock.
fn desk_by(clock: Arc<dyn Clock>) -> (TempDir, Desk) {
    let directory = tempfile::tempdir().unwrap();
    let backends = Backends::new(directory.path(), directory.path(), Mode::ReadWrite, clock);
    let bucket = |name| backends.bucket(name, None).unwrap();
    let (bucket, objects) = (bucket("desk"), bucket("masters"));
    let desk = Desk { queue: backends.queue("events", None).unwrap(), bucket, objects, name: "masters".into() };
    (directory, desk)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_on_the_embedded_queue_become_requests() {
    let (_directory, desk) = desk();
    intake(desk).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_fails_at_any_call_loses_no_event() {
    // Receiving, prolonging and acknowledging, each failing before and after it is done.
    for at in 1..=6 {
        let clock = Hand::default();
        let (_directory, desk) = desk_by(Arc::new(clock.clone()));
        desk.tell(&[created("masters", "digital/a.tif", "x", "01")]).await;
        let fuse = Fuse::at(at);
        let queue = Faulty { inner: desk.queue.clone(), fuse: fuse.clone(), shared: false };
        // What was received and forgotten comes again when its lease is over.
        let time_passes = async {
            loop {
                tokio::time::sleep(Duration::from_millis(10)).await;
                clock.forward(1_000);
            }
        };
        let taken = tokio::select! {
            taken = desk.take_in_through(Arc::new(queue)) => taken,
            () = time_passes => unreachable!("time passes for ever"),
        };
        assert!(fuse.has_blown(), "fault {at} never happened");
        assert_eq!(taken.requests.len(), 1, "fault {at}");
        taken.of("digital/a.tif");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_write_at_once_the_latest_event_stays_and_no_order_to_work_again_is_lost() {
    let (_directory, desk) = desk();
    let requests = desk.requests();
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..40_u32 {
        let requests = requests.clone();
        writers.spawn(async move {
            let asked = requests.ask("digital/a.tif");
            let number = number * 7 % 40;
            let sequencer = Some(format!("{number:04X}"));
            let request = Request { sequencer, e_tag: Some(number.to_string()), force: number == 3, ..asked };
            requests.write(vec![request]).await.unwrap();
        });
    }
    writers.join_all().await;
    let taken = desk.take_in().await;
    let request = taken.of("digital/a.tif");
    assert_eq!((request["eTag"].as_str(), request["sequencer"].as_str()), (Some("39"), Some("0027")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn segments_together_are_all_requests_and_none_twice_also_those_of_other_programs() {
    let (_directory, desk) = desk();
    let requests = desk.requests();
    requests.write((0..2500).map(|number| requests.ask(&format!("digital/{number}.tif"))).collect()).await.unwrap();
    let foreign = r#"{"path":"wrong","key":"rbsc/ü x.png","copyrightStatus":"copyright","n":1.50}"#;
    desk.bucket.put("requests/by hand.json", foreign.into(), None).await.unwrap();
    desk.bucket.put("elsewhere/x.json", foreign.into(), None).await.unwrap();
    let mut seen = BTreeSet::new();
    for number in 0..3 {
        let mut after = None;
        loop {
            let page = requests.read(Segment { number, total: 3 }, after.as_deref(), 10).await.unwrap();
            assert!(page.rows.iter().all(|row| seen.insert(row.position.clone())), "one came twice");
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    assert_eq!(seen.len(), 2501);
    let row = requests.reread(&["requests/by hand.json".to_owned()]).await.unwrap().remove(0).unwrap();
    let etag = desk.bucket.head_many(&["requests/by hand.json".to_owned()]).await.unwrap().remove(0).unwrap().etag;
    insta::assert_snapshot!(
        String::from_utf8(row.body).unwrap().replace(&etag, "ETAG"),
        @r#"{"bucket":"masters","copyrightStatus":"copyright","key":"rbsc/ü x.png","n":1.50,"path":"rbsc/","request":{"bucket":"desk","key":"requests/by hand.json","eTag":"ETAG"}}"#
    );
}
