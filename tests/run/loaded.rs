//! Runs through a list of ids: what ends in which state, after faults at any call as without.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use reindex::{
    capability::index::Write,
    error::Kind,
    event::Events,
    ledger::{
        Counts, State,
        list::{List, Listed},
    },
    pipeline::Stop,
    run::{Job, Options, Summary, Work},
};

use super::{
    faulty::{Faulty, Fuse},
    options,
    world::{self, World},
};
use crate::contract::list::all;

/// How many ids are listed that nobody has.
const NOBODY: usize = 3;

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

fn loaded() -> Options {
    options(Work::Loaded)
}

/// Lists everybody, and some who are nobody.
async fn list_everybody(list: &dyn List) {
    let nobody = (0..NOBODY).map(|number| format!("nobody-{number}"));
    let ids: Vec<_> = (0..world::RECORDS).map(world::id).chain(nobody).collect();
    list.load(&ids, false).await.unwrap();
}

async fn run(world: &World, fuse: &Fuse) -> reindex::error::Result<Summary> {
    world.listed_job(fuse).run(loaded(), &Events::ignore(), &Stop::new()).await
}

/// Every id with its state and reason, and nobody's hands.
async fn states(list: &dyn List) -> BTreeMap<String, (State, String)> {
    let ids = all(list, None, 100).await;
    assert!(ids.iter().all(|listed| listed.owner.is_none()), "{ids:?}");
    ids.into_iter().map(|Listed { id, state, reason, .. }| (id, (state, reason))).collect()
}

async fn undisturbed() -> (World, usize) {
    let (world, fuse) = (World::new().await, Fuse::default());
    list_everybody(&*world.list()).await;
    let summary = run(&world, &fuse).await.unwrap();
    assert!(summary.is_finished() && summary.counts.add_up(), "{summary:?}");
    let counts = (summary.counts.done, summary.counts.failed, summary.counts.not_found);
    assert_eq!(counts, ((world::RECORDS - world::INVALID) as u64, world::INVALID as u64, NOBODY as u64));
    (world, fuse.calls())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_id_ends_in_the_state_that_says_what_became_of_it() {
    let (world, _) = undisturbed().await;
    let list = world.list();
    let expected = BTreeMap::from([
        (State::Verified, (world::RECORDS - world::INVALID) as u64),
        (State::KnownError, world::INVALID as u64),
        (State::NotFound, NOBODY as u64),
    ]);
    assert_eq!(list.counts().await.unwrap(), expected);
    assert!(all(&*list, Some(State::KnownError), 9).await.iter().all(|listed| !listed.reason.is_empty()));
    assert_eq!(world.documents().await.len(), world::RECORDS - world::INVALID);
    let error = world.job().retry(None, Default::default(), &Events::ignore(), &Stop::new()).await.unwrap_err();
    assert!(error.kind() == Kind::Usage && error.hint_text().unwrap().contains("ids reset"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_at_any_call_and_a_second_run_leave_the_list_as_without_faults() {
    let (world, calls) = undisturbed().await;
    let (expected, documents) = (states(&*world.list()).await, world.documents().await);
    assert!(calls > 60, "the run has enough calls to be worth breaking: {calls}");
    // Every third fault, since the calls repeat batch by batch.
    for at in (1..=calls).step_by(3) {
        let world = World::new().await;
        list_everybody(&*world.list()).await;
        if let Err(error) = run(&world, &Fuse::at(at)).await {
            assert_eq!(error.kind(), Kind::Unavailable, "fault {at}: {}", error.report());
        }
        let summary = run(&world, &Fuse::default()).await.unwrap();
        assert!(summary.is_finished() && summary.counts.add_up(), "fault {at}: {summary:?}");
        assert_eq!(states(&*world.list()).await, expected, "fault {at}");
        assert_eq!(world.documents().await, documents, "fault {at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_ready_again_is_done_once_its_record_is_mended() {
    let (world, _) = undisturbed().await;
    world.mend().await;
    let list = world.list();
    let failed: Vec<_> = all(&*list, Some(State::KnownError), 9).await.into_iter().map(|listed| listed.id).collect();
    list.load(&failed, true).await.unwrap();
    let summary = run(&world, &Fuse::default()).await.unwrap();
    assert_eq!((summary.counts.read, summary.counts.done), (world::INVALID as u64, world::INVALID as u64));
    assert_eq!(list.counts().await.unwrap().get(&State::Verified), Some(&(world::RECORDS as u64)));
    assert_eq!(world.documents().await.len(), world::RECORDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_of_one_list_share_it_and_one_that_hangs_loses_what_it_had_in_hand() {
    let (undisturbed, calls) = undisturbed().await;
    let (expected, documents) = (states(&*undisturbed.list()).await, undisturbed.documents().await);
    for at in (8..calls).step_by(calls / 6) {
        let world = Arc::new(World::shared().await);
        list_everybody(&*world.list()).await;
        let fuse = Fuse::hang_at(at);
        let hanging = {
            let (world, fuse) = (world.clone(), fuse.clone());
            tokio::spawn(async move { run(&world, &fuse).await })
        };
        fuse.hung().await;
        let summary = run(&world, &Fuse::default()).await.unwrap();
        assert!(summary.is_finished() && summary.counts.add_up(), "hung at {at}: {summary:?}");
        assert_eq!(states(&*world.list()).await, expected, "hung at {at}");
        fuse.wake();
        let late = hanging.await.unwrap().unwrap();
        // Before it had joined the run, it begins the next one, and finds nothing to do.
        let found = if late.run.id == summary.run.id { summary.counts } else { Counts::default() };
        assert_eq!(late.counts, found, "hung at {at}");
        assert_eq!(states(&*world.list()).await, expected, "the late one changes nothing: hung at {at}");
        assert_eq!(world.documents().await, documents, "hung at {at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_were_claimed_by_a_call_without_an_answer_are_worked_through_by_the_same_run() {
    for at in (4..20).step_by(2) {
        let world = World::shared().await;
        list_everybody(&*world.list()).await;
        let list = Arc::new(Faulty { inner: world.list(), fuse: Fuse::at(at), shared: false });
        let mut job = Job { list: Some(list), ..world.listed_job(&Fuse::default()) };
        job.pace.attempts = 3;
        let (events, stop) = (Events::ignore(), Stop::new());
        let summary = tokio::time::timeout(PATIENCE, job.run(loaded(), &events, &stop)).await;
        let summary = summary.unwrap_or_else(|_| panic!("it waits for ever: lost at {at}")).unwrap();
        assert!(summary.is_finished(), "lost at {at}: {summary:?}");
        let counts = world.list().counts().await.unwrap();
        assert_eq!(counts.get(&State::InProgress), None, "lost at {at}");
        assert_eq!(world.documents().await.len(), world::RECORDS - world::INVALID, "lost at {at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_index_lost_or_has_older_is_inconsistent_and_what_nobody_can_tell_stays() {
    let world = World::new().await;
    let list = world.list();
    let ids = ["gone", "old", "there", "theirs"].map(str::to_owned);
    list.load(&ids, false).await.unwrap();
    world.job().run(options(Work::Limit(1)), &Events::ignore(), &Stop::new()).await.unwrap();
    for (id, version) in [("old", 4), ("there", 5)] {
        world.write(&Write { id: id.to_owned(), version: Some(version), body: Some("{}".to_owned()) }).await;
    }
    for found in all(&*list, None, 9).await {
        let reason = if found.id == "theirs" { "" } else { r#"{"persons":5}"# };
        // One of them as a worker leaves it that was killed while it looked.
        let state = if found.id == "there" { State::Locating } else { State::Done };
        list.shift(&[crate::contract::list::to(&found, state, None, reason)]).await.unwrap();
    }
    run(&world, &Fuse::default()).await.unwrap();
    let states: Vec<_> = states(&*list).await.into_iter().map(|(id, (state, _))| (id, state)).collect();
    let expected = [State::Inconsistent, State::Inconsistent, State::Done, State::Verified];
    let ids = ["gone", "old", "theirs", "there"].map(str::to_owned);
    assert_eq!(states, ids.into_iter().zip(expected).collect::<Vec<_>>());
}
