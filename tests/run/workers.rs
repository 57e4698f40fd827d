//! Several workers on one run: they divide it, and whoever dies, hangs or comes late changes nothing of what it comes to.

use std::time::Duration;

use reindex::{
    error::Result,
    event::{Event, Events},
    pipeline::Stop,
    run::{Job, Options, Summary, Work},
};
use tokio::task::JoinHandle;

use super::{
    faulty::Fuse,
    world::{self, State, World},
};

/// Longer than any test takes: whoever holds such a lease is never taken for dead.
const FOR_GOOD: Duration = Duration::from_secs(600);

fn start(job: Job, work: Work) -> JoinHandle<Result<Summary>> {
    let options = Options { work, fresh: false };
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
    for at in (1..=calls).step_by(step) {
        let world = World::shared().await;
        prepare(&world, &work).await;
        let fuse = Fuse::hang_at(at);
        let mut first = start(world.faulty_job(&fuse), work.clone());
        tokio::select! {
            () = fuse.hung() => {}
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
}

#[tokio::test(flavor = "multi_thread")]
async fn another_worker_goes_on_where_one_was_killed() {
    hang_everywhere(Work::Full, 7, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_hangs_loses_its_leases_and_harms_nothing_when_it_wakes() {
    hang_everywhere(Work::Full, 7, true).await;
}
