//! Runs whose alias moves, or whose index is made anew, while they write.

use std::sync::Arc;

use reindex::{
    capability::{index::Stamp, queue::Message},
    error::Kind,
    event::Events,
    pipeline::Stop,
    run::{Fresh, Job, Options, Work},
};

use super::{
    consume::{assert_empty, run},
    faulty::Fuse,
    options,
    world::{self, RECORDS, World},
};

const REBUILD: Work = Work::Rebuild { drop_old: false, waive: world::INVALID as u64 };

/// A world whose persons are in the index.
async fn filled() -> Arc<World> {
    let world = World::new().await;
    world.job().run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    Arc::new(world)
}

/// Another recipe, which takes ids of persons from a queue.
fn edits(world: &World, fuse: &Fuse) -> Job {
    Job { name: "edits".into(), ..world.consuming_job(world.queue(), true, fuse) }
}

async fn name(world: &World, numbers: impl Iterator<Item = usize>) {
    let message = |number| Message { id: world::id(number), body: world::id(number), priority: 0 };
    world.queue().send(&numbers.map(message).collect::<Vec<_>>()).await.unwrap();
}

async fn make(world: &World, name: &str) {
    let stamp = Stamp { version: "versionNumber".into() };
    world.index.create(name, &world.job().definition("persons").unwrap(), &stamp).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_under_which_the_alias_moves_is_in_the_new_index_before_it_is_acknowledged() {
    let world = filled().await;
    make(&world, "persons_new").await;
    let (fuse, index, old) = (Fuse::default(), world.index.clone(), world.alias().await);
    fuse.after_write(async move { index.swap(old.as_deref(), "persons_new").await.unwrap() });
    name(&world, 0..3).await;
    let summary = run(&edits(&world, &fuse)).await;
    assert_eq!((summary.counts.done, summary.counts.documents), (3, 3), "each is counted once");
    assert_empty(&*world.queue()).await;
    assert_eq!(world.documents().await.into_keys().collect::<Vec<_>>(), ["p-000", "p-001", "p-002"]);
    name(&world, 3..4).await;
    run(&edits(&world, &Fuse::default())).await;
    assert_eq!(world.documents().await.len(), 4, "the next run begins with the new one");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_during_a_rebuild_is_in_its_index_whatever_the_scan_had_read() {
    let world = filled().await;
    let (fuse, there) = (Fuse::default(), world.clone());
    // By its first write, the rebuild has read some persons; it never sees the updates of the others either.
    fuse.after_write(async move {
        let updated = |number| world::record(number).replace("\"versionNumber\":", "\"versionNumber\":1000");
        for number in 0..RECORDS {
            there.put(&updated(number)).await;
        }
        name(&there, 0..RECORDS).await;
        run(&edits(&there, &Fuse::default())).await;
        for number in 0..RECORDS {
            there.put(&world::record(number)).await;
        }
    });
    let before = world.alias().await;
    world.faulty_job(&fuse).run(options(REBUILD), &Events::ignore(), &Stop::new()).await.unwrap();
    assert_ne!(world.alias().await, before);
    let documents = world.documents().await;
    assert_eq!(documents.len(), RECORDS - world::INVALID);
    for (id, (version, _)) in documents {
        assert!(version.unwrap() >= 1000, "{id} {version:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_other_versions_that_is_filled_for_the_alias_stops_a_writer() {
    let world = filled().await;
    let stamp = Stamp { version: "none".into() };
    world.index.create("persons_other", &world.job().definition("persons").unwrap(), &stamp).await.unwrap();
    world.index.announce("persons_other").await.unwrap();
    name(&world, 0..1).await;
    let error =
        edits(&world, &Fuse::default()).run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap_err();
    assert!(error.kind() == Kind::Usage && error.hint_text().is_some(), "{error:?}");
    assert!(error.message().contains("a rebuild fills persons_other"), "{error:?}");
    world.index.remove("persons_other").await.unwrap();
    run(&edits(&world, &Fuse::default())).await;
    assert_empty(&*world.queue()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_given_up_holds_no_writer_back() {
    let world = filled().await;
    make(&world, "persons_given_up").await;
    world.index.announce("persons_given_up").await.unwrap();
    let (fuse, index) = (Fuse::default(), world.index.clone());
    fuse.after_write(async move { index.remove("persons_given_up").await.unwrap() });
    name(&world, 0..3).await;
    assert_eq!(run(&edits(&world, &fuse)).await.counts.done, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_made_anew_under_its_name_stops_the_run_before_its_checkpoint() {
    let world = filled().await;
    let options = || options(Work::Limit(10));
    let (fuse, there) = (Fuse::default(), world.clone());
    world.sql("DELETE FROM segments");
    fuse.after_write(async move { there.sql("UPDATE indexes SET identity = 'another'") });
    for fuse in [&fuse, &Fuse::default()] {
        let stopped = world.faulty_job(fuse).run(options(), &Events::ignore(), &Stop::new()).await;
        let error = stopped.unwrap_err();
        assert_eq!(error.kind(), Kind::Usage, "{error:?}");
        assert!(error.message().contains("made or restored again"), "{error:?}");
        assert!(error.hint_text().unwrap().contains("--fresh"), "{error:?}");
        assert_eq!(world.count("SELECT count(*) FROM segments WHERE cursor IS NOT NULL OR ended"), 0);
    }
    let fresh = Options { fresh: Fresh::Always, ..options() };
    assert!(world.job().run(fresh, &Events::ignore(), &Stop::new()).await.unwrap().is_finished());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rebuilds_the_second_to_end_leaves_the_alias_alone() {
    let world = filled().await;
    let (fuse, there) = (Fuse::default(), world.clone());
    fuse.after_write(async move {
        let other = Job { name: "other".into(), ..there.job() };
        other.run(options(REBUILD), &Events::ignore(), &Stop::new()).await.unwrap();
    });
    let second = world.faulty_job(&fuse).run(options(REBUILD), &Events::ignore(), &Stop::new()).await;
    let error = second.unwrap_err();
    assert!(error.kind() == Kind::Usage && error.message().contains("so it was not swapped"), "{error:?}");
    let winner = world.alias().await;
    let again = world.job().run(options(REBUILD), &Events::ignore(), &Stop::new()).await;
    assert!(again.unwrap_err().hint_text().unwrap().contains("--rebuild --fresh"));
    assert_eq!(world.alias().await, winner);
    let fresh = Options { fresh: Fresh::Always, ..options(REBUILD) };
    world.job().run(fresh, &Events::ignore(), &Stop::new()).await.unwrap();
    assert_ne!(world.alias().await, winner);
}
