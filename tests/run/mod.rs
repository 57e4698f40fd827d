//! Whole runs through the library, on the real embedded backends: resume, rebuild, retry, and a fault at every call.

mod consume;
mod dealt;
mod effects;
pub mod faulty;
mod follow;
mod loaded;
mod prune;
mod queue;
mod routes;
mod source;
mod studio;
mod treacherous;
mod verify;
mod workers;
mod world;

use std::{collections::BTreeMap, sync::Arc};

use faulty::Fuse;
use reindex::{
    error::Kind,
    event::{Event, Events},
    ledger::{Filter, State},
    pipeline::Stop,
    run::{Fresh, Options, Work},
};
use world::World;

fn options(work: Work) -> Options {
    Options { work, ..Options::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_puts_every_valid_record_into_the_index_and_keeps_the_others_with_their_reasons() {
    let world = World::new().await;
    let summary = world.job().run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    assert!(summary.is_finished() && summary.counts.add_up(), "{summary:?}");
    assert_eq!(summary.counts.read, world::RECORDS as u64);
    assert_eq!(summary.counts.failed, world::INVALID as u64);
    assert_eq!(summary.counts.documents, (world::RECORDS - world::INVALID) as u64);
    assert_eq!(world.documents().await.len(), world::RECORDS - world::INVALID);
    assert_eq!(summary.groups.len(), 1);
    assert_eq!(summary.groups[0].state, State::KnownError);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_at_any_call_and_a_second_run_end_like_a_run_without_faults() {
    let undisturbed = World::new().await;
    let fuse = Fuse::default();
    let summary = undisturbed.faulty_job(&fuse).run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    let expected = undisturbed.state(&summary.run.id).await;
    assert!(fuse.calls() > 40, "the run has enough calls to be worth breaking");
    for at in 1..=fuse.calls() {
        let world = World::new().await;
        let broken = world.faulty_job(&Fuse::at(at)).run(Options::default(), &Events::ignore(), &Stop::new()).await;
        if let Err(error) = &broken {
            assert_eq!(error.kind(), Kind::Unavailable, "{}", error.report());
        }
        let summary = match broken {
            Ok(summary) => summary,
            Err(_) => world.job().run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap(),
        };
        assert!(summary.is_finished() && summary.counts.add_up(), "fault {at}: {summary:?}");
        assert_eq!(world.state(&summary.run.id).await, expected, "fault {at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_broken_at_any_call_never_shows_searchers_an_incomplete_index() {
    let rebuild = || options(Work::Rebuild { drop_old: true, waive: world::INVALID as u64 });
    let undisturbed = World::new().await;
    undisturbed.job().run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    let fuse = Fuse::default();
    undisturbed.faulty_job(&fuse).run(rebuild(), &Events::ignore(), &Stop::new()).await.unwrap();
    let expected = undisturbed.documents().await;
    // Every third fault: each costs two runs, and the calls repeat batch by batch.
    for at in (1..=fuse.calls()).step_by(3) {
        let world = World::new().await;
        world.job().run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
        let broken = world.faulty_job(&Fuse::at(at)).run(rebuild(), &Events::ignore(), &Stop::new()).await;
        assert_eq!(world.documents().await, expected, "fault {at}: the alias names a complete index at any time");
        if broken.is_err() {
            world.job().run(rebuild(), &Events::ignore(), &Stop::new()).await.unwrap();
        }
        assert_eq!(world.documents().await, expected, "fault {at}");
        assert_eq!(world.indexes(), 1, "fault {at}: the old index is gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_asked_to_stop_goes_on_where_it_stopped() {
    let world = World::new().await;
    let stop = Stop::new();
    let asked = stop.clone();
    let listener = Events::new(move |event| {
        if matches!(event, Event::Progress { .. }) {
            asked.ask();
        }
    });
    let mut job = world.job();
    // So that not all of it is on its way when the first batch is acknowledged.
    job.pace.batch_records = 1;
    let error = job.run(Options::default(), &listener, &stop).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Stopped);
    let some = world.documents().await.len();
    assert!(some > 0 && some < world::RECORDS - world::INVALID, "{some} documents");
    let summary = world.job().run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    assert!(summary.resumed && summary.is_finished());
    assert_eq!(summary.counts.read, world::RECORDS as u64);
    assert_eq!(world.documents().await.len(), world::RECORDS - world::INVALID);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_with_more_failures_than_are_waived_keeps_the_old_index_in_place() {
    let world = World::new().await;
    world.job().run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    let before = world.alias().await;
    let strict = || options(Work::Rebuild { drop_old: false, waive: 0 });
    let error = world.job().run(strict(), &Events::ignore(), &Stop::new()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Stopped);
    assert_eq!(world.alias().await, before);
    world.mend().await;
    world.job().retry(None, Filter::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    let summary = world.job().run(strict(), &Events::ignore(), &Stop::new()).await.unwrap();
    assert!(summary.resumed && summary.is_finished());
    assert_ne!(world.alias().await, before);
    assert_eq!(world.documents().await.len(), world::RECORDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_settles_what_was_mended_and_keeps_the_rest() {
    let world = World::new().await;
    let summary = world.job().run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    let again = world.job().retry(None, Filter::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    assert_eq!(again.counts, summary.counts, "nothing was mended, so nothing changes");
    world.mend().await;
    let mended = world.job().retry(None, Filter::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    assert_eq!(mended.counts.failed, 0);
    assert!(mended.counts.add_up() && mended.groups.is_empty());
    assert_eq!(world.documents().await.len(), world::RECORDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_run_with_another_plugin_setting_is_refused_by_name_until_fresh_is_said() {
    let world = World::new().await;
    world.faulty_job(&Fuse::at(40)).run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap_err();
    let mut job = world.job();
    job.settings = r#"{"another":true}"#.into();
    let error = job.run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.message().contains("plugin settings"), "{error}");
    assert!(error.hint_text().unwrap().contains("--fresh"));
    let fresh = Options { fresh: Fresh::Always, ..Options::default() };
    assert!(!job.run(fresh, &Events::ignore(), &Stop::new()).await.unwrap().resumed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_given_up_takes_its_index_with_it() {
    let world = World::new().await;
    world.job().run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    let rebuild = Work::Rebuild { drop_old: true, waive: 0 };
    world.job().run(options(rebuild.clone()), &Events::ignore(), &Stop::new()).await.unwrap_err();
    assert_eq!(world.indexes(), 2);
    let before = world.documents().await;
    let fresh = Options {
        work: Work::Rebuild { drop_old: true, waive: world::INVALID as u64 },
        fresh: Fresh::Always,
        ..Options::default()
    };
    world.job().run(fresh, &Events::ignore(), &Stop::new()).await.unwrap();
    assert_eq!((world.indexes(), world.documents().await), (1, before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_in_which_too_much_fails_stops_and_can_go_on() {
    let world = World::new().await;
    let mut job = world.job();
    (job.pace.stop_after_failures, job.pace.stop_after_failure_share, job.segments) = (2, 0.0, 1);
    let error = job.run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Stopped);
    assert!(error.hint_text().unwrap().contains("stop-after-failures"), "{}", error.report());
    job.pace.stop_after_failures = 1000;
    let summary = job.run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    assert!(summary.resumed && summary.is_finished());
    assert_eq!(summary.counts.read, world::RECORDS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_limits_are_runs_of_their_own() {
    let world = World::new().await;
    world.faulty_job(&Fuse::at(40)).run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap_err();
    let ids = vec![world::id(1), "nobody".to_owned(), world::id(2)];
    let summary = world.job().run(options(Work::Ids(ids)), &Events::ignore(), &Stop::new()).await.unwrap();
    assert_eq!((summary.counts.read, summary.counts.done, summary.counts.not_found), (3, 2, 1));
    let summary = world.job().run(options(Work::Limit(5)), &Events::ignore(), &Stop::new()).await.unwrap();
    assert_eq!(summary.counts.read, 5);
    let summary = world.job().run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    assert!(summary.resumed, "the full run is still where it was");
    assert_eq!(summary.counts.read, world::RECORDS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_tells_the_fields_and_changes_nothing() {
    let world = World::new().await;
    let mut added = 0;
    let tally = world.job().diff(Work::Full, &Events::ignore(), &Stop::new(), |_| added += 1).await.unwrap();
    assert_eq!((tally.added, added), ((world::RECORDS - world::INVALID) as u64, world::RECORDS - world::INVALID));
    assert_eq!((world.alias().await, world.indexes()), (None, 0));
    world.job().run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    let tally = world.job().diff(Work::Full, &Events::ignore(), &Stop::new(), |_| ()).await.unwrap();
    assert!(tally.is_equal(), "{tally:?}");
    world.put(&format!(r#"{{"id":"{}","versionNumber":9,"firstName":"Changed"}}"#, world::id(1))).await;
    let mut differences = BTreeMap::new();
    let each = |difference: reindex::pipeline::Difference| drop(differences.insert(difference.id, difference.change));
    world.job().diff(Work::Full, &Events::ignore(), &Stop::new(), each).await.unwrap();
    assert_eq!(differences.len(), 1);
    let change = format!("{:?}", differences[&world::id(1)]);
    assert!(change.contains("firstname") && change.contains("Changed"), "{change}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_with_other_versions_is_refused_with_a_way_out() {
    let world = World::new().await;
    world.job().run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    let mut job = world.job();
    job.shape.version = reindex::record::Version::None;
    let error = job.run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.hint_text().unwrap().contains("--rebuild"), "{}", error.report());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_at_the_same_time_is_refused_with_the_pid() {
    let world = World::new().await;
    let (first, second) = (Arc::new(world.job()), world.job());
    let (started, wait) = std::sync::mpsc::channel();
    let (go, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let listener = Events::new(move |event| {
        if matches!(event, Event::Started { .. }) {
            started.send(()).unwrap();
            held.lock().unwrap().recv().unwrap();
        }
    });
    let running = tokio::spawn(async move { first.run(Options::default(), &listener, &Stop::new()).await });
    tokio::task::spawn_blocking(move || wait.recv().unwrap()).await.unwrap();
    let error = second.run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap_err();
    assert!(error.message().contains(&std::process::id().to_string()), "{error}");
    go.send(()).unwrap();
    assert!(running.await.unwrap().unwrap().is_finished());
}
