//! Pruning on the embedded backends: what goes, what stays, and what forbids it.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use reindex::{
    capability::{
        index::{Index, Write},
        storage::{Page, Row, Sameness, Scan, Segment, SourceInfo},
    },
    error::{Error, Kind, Result},
    event::{Event, Events},
    ledger::Filter,
    pipeline::Stop,
    recipe::Prune,
    run::{Job, Options, Pruned, Work},
};

use super::{
    faulty::Fuse,
    options,
    world::{self, World},
};

/// A world where everything is valid, a run is done, and `strays` documents have no item.
async fn world(strays: usize) -> World {
    let world = World::new().await;
    world.mend().await;
    run(&world.job(), Work::Full).await.unwrap();
    for number in 0..strays {
        world.write(&stray(number)).await;
    }
    world
}

fn stray(number: usize) -> Write {
    Write { id: format!("gone-{number}"), version: Some(1), body: Some("{}".to_owned()) }
}

fn pruning(mut job: Job, max_share: f64) -> Job {
    job.prunes.insert("persons".into(), Prune { max_share, query: None });
    job
}

async fn run(job: &Job, work: Work) -> Result<reindex::run::Summary> {
    job.run(options(work), &Events::ignore(), &Stop::new()).await
}

async fn prune(job: &Job, dry: bool) -> Result<Pruned> {
    Ok(job.prune(dry, &Events::ignore()).await?.remove(0))
}

async fn ids(world: &World) -> BTreeSet<String> {
    world.documents().await.into_keys().collect()
}

fn persons() -> BTreeSet<String> {
    (0..world::RECORDS).map(world::id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_item_goes_and_what_has_one_stays_even_if_it_changed() {
    let world = world(3).await;
    world.put(&format!(r#"{{"id":"{}","versionNumber":99,"tenures":[]}}"#, world::id(5))).await;
    let job = pruning(world.job(), 0.1);
    let dry = prune(&job, true).await.unwrap();
    assert_eq!((dry.gone, dry.removed, dry.examples.len()), (3, 0, 3));
    assert_eq!(world.documents().await.len(), world::RECORDS + 3, "a dry run changes nothing");
    let pruned = prune(&job, false).await.unwrap();
    assert_eq!((pruned.candidates, pruned.gone, pruned.removed), (world::RECORDS as u64 + 3, 3, 3));
    assert_eq!(ids(&world).await, persons());
    let again = prune(&job, false).await.unwrap();
    assert_eq!((again.gone, again.removed), (0, 0), "doing it again changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_prunes_at_its_end_and_says_so() {
    let world = world(2).await;
    let notes = Arc::new(std::sync::Mutex::new(String::new()));
    let heard = notes.clone();
    let events = Events::new(move |event| {
        if let Event::Note { text } = event {
            heard.lock().unwrap().push_str(&text);
        }
    });
    pruning(world.job(), 0.1).run(Options::default(), &events, &Stop::new()).await.unwrap();
    assert_eq!(ids(&world).await, persons());
    let notes = notes.lock().unwrap();
    assert!(notes.contains("removed 2 documents of `persons`"), "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_is_too_large_removes_nothing_until_it_is_raised() {
    let world = world(7).await;
    let said = Arc::new(std::sync::Mutex::new(String::new()));
    let heard = said.clone();
    let events = Events::new(move |event| {
        if let Event::Warning { text } = event {
            heard.lock().unwrap().push_str(&text);
        }
    });
    let summary = pruning(world.job(), 0.1).run(Options::default(), &events, &Stop::new()).await.unwrap();
    assert!(summary.is_finished() && said.lock().unwrap().contains("7 of 67 documents"), "{said:?}");
    assert_eq!(world.documents().await.len(), world::RECORDS + 7);
    let error = prune(&pruning(world.job(), 0.1), false).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage, "{}", error.report());
    assert!(error.hint_text().unwrap().contains("allows 6;"), "{}", error.report());
    assert_eq!(prune(&pruning(world.job(), 0.1), true).await.unwrap().gone, 7, "the hint's command works");
    assert_eq!(prune(&pruning(world.job(), 0.0), false).await.unwrap_err().kind(), Kind::Usage);
    assert_eq!(prune(&pruning(world.job(), 0.2), false).await.unwrap().removed, 7);
    assert_eq!(ids(&world).await, persons());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_failures_finishes_and_prunes_nothing() {
    let world = World::new().await;
    run(&world.job(), Work::Full).await.unwrap();
    world.write(&stray(0)).await;
    let job = pruning(world.job(), 1.0);
    assert!(run(&job, Work::Full).await.unwrap().is_finished());
    assert_eq!(world.documents().await.len(), world::RECORDS - world::INVALID + 1);
    let error = prune(&job, false).await.unwrap_err();
    assert!(error.message().contains("4 records of the run are open"), "{error}");
    world.mend().await;
    job.retry(None, Filter::default(), &Events::ignore(), &Stop::new()).await.unwrap();
    assert_eq!(prune(&job, false).await.unwrap().removed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_over_a_part_never_prune_and_do_not_stand_in_for_a_whole_one() {
    let world = World::new().await;
    world.mend().await;
    let job = pruning(world.job(), 1.0);
    assert_eq!(prune(&job, false).await.unwrap_err().kind(), Kind::Usage, "it was never run");
    for work in [Work::Limit(5), Work::Ids(vec![world::id(1)])] {
        run(&job, work).await.unwrap();
        world.write(&stray(0)).await;
        let error = prune(&job, false).await.unwrap_err();
        assert!(error.message().contains("no finished run over the whole source"), "{error}");
    }
    assert_eq!(world.documents().await.len(), 5 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_run_forbids_pruning_although_an_older_one_was_finished() {
    let world = world(1).await;
    world.faulty_job(&Fuse::at(40)).run(Options::default(), &Events::ignore(), &Stop::new()).await.unwrap_err();
    let error = prune(&pruning(world.job(), 1.0), false).await.unwrap_err();
    assert!(error.message().contains("no finished run"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_another_run_exchanged_is_not_pruned_by_what_the_old_one_saw() {
    let world = world(1).await;
    let definition = pruning(world.job(), 1.0).definition("persons").unwrap();
    world.exchange(&definition).await;
    let error = prune(&pruning(world.job(), 1.0), false).await.unwrap_err();
    assert!(error.message().contains("no longer behind `persons`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_written_between_listing_and_removal_stays() {
    let world = world(2).await;
    let mut job = pruning(world.job(), 1.0);
    let again = Write { version: Some(2), ..stray(0) };
    let concrete = world.alias().await.unwrap();
    job.source = Arc::new(Meanwhile { inner: job.source.clone(), index: world.index.clone(), concrete, write: again });
    let pruned = prune(&job, false).await.unwrap();
    assert_eq!((pruned.gone, pruned.removed), (2, 1));
    assert!(ids(&world).await.contains("gone-0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_source_and_one_without_keys_prune_nothing() {
    let world = world(1).await;
    for odd in [Odd::Empty, Odd::Unkeyed] {
        let mut job = pruning(world.job(), 1.0);
        job.source = Arc::new(OddSource { inner: job.source.clone(), odd });
        run(&job, Work::Full).await.unwrap();
        let error = prune(&job, false).await.unwrap_err();
        assert!(error.message().starts_with("nothing was pruned: "), "{error}");
        assert_eq!(world.documents().await.len(), world::RECORDS + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_that_prunes_nothing_is_told_how_to_say_it() {
    let world = world(1).await;
    let error = prune(&world.job(), false).await.unwrap_err();
    assert!(error.hint_text().unwrap().contains("[index.<name>.prune]"), "{}", error.report());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_at_any_call_of_pruning_and_doing_it_again_end_alike() {
    let undisturbed = world(3).await;
    let fuse = Fuse::default();
    prune(&pruning(undisturbed.faulty_job(&fuse), 0.1), false).await.unwrap();
    for at in 1..=fuse.calls() {
        let world = world(3).await;
        let broken = prune(&pruning(world.faulty_job(&Fuse::at(at)), 0.1), false).await;
        assert_eq!(broken.unwrap_err().kind(), Kind::Unavailable, "fault {at}");
        prune(&pruning(world.job(), 0.1), false).await.unwrap();
        assert_eq!(world.documents().await, undisturbed.documents().await, "fault {at}");
    }
}

/// A source during whose look-up a document is written.
struct Meanwhile {
    inner: Arc<dyn Scan>,
    index: Arc<dyn Index>,
    concrete: String,
    write: Write,
}

#[async_trait]
impl Scan for Meanwhile {
    async fn info(&self) -> Result<SourceInfo> {
        self.inner.info().await
    }
    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        self.inner.compare(fingerprint).await
    }
    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        self.inner.read(segment, after, limit).await
    }
    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        self.index.write(&self.concrete, vec![self.write.clone()]).await?;
        self.inner.reread(positions).await
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Odd {
    Empty,
    Unkeyed,
}

/// A table that seems empty, or a source without keys.
struct OddSource {
    inner: Arc<dyn Scan>,
    odd: Odd,
}

#[async_trait]
impl Scan for OddSource {
    async fn info(&self) -> Result<SourceInfo> {
        let info = self.inner.info().await?;
        Ok(SourceInfo { key: info.key.clone().filter(|_| self.odd != Odd::Unkeyed), ..info })
    }
    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        self.inner.compare(fingerprint).await
    }
    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        match self.odd {
            Odd::Empty => Ok(Page::default()),
            Odd::Unkeyed => self.inner.read(segment, after, limit).await,
        }
    }
    async fn reread(&self, _: &[String]) -> Result<Vec<Option<Row>>> {
        Err(Error::bug("nothing may be looked up here"))
    }
}
