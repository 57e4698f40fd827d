//! What differs between an index and its source keeps a rebuild from being swapped in, and is never called done.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reindex::{
    capability::{
        index::Write,
        storage::{Page, Row, Sameness, Scan, Segment, SourceInfo},
    },
    error::{Error, Kind, Result},
    event::{Event, Events},
    pipeline::{Stop, Verify},
    record::{Form, Version},
    run::{Job, Summary, Work},
};

use super::{
    options,
    treacherous::Treacherous,
    world::{self, World, id},
};

/// Writes past a run: a deletion, or another content.
fn deletion(number: usize) -> Write {
    Write { id: id(number), version: Some(number as u64), body: None }
}

fn content(id: String, version: usize, body: &str) -> Write {
    Write { id, version: Some(version as u64), body: Some(body.to_owned()) }
}

fn rebuild() -> Work {
    // Far more than fail: what differs is not waived with them.
    Work::Rebuild { drop_old: true, waive: 1000 }
}

fn job(world: &World, index: &Arc<Treacherous>) -> Job {
    let mut job = world.job();
    job.resources.indexes.insert("persons".into(), index.clone());
    job
}

async fn run(job: &Job, work: Work) -> Result<Summary> {
    job.run(options(work), &Events::ignore(), &Stop::new()).await
}

/// A world that was run once, with an index of which the tests decide what it keeps.
async fn scene() -> (World, Arc<Treacherous>) {
    let world = World::new().await;
    run(&world.job(), Work::Full).await.unwrap();
    let index = Treacherous::new(world.index.clone());
    (world, index)
}

#[track_caller]
fn differs(outcome: Result<Summary>, kinds: &str, id: &str) -> Error {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), Kind::Stopped, "{}", error.report());
    assert!(error.message().contains(kinds) && error.report().contains(id), "{}", error.report());
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_are_lost_or_altered_before_a_swap_are_written_again_by_the_same_command() {
    let cases = [
        (vec![deletion(1), deletion(2)], "differ from their source: 2 missing", id(2)),
        (vec![content(id(4), 4, r#"{"altered":true}"#)], "differ from their source: 1 different", id(4)),
        (vec![deletion(1), content(id(4), 4, "{}")], "1 missing, 1 different", id(4)),
    ];
    for (meddling, kinds, id) in cases {
        let (world, index) = scene().await;
        let (alias, expected) = (world.alias().await, world.documents().await);
        index.meddles(meddling);
        let error = differs(run(&job(&world, &index), rebuild()).await, kinds, &id);
        assert!(error.hint_text().unwrap().contains("same command again"), "{}", error.report());
        assert_eq!((world.alias().await, world.documents().await), (alias.clone(), expected.clone()), "{kinds}");
        let summary = run(&job(&world, &index), rebuild()).await.unwrap();
        assert!(summary.resumed && summary.is_finished(), "{kinds}");
        assert_ne!(world.alias().await, alias, "{kinds}");
        assert_eq!((world.documents().await, world.indexes()), (expected, 1), "{kinds}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_claims_to_have_written_is_never_swapped_in_until_it_has() {
    let (world, index) = scene().await;
    let (alias, expected) = (world.alias().await, world.documents().await);
    index.loses([id(3), id(30)]);
    differs(run(&job(&world, &index), rebuild()).await, "2 missing", &id(30));
    for _ in 0..2 {
        let error = differs(run(&job(&world, &index), rebuild()).await, "2 missing", &id(3));
        assert!(error.hint_text().unwrap().contains("still differ"), "{}", error.report());
        assert_eq!(world.alias().await, alias);
    }
    index.loses([]);
    run(&job(&world, &index), rebuild()).await.unwrap();
    assert_ne!(world.alias().await, alias);
    assert_eq!(world.documents().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_no_record_explains_keeps_the_old_index_in_place_and_is_removed_by_the_same_command() {
    let stranger = |n: usize| content(format!("stranger-{n}"), 1, "{}");
    // One that is lost and one that is extra make a right count.
    for (meddling, kinds) in [(vec![stranger(1)], "1 extra"), (vec![deletion(1), stranger(1)], "1 missing")] {
        let (world, index) = scene().await;
        let (alias, expected) = (world.alias().await, world.documents().await);
        index.meddles(meddling);
        differs(run(&job(&world, &index), rebuild()).await, kinds, "");
        assert_eq!(world.alias().await, alias, "{kinds}");
        run(&job(&world, &index), rebuild()).await.unwrap();
        assert_eq!(world.documents().await, expected, "{kinds}");
    }
    // Too many are no record's deletion.
    let (world, index) = scene().await;
    let alias = world.alias().await;
    index.meddles((0..20).map(stranger));
    differs(run(&job(&world, &index), rebuild()).await, "20 extra", "stranger-17");
    let error = differs(run(&job(&world, &index), rebuild()).await, "20 extra", "stranger-17");
    assert!(error.hint_text().unwrap().contains("--fresh"), "{}", error.report());
    assert_eq!(world.alias().await, alias);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_an_index_is_filled_is_no_difference() {
    let (world, index) = scene().await;
    let world = Arc::new(world);
    // Somebody's newer document stays; a record that is changed and one that is new come with the swap.
    index.meddles([content(id(5), 500, r#"{"newer":true}"#)]);
    let changed = [id(6), "p-new".to_owned()]
        .map(|id| format!(r#"{{"id":"{id}","versionNumber":99,"firstName":"Later","tenures":[]}}"#));
    let (said, once) = (Arc::new(Mutex::new(Vec::new())), Mutex::new(Some(changed)));
    let (heard, runtime, table) = (said.clone(), tokio::runtime::Handle::current(), world.clone());
    let events = Events::new(move |event| match event {
        Event::Progress { counts } if counts.read == world::RECORDS as u64 => {
            for record in once.lock().unwrap().take().into_iter().flatten() {
                tokio::task::block_in_place(|| runtime.block_on(table.put(&record)));
            }
        }
        Event::Note { text } => heard.lock().unwrap().push(text),
        _ => {}
    });
    job(&world, &index).run(options(rebuild()), &events, &Stop::new()).await.unwrap();
    let documents = world.documents().await;
    assert_eq!(documents[&id(5)], (Some(500), r#"{"newer":true}"#.to_owned()));
    for id in [id(6), "p-new".to_owned()] {
        let (version, body) = &documents[&id];
        assert!(*version == Some(99) && body.contains("Later"), "{id}: {body}");
    }
    assert_eq!(documents.len(), world::RECORDS - world::INVALID + 1);
    let said = said.lock().unwrap().join("\n");
    assert!(said.contains("2 documents changed in the source") && said.contains("1 are newer"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_no_rebuild_looks_up_a_sample_of_what_it_wrote() {
    for verify in [Verify::Sample, Verify::All] {
        let world = World::new().await;
        let index = Treacherous::new(world.index.clone());
        index.loses([id(5)]);
        let mut job = job(&world, &index);
        job.pace.verify = verify;
        let error = differs(run(&job, Work::Full).await, "1 missing", &id(5));
        assert!(error.hint_text().unwrap().contains("same command again"), "{}", error.report());
        index.loses([]);
        let summary = run(&job, Work::Full).await.unwrap();
        assert!(summary.resumed && summary.is_finished());
        assert_eq!(world.documents().await.len(), world::RECORDS - world::INVALID);
        for work in [Work::Ids(vec![id(1), id(2)]), Work::Limit(world::RECORDS as u64)] {
            index.loses([id(1)]);
            index.meddles([content(id(1), 1, "{}")]);
            differs(run(&job, work.clone()).await, "1 different", &id(1));
            index.loses([]);
            assert!(run(&job, work).await.unwrap().is_finished());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_may_rely_on_the_counts_and_is_warned() {
    let (world, index) = scene().await;
    let mut job = job(&world, &index);
    job.pace.verify = Verify::None;
    index.loses([id(3)]);
    run(&job, Work::Full).await.unwrap();
    let warned = Arc::new(Mutex::new(Vec::new()));
    let heard = warned.clone();
    let events = Events::new(move |event| {
        if let Event::Warning { text } = event {
            heard.lock().unwrap().push(text);
        }
    });
    job.run(options(rebuild()), &events, &Stop::new()).await.unwrap();
    assert!(warned.lock().unwrap().join("\n").contains("not compared with its source"), "{warned:?}");
    index.meddles([content("stranger".into(), 1, "{}"), content(id(3), 3, "{}")]);
    let error = run(&job, rebuild()).await.unwrap_err();
    assert!(error.message().contains("57 documents, but 56 were written"), "{}", error.report());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_by_itself_finds_every_kind_and_changes_nothing() {
    let world = World::new().await;
    let look = async |sample| world.job().verify(sample, &Events::ignore(), &Stop::new()).await;
    assert_eq!(look(None).await.unwrap_err().kind(), Kind::Usage, "there is nothing yet");
    run(&world.job(), Work::Full).await.unwrap();
    let documents = (world::RECORDS - world::INVALID) as u64;
    let same = look(None).await.unwrap();
    assert_eq!((same.records, same.open, same.compared, same.differing()), (60, 4, documents, 0));
    for write in [
        deletion(1),
        content(id(2), 2, "{}"),
        content(id(3), 700, r#"{"newer":true}"#),
        content("stranger".into(), 1, "{}"),
    ] {
        world.write(&write).await;
    }
    world.put(&format!(r#"{{"id":"{}","versionNumber":900,"firstName":"Later","tenures":[]}}"#, id(4))).await;
    let before = world.documents().await;
    let found = look(None).await.unwrap();
    let kinds = [&found.missing, &found.different, &found.older, &found.extra];
    let kinds = kinds.map(|found| (found.count, found.examples.join(",")));
    assert_eq!(kinds, [(1, id(1)), (1, id(2)), (1, id(4)), (1, "stranger".into())]);
    assert_eq!((found.newer, found.repaired), (1, 0));
    let some = look(Some(1000)).await.unwrap();
    assert_eq!((some.compared, some.missing.count, some.different.count), (documents, 1, 1));
    assert_eq!(look(Some(7)).await.unwrap().records, 7);
    assert_eq!(world.documents().await, before);
}

/// Records in the order they were written, as in a file: an id may come again, and nothing is found by id.
struct Log(Vec<String>);

#[async_trait]
impl Scan for Log {
    async fn info(&self) -> Result<SourceInfo> {
        let (fingerprint, count) = ("log".to_owned(), Some(self.0.len() as u64));
        let (segments, max_segments) = (Some(1), Some(1));
        Ok(SourceInfo { fingerprint, count, form: Form::Plain, segments, max_segments, key: None, passing: false })
    }
    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        Ok(Sameness::of("log", fingerprint))
    }
    async fn read(&self, _segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        let from = after.map_or(0, |after| after.parse().unwrap());
        let to = (from + limit).min(self.0.len());
        let rows = self.reread(&(from..to).map(|n| n.to_string()).collect::<Vec<_>>()).await?;
        Ok(Page { rows: rows.into_iter().flatten().collect(), next: (to < self.0.len()).then(|| to.to_string()) })
    }
    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        let row = |position: &String| {
            let n: usize = position.parse().unwrap();
            let (cursor, body) = ((n + 1).to_string(), self.0[n].clone().into_bytes());
            Some(Row { cursor, position: position.clone(), body })
        };
        Ok(positions.iter().map(row).collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_which_ids_come_again_is_compared_by_their_last_record() {
    for version in [Version::None, Version::Attribute("versionNumber".into())] {
        let world = World::new().await;
        let index = Treacherous::new(world.index.clone());
        let line = |n: usize| {
            let (id, number) = (id(n % 7), n);
            format!(r#"{{"id":"{id}","versionNumber":{number},"firstName":"Ada {number}","tenures":[]}}"#)
        };
        let mut job = job(&world, &index);
        job.source = Arc::new(Log((0..70).map(line).collect()));
        job.shape.version = version;
        let strict = || Work::Rebuild { drop_old: true, waive: 0 };
        run(&job, strict()).await.unwrap();
        let expected = world.documents().await;
        assert!(expected.len() == 7 && expected[&id(6)].1.contains("Ada 69"), "{expected:?}");
        index.meddles([Write { id: id(6), version: job_version(&job, 69), body: None }]);
        differs(run(&job, strict()).await, "1 missing", &id(6));
        run(&job, strict()).await.unwrap();
        assert_eq!(world.documents().await, expected);
    }
}

fn job_version(job: &Job, version: u64) -> Option<u64> {
    matches!(job.shape.version, Version::Attribute(_)).then_some(version)
}
