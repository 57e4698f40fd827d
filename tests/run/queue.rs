//! Runs from the embedded queue.

use reindex::{
    error::Kind,
    event::Events,
    pipeline::Stop,
    run::{Options, Work},
};

use super::{
    consume::{self, assert_empty, name_everybody, scanned},
    faulty::Fuse,
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_queue_is_a_source_like_any_other() {
    consume::consume(&World::new().await.queue(), "run").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_at_any_call_of_a_run_from_a_queue_loses_no_message() {
    let expected = scanned().await;
    let undisturbed = World::new().await;
    let fuse = Fuse::default();
    name_everybody(&*undisturbed.queue(), "x").await;
    consume::run(&undisturbed.consuming_job(undisturbed.queue(), true, &fuse)).await;
    assert!(fuse.calls() > 40, "the run has enough calls to be worth breaking");
    // Every third fault, since the calls repeat batch by batch.
    for at in (1..=fuse.calls()).step_by(3) {
        let world = World::new().await;
        name_everybody(&*world.queue(), "x").await;
        let job = world.consuming_job(world.queue(), true, &Fuse::at(at));
        if let Err(error) = job.run(Options::default(), &Events::ignore(), &Stop::new()).await {
            assert_eq!(error.kind(), Kind::Unavailable, "{}", error.report());
        }
        let summary = consume::run(&world.consuming_job(world.queue(), true, &Fuse::default())).await;
        assert_empty(&*world.queue()).await;
        assert_eq!(world.documents().await, expected.documents(), "fault {at}");
        assert!(summary.counts.add_up(), "fault {at}: {summary:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_neither_compared_nor_rebuilt_from_nor_asked_for_single_ids() {
    let world = World::new().await;
    name_everybody(&*world.queue(), "x").await;
    let job = world.consuming_job(world.queue(), true, &Fuse::default());
    let rebuild = Work::Rebuild { drop_old: false, waive: 0 };
    for work in [rebuild, Work::Ids(vec!["p-001".into()]), Work::Limit(3)] {
        let options = Options { work, ..Options::default() };
        let error = job.run(options, &Events::ignore(), &Stop::new()).await.unwrap_err();
        assert!(error.kind() == Kind::Usage && error.hint_text().unwrap().contains("[source.scan]"), "{error:?}");
    }
    let error = job.diff(Work::Full, &Events::ignore(), &Stop::new(), |_| ()).await.unwrap_err();
    assert!(error.kind() == Kind::Usage && error.hint_text().unwrap().contains("[source.scan]"), "{error:?}");
    assert_eq!(world.queue().depth().await.unwrap().waiting, 60);
}
