//! What effects on objects and records leave behind: conditions, renditions, updates, removals.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

use async_trait::async_trait;
use reindex::{
    capability::storage::{Bucket, Chunks, Condition, Listing, ObjectInfo, Put},
    error::{Error, Kind, Result, Retry},
    ledger::Counts,
};

use super::studio::{NOW, Studio};

async fn put(studio: &Studio, bucket: &str, key: &str, text: &str) {
    studio.buckets[bucket].put(key, text.as_bytes().to_vec(), None).await.unwrap();
}

async fn text(studio: &Studio, bucket: &str, key: &str) -> Option<String> {
    let found = studio.buckets[bucket].get_many(&[key.to_owned()], 1 << 20).await.unwrap().pop().flatten();
    found.map(|bytes| String::from_utf8(bytes).unwrap())
}

/// A bucket in which somebody else is faster, so many times, than a write under a condition.
struct Meddled {
    inner: Arc<dyn Bucket>,
    times: AtomicU32,
}

#[async_trait]
impl Bucket for Meddled {
    async fn head_many(&self, keys: &[String]) -> Result<Vec<Option<ObjectInfo>>> {
        self.inner.head_many(keys).await
    }

    async fn read(&self, key: &str) -> Result<Option<(ObjectInfo, Chunks)>> {
        self.inner.read(key).await
    }

    async fn write(&self, key: &str, put: &Put, content: Chunks) -> Result<Option<ObjectInfo>> {
        let again = self.times.fetch_update(SeqCst, SeqCst, |times| times.checked_sub(1));
        if let (true, Ok(times)) = (put.condition != Condition::Always, again) {
            self.inner.put(key, format!("faster {times}").into_bytes(), None).await?;
        }
        self.inner.write(key, put, content).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.inner.delete(key).await
    }

    async fn delete_if(&self, key: &str, etag: &str) -> Result<bool> {
        self.inner.delete_if(key, etag).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Listing> {
        self.inner.list(prefix, after, limit).await
    }
}

/// A bucket that is there or not.
struct Vanishing {
    inner: Arc<dyn Bucket>,
    gone: AtomicBool,
}

impl Vanishing {
    fn there(&self) -> Result<&dyn Bucket> {
        let missing = || Error::new(Kind::Unavailable, "there is no such bucket").retry(Retry::Never);
        if self.gone.load(SeqCst) { Err(missing()) } else { Ok(&*self.inner) }
    }
}

#[async_trait]
impl Bucket for Vanishing {
    async fn head_many(&self, keys: &[String]) -> Result<Vec<Option<ObjectInfo>>> {
        self.there()?.head_many(keys).await
    }

    async fn read(&self, key: &str) -> Result<Option<(ObjectInfo, Chunks)>> {
        self.there()?.read(key).await
    }

    async fn write(&self, key: &str, put: &Put, content: Chunks) -> Result<Option<ObjectInfo>> {
        self.there()?.write(key, put, content).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.there()?.delete(key).await
    }

    async fn delete_if(&self, key: &str, etag: &str) -> Result<bool> {
        self.there()?.delete_if(key, etag).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Listing> {
        self.there()?.list(prefix, after, limit).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_vanishes_stops_the_run_marks_no_item_failed_and_the_run_goes_on_when_it_is_back() {
    // Read by the plugin, opened as images, stored to, and removed from.
    for (name, deed) in
        [("files", "claim"), ("masters", "rendition masters"), ("images", "object a"), ("requests", "claim")]
    {
        let mut studio = meddled(0).await;
        for id in ["a", "b", "c"] {
            put(&studio, "masters", id, "ada").await;
        }
        let inner = studio.buckets[name].clone();
        let bucket = Arc::new(Vanishing { inner, gone: true.into() });
        studio.buckets.insert(name.to_owned(), bucket.clone());
        studio.ask(&["a", "b", "c"].map(|id| (id, deed))).await;
        let error = studio.try_run().await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (Kind::Unavailable, "there is no such bucket"), "{name}");
        bucket.gone.store(false, SeqCst);
        let summary = studio.run().await;
        assert!(summary.resumed && summary.counts.add_up(), "{name}: {summary:?}");
        assert_eq!((summary.counts.done, summary.counts.failed, summary.counts.waiting), (3, 0, 0), "{name}");
    }
}

/// A studio in which somebody else is faster, so many times.
async fn meddled(times: u32) -> Studio {
    let mut studio = Studio::new().await;
    let inner = studio.buckets["files"].clone();
    studio.buckets.insert("files".to_owned(), Arc::new(Meddled { inner, times: times.into() }));
    studio.copies.put_many(&[r#"{"id":{"S":"first"}}"#.to_owned()]).await.unwrap().pop().unwrap().unwrap();
    studio
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_whose_condition_is_lost_looks_again_and_ends_within_the_run() {
    let studio = meddled(1).await;
    studio.ask(&[("a", "claim"), ("b", "claim")]).await;
    let summary = studio.run().await;
    assert!(summary.is_finished() && summary.counts.add_up(), "{summary:?}");
    assert_eq!((summary.counts.done, summary.counts.waiting, summary.counts.failed), (2, 0, 0));
    for id in ["a", "b"] {
        assert!(text(&studio, "files", id).await.unwrap().contains("claim"), "the last one to look has it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_whose_condition_is_always_lost_is_kept_with_its_reason_and_nothing_else_of_it_is_done() {
    let studio = meddled(100).await;
    put(&studio, "requests", "a", "please").await;
    studio.ask(&[("a", "claim"), ("b", "claim")]).await;
    let summary = studio.run().await;
    assert!(summary.is_finished() && summary.counts.add_up(), "{summary:?}");
    assert_eq!(summary.counts.failed, 2);
    let reasons = studio.reasons(&summary).await;
    assert_eq!(reasons["a"], "unknown-error: another object was stored as `a` meanwhile (tried 2 times)");
    assert_eq!(summary.groups.len(), 1, "whatever their keys are: {:?}", summary.groups);
    assert!(text(&studio, "files", "a").await.unwrap().starts_with("faster"));
    assert_eq!(text(&studio, "requests", "a").await.as_deref(), Some("please"), "what asked for it stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_again_meanwhile_stays_and_the_item_is_done() {
    let studio = meddled(0).await;
    for id in ["a", "b"] {
        put(&studio, "requests", id, "please").await;
    }
    studio.ask(&[("a", "claim an etag of before"), ("b", "claim")]).await;
    let summary = studio.run().await;
    assert_eq!((summary.counts.done, summary.counts.objects, summary.counts.records), (2, 3, 2));
    assert_eq!(text(&studio, "requests", "a").await.as_deref(), Some("please"));
    assert_eq!(text(&studio, "requests", "b").await, None);
    let noted = studio.copies.get_many(&["first".to_owned()]).await.unwrap().pop().flatten().unwrap();
    let noted = String::from_utf8(noted).unwrap();
    assert_eq!(noted, r#"{"a":{"BOOL":true},"b":{"BOOL":true},"id":{"S":"first"}}"#, "in the table's own form");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_takes_the_time_and_makes_no_record() {
    let studio = meddled(0).await;
    studio.ask(&[("a", "note first"), ("b", "note nobody"), ("c", "note no-one")]).await;
    let summary = studio.run().await;
    assert_eq!((summary.counts.records, summary.counts.done, summary.counts.failed), (1, 1, 2));
    let found = studio.copies.get_many(&["first".to_owned(), "nobody".to_owned()]).await.unwrap();
    let noted = String::from_utf8(found[0].clone().unwrap()).unwrap();
    assert_eq!(noted, format!(r#"{{"at":{{"S":"{NOW}"}},"by":{{"S":"a"}},"id":{{"S":"first"}}}}"#));
    assert_eq!(found[1], None);
    assert_eq!(studio.reasons(&summary).await["b"], "known-error: there is no record `nobody` in `copies`");
    assert_eq!(summary.groups.len(), 1, "{:?}", summary.groups);
}

/// A studio full of masters, and of what is wrong with some.
async fn masters() -> Studio {
    let studio = Studio::new().await;
    let masters = [("a", "ada"), ("b", "bob"), ("c", "broken"), ("d", "broken"), ("e", "large"), ("f", "hangs")];
    for (key, content) in masters.into_iter().chain([("g", "replaced")]) {
        put(&studio, "masters", key, content).await;
    }
    let deeds: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(|id| (id, "rendition masters")).into();
    studio.ask(&deeds).await;
    studio
}

#[tokio::test(flavor = "multi_thread")]
async fn renditions_are_stored_and_what_is_wrong_with_an_image_costs_its_item_alone() {
    let studio = masters().await;
    let summary = studio.run().await;
    assert!(summary.is_finished() && summary.counts.add_up(), "{summary:?}");
    let Counts { done, not_found, failed, objects, renditions, pixels, .. } = summary.counts;
    assert_eq!((done, not_found, failed), (2, 2, 5));
    assert_eq!((objects, renditions, pixels), (2, 2, 2 * 3000 * 1500));
    assert_eq!(text(&studio, "images", "a.tif").await.as_deref(), Some("ada"));
    let stored = studio.buckets["images"].list("", None, 10).await.unwrap().objects;
    assert_eq!(stored.iter().map(|info| info.key.as_str()).collect::<Vec<_>>(), ["a.tif", "b.tif"]);
    let head = studio.buckets["images"].head_many(&["b.tif".to_owned()]).await.unwrap().pop().flatten();
    assert_eq!(head.unwrap().content_type.as_deref(), Some("image/tiff"));
    let reasons = studio.reasons(&summary).await;
    let shown: Vec<_> = reasons.iter().map(|(id, reason)| format!("{id} {reason}")).collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    c known-error: the image `c` cannot be read: the end is missing at 6
    d known-error: the image `d` cannot be read: the end is missing at 6
    e known-error: the image `e` is not opened: it has 999 bands; raise `max-bands` under `[image]`, which is 16
    f unknown-error: the image `f` cannot be worked on: it takes longer than `wall` under `[image]` allows (2m)
    g unknown-error: another object was stored as `g` meanwhile (tried 2 times)
    h not-found: there is no image `h` in `masters`
    i not-found: there is no image `i` in `masters`
    ");
    let groups: Vec<_> = summary.groups.iter().map(|group| group.count).collect();
    assert_eq!((groups.len(), groups.iter().max()), (5, Some(&2)), "broken ones and missing ones: {groups:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_measures_renditions_and_stores_none() {
    let studio = masters().await;
    let tally = studio.compare().await;
    let run = studio.buckets["images"].list("", None, 10).await.unwrap().objects;
    assert!(run.is_empty() && tally.is_equal());
    let Counts { read, done, not_found, failed, waiting, objects, renditions, pixels, .. } = tally.counts;
    assert_eq!((read, done, not_found, failed + waiting), (9, 2, 2, 5));
    assert_eq!((objects, renditions, pixels), (2, 2, 2 * 3000 * 1500));
}
