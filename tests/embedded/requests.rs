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
        assert_eq!(taken.errors, ["the fuse blew"], "fault {at}");
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
    let info = desk.bucket.head_many(&["requests/by hand.json".to_owned()]).await.unwrap().remove(0).unwrap();
    let body = String::from_utf8(row.body).unwrap().replace(&info.etag, "ETAG");
    insta::assert_snapshot!(
        body.replace(&info.modified.unwrap().to_string(), "TIME"),
        @r#"{"bucket":"masters","copyrightStatus":"copyright","key":"rbsc/ü x.png","n":1.50,"path":"rbsc/","request":{"bucket":"desk","key":"requests/by hand.json","eTag":"ETAG","modified":"TIME"}}"#
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_go_while_they_are_read_end_no_scan_and_one_that_is_no_file_fails_with_its_reason() {
    let (directory, desk) = desk();
    let requests = desk.requests();
    requests.write((0..2300).map(|number| requests.ask(&format!("digital/{number}.tif"))).collect()).await.unwrap();
    std::os::unix::fs::symlink("nowhere", directory.path().join("objects/desk/requests/0-link.json")).unwrap();
    let all = desk.bucket.list("requests/", None, 5000).await.unwrap().objects;
    // Every third one stays; of each of the others, the listing may or may not know.
    let stays: Vec<_> = all.iter().step_by(3).map(|info| info.key.clone()).collect();
    let goes: Vec<_> = all.into_iter().map(|info| info.key).filter(|key| stays.binary_search(key).is_err()).collect();
    let bucket = desk.bucket.clone();
    let remover = tokio::spawn(async move {
        for key in goes.iter().rev() {
            bucket.delete(key).await.unwrap();
        }
    });
    let mut scans = 0;
    while !remover.is_finished() || scans == 0 {
        let (mut seen, mut after) = (BTreeSet::new(), None);
        loop {
            let page = requests.read(Segment { number: 0, total: 1 }, after.as_deref(), 10).await.unwrap();
            seen.extend(page.rows.into_iter().map(|row| (row.position, row.body)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let positions: BTreeSet<_> = seen.iter().map(|(position, _)| position.as_str()).collect();
        assert!(stays.iter().all(|key| positions.contains(key.as_str())), "the scan ended early");
        let link = seen.iter().find(|(position, _)| position == "requests/0-link.json").unwrap();
        assert!(String::from_utf8_lossy(&link.1).contains("a link, which is not followed"), "{link:?}");
        scans += 1;
    }
    remover.await.unwrap();
}
