//! Several workers on one run: they divide it, and whoever dies, hangs or comes late changes nothing of what it comes to.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use reindex::{
    clock::Clock,
    error::{Error, Kind, Result},
    event::{Event, Events},
    ledger::Filter,
    pipeline::Stop,
    run::{Fresh, Job, Options, Summary, Work},
};
use tokio::task::JoinHandle;

use super::{
    faulty::Fuse,
    world::{self, State, World},
};

/// Longer than any test takes: whoever holds such a lease is never taken for dead.
const FOR_GOOD: Duration = Duration::from_secs(600);

fn start(job: Job, work: Work) -> JoinHandle<Result<Summary>> {
    let options = Options { work, ..Options::default() };
    tokio::spawn(async move { job.run(options, &Events::ignore(), &Stop::new()).await })
}

/// What a run by one undisturbed worker leaves behind.
async fn undisturbed(work: Work) -> (State, usize) {
    let (world, fuse) = (World::shared().await, Fuse::default());
    prepare(&world, &work).await;
    let summary = start(world.faulty_job(&fuse), work).await.unwrap().unwrap();
    (world.state(&summary.run.id).await, fuse.calls())
}

/// A rebuild replaces something.
async fn prepare(world: &World, work: &Work) {
    if matches!(work, Work::Rebuild { .. }) {
        start(world.job(), Work::Full).await.unwrap().unwrap();
    }
}

fn assert_alike(a: &Summary, b: &Summary) {
    assert!(a.is_finished() && b.is_finished());
    assert_eq!((&a.run, a.counts, &a.groups), (&b.run, b.counts, &b.groups));
    assert_eq!(a.run.counts, Some(a.counts));
}

/// A machine whose clock is wrong by so much.
struct Wrong(jiff::SignedDuration);

impl Clock for Wrong {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now() + self.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_whose_clocks_are_hours_apart_take_nothing_from_each_other() {
    let (expected, _) = undisturbed(Work::Full).await;
    let world = World::shared().await;
    let running = [-3, 3].map(|hours| {
        let mut job = world.job();
        job.clock = Arc::new(Wrong(jiff::SignedDuration::from_hours(hours)));
        start(job, Work::Full)
    });
    let [first, second] = running;
    let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    assert_alike(&first, &second);
    assert_eq!(world.state(&first.run.id).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_start_together_come_to_what_one_comes_to_and_all_say_the_same() {
    let (expected, _) = undisturbed(Work::Full).await;
    for workers in [2, 4] {
        let world = World::shared().await;
        let running: Vec<_> = (0..workers).map(|_| start(world.job(), Work::Full)).collect();
        let mut summaries = Vec::new();
        for worker in running {
            summaries.push(worker.await.unwrap().unwrap());
        }
        summaries.iter().for_each(|summary| assert_alike(summary, &summaries[0]));
        assert_eq!(world.state(&summaries[0].run.id).await, expected);
        assert_eq!(world.indexes(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_comes_late_gets_work_while_another_is_held_up() {
    let (expected, _) = undisturbed(Work::Full).await;
    let (world, fuse) = (World::shared().await, Fuse::hang_at(usize::MAX));
    let mut job = world.faulty_job(&fuse);
    job.pace.lease = FOR_GOOD;
    let hang = fuse.clone();
    let midst = Events::new(move |event| match event {
        Event::Progress { counts } if counts.read > 0 => hang.hang(),
        _ => {}
    });
    let first = tokio::spawn(async move { job.run(Options::default(), &midst, &Stop::new()).await });
    fuse.hung().await;
    let before = world.documents().await.len();
    let second = start(world.job(), Work::Full);
    // One segment is held; what is free is done without it.
    while world.documents().await.len() < before + world::RECORDS / 8 {
        assert!(!second.is_finished(), "it ended before all was done");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!second.is_finished());
    fuse.wake();
    let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    assert!(second.resumed);
    assert_alike(&first, &second);
    assert_eq!(world.state(&first.run.id).await, expected);
}

/// Hangs one worker at calls of a run, every so many, and lets another one take over.
async fn hang_everywhere(work: Work, step: usize, wakes: bool) {
    let (expected, calls) = undisturbed(work.clone()).await;
    let (mut tried, mut hung) = (0, 0);
    for at in (1..=calls).step_by(step) {
        let world = World::shared().await;
        prepare(&world, &work).await;
        tried += 1;
        let fuse = Fuse::hang_at(at);
        let mut first = start(world.faulty_job(&fuse), work.clone());
        tokio::select! {
            () = fuse.hung() => hung += 1,
            // How often the ledger is looked at differs a little from time to time.
            _ = &mut first => continue,
        }
        if !wakes {
            first.abort();
        }
        let second = start(world.job(), work.clone()).await.unwrap().unwrap();
        assert!(second.is_finished() && second.counts.add_up(), "call {at}: {second:?}");
        assert_eq!(world.state(&second.run.id).await, expected, "call {at}");
        if wakes {
            fuse.wake();
            let first = first.await.unwrap().unwrap();
            // Before it had begun or joined a run, it begins the next one.
            if first.run.id == second.run.id {
                assert_alike(&first, &second);
            }
            assert!(first.is_finished(), "call {at}: {first:?}");
            assert_eq!(world.state(&second.run.id).await, expected, "call {at}, woken");
        }
    }
    assert!(tried > 5 && hung * 2 > tried, "of {tried} workers {hung} hung");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_worker_goes_on_where_one_was_killed() {
    hang_everywhere(Work::Full, 7, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_hangs_loses_its_leases_and_harms_nothing_when_it_wakes() {
    hang_everywhere(Work::Full, 7, true).await;
}

/// Lets one of two workers fail at calls of a run, every so many.
async fn fail_everywhere(work: Work, step: usize) {
    let (expected, calls) = undisturbed(work.clone()).await;
    let (mut tried, mut failed) = (0, 0);
    for at in (1..=calls).step_by(step) {
        let world = World::shared().await;
        prepare(&world, &work).await;
        let fuse = Fuse::at(at);
        let failing = start(world.faulty_job(&fuse), work.clone());
        let other = start(world.job(), work.clone()).await.unwrap().unwrap();
        assert_eq!(world.state(&other.run.id).await, expected, "call {at}");
        assert_eq!(world.indexes(), 1, "call {at}");
        match failing.await.unwrap() {
            Ok(summary) if summary.run.id == other.run.id => assert_alike(&summary, &other),
            Ok(summary) => assert!(summary.is_finished()),
            Err(error) => assert_eq!(error.kind(), Kind::Unavailable, "call {at}: {}", error.report()),
        }
        tried += 1;
        failed += usize::from(fuse.has_blown());
    }
    // The two divide the work, so the one that fails makes about half of the calls.
    assert!(tried > 5 && failed * 4 > tried, "of {tried} workers {failed} failed");
}

fn rebuild() -> Work {
    Work::Rebuild { drop_old: true, waive: world::INVALID as u64 }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_fails_leaves_the_rest_to_the_other() {
    fail_everywhere(Work::Full, 9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_is_closed_by_whoever_is_left_when_the_one_that_closes_it_is_killed() {
    hang_everywhere(rebuild(), 5, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_is_closed_once_when_the_one_that_closes_it_hangs_and_wakes() {
    hang_everywhere(rebuild(), 6, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_divide_a_list_of_ids() {
    let world = World::shared().await;
    let ids: Vec<_> = (0..5).flat_map(|_| (0..world::RECORDS).map(world::id)).chain(["nobody".to_owned()]).collect();
    let running: Vec<_> = (0..2).map(|_| start(world.job(), Work::Ids(ids.clone()))).collect();
    let mut summaries = Vec::new();
    for worker in running {
        summaries.push(worker.await.unwrap().unwrap());
    }
    assert_alike(&summaries[0], &summaries[1]);
    assert_eq!(summaries[0].run.segments, 4);
    assert_eq!((summaries[0].counts.read, summaries[0].counts.not_found), (ids.len() as u64, 1));
}

/// A listener that holds its worker up after its first batch, for as long as the sender lives; its leases go on beating.
fn hold_up() -> (Events, mpsc::Sender<()>, mpsc::Receiver<()>) {
    let ((go, held), (arrived, arrival)) = (mpsc::channel(), mpsc::channel());
    let held = Mutex::new(held);
    let events = Events::new(move |event| {
        if matches!(event, Event::Progress { counts } if counts.read > 0) {
            // One thread is held and no more: a runtime whose threads all stand still shows nobody that it lives.
            if let Ok(held) = held.try_lock() {
                let _ = arrived.send(());
                let _ = held.recv();
            }
        }
    });
    (events, go, arrival)
}

/// A job whose worker is alive to others even where the machine is busy.
fn patient(world: &World) -> Job {
    let mut job = world.job();
    job.pace.lease = Duration::from_secs(3);
    job
}

async fn refused(job: Job, fresh: bool) -> Error {
    let options =
        Options { work: Work::Full, fresh: if fresh { Fresh::Always } else { Fresh::Never }, ..Options::default() };
    let error = job.run(options, &Events::ignore(), &Stop::new()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage, "{}", error.report());
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_that_somebody_works_on_is_neither_given_up_nor_joined_by_another_recipe() {
    let world = World::shared().await;
    let ((events, go, arrival), job) = (hold_up(), patient(&world));
    let first = tokio::spawn(async move { job.run(Options::default(), &events, &Stop::new()).await });
    tokio::task::spawn_blocking(move || arrival.recv().unwrap()).await.unwrap();
    let error = refused(world.job(), true).await;
    assert!(error.message().contains("is at work on run"), "{}", error.report());
    let mut other = world.job();
    other.settings = r#"{"another":true}"#.into();
    assert!(refused(other, false).await.message().contains("plugin settings"));
    drop(go);
    assert!(first.await.unwrap().unwrap().is_finished());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_without_versions_has_one_worker_at_a_time_and_goes_on_after_its_death() {
    let world = World::shared().await;
    let versionless = || {
        let mut job = patient(&world);
        job.shape.version = reindex::record::Version::None;
        job
    };
    let ((events, go, arrival), job) = (hold_up(), versionless());
    let first = tokio::spawn(async move { job.run(Options::default(), &events, &Stop::new()).await });
    tokio::task::spawn_blocking(move || arrival.recv().unwrap()).await.unwrap();
    let error = refused(versionless(), false).await;
    assert!(error.message().contains("no versions"), "{}", error.report());
    first.abort();
    drop(go);
    assert!(first.await.is_err());
    let second = start(versionless(), Work::Full).await.unwrap().unwrap();
    assert!(second.resumed && second.is_finished());
    assert_eq!(world.documents().await.len(), world::RECORDS - world::INVALID);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_failed_is_tried_again_by_one_worker_at_a_time() {
    let world = World::shared().await;
    start(world.job(), Work::Full).await.unwrap().unwrap();
    world.mend().await;
    let ((events, go, arrival), job) = (hold_up(), patient(&world));
    let first = tokio::spawn(async move { job.retry(None, Filter::default(), &events, &Stop::new()).await });
    tokio::task::spawn_blocking(move || arrival.recv().unwrap()).await.unwrap();
    let error = world.job().retry(None, Filter::default(), &Events::ignore(), &Stop::new()).await.unwrap_err();
    assert!(error.message().contains("tries again what failed"), "{}", error.report());
    drop(go);
    let summary = first.await.unwrap().unwrap();
    assert_eq!((summary.counts.failed, summary.run.counts), (0, Some(summary.counts)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_stopped_gives_its_leases_back_at_once() {
    let (expected, _) = undisturbed(Work::Full).await;
    let (world, stop) = (World::shared().await, Stop::new());
    let (asked, mut job) = (stop.clone(), world.job());
    job.pace.lease = FOR_GOOD;
    let listener = Events::new(move |event| match event {
        Event::Progress { counts } if counts.read > 0 => asked.ask(),
        _ => {}
    });
    let error = job.run(Options::default(), &listener, &stop).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Stopped);
    let other = start(world.job(), Work::Full).await.unwrap().unwrap();
    assert_eq!(world.state(&other.run.id).await, expected);
}
