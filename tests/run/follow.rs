//! Runs over requests, from end to end and for ever: stopped or killed at any moment, they end as if nothing had
//! happened.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reindex::{
    backend::{Mode, files},
    capability::storage::Bucket as _,
    error::{Error, Kind, Result},
    event::{Event, Events},
    ledger::Counts,
    pipeline::{Follow, Stop},
    run::{Fresh, Options, Project, Summary, Work},
};
use tokio::{sync::Notify, task::JoinHandle};

use crate::place::Place;

const RECIPE: &str = r#"
recipe = 1
[plugin]
file = "rogue.wasm"
[source.requests]
bucket = "requests"
objects = "masters"
segments = 2
[grant.read]
storage = ["people", "masters"]
[grant.write]
index = ["rogues"]
storage = ["requests"]
[run]
attempts = 2
batch-records = 3
"#;

/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(3600);

/// A place with a recipe of requests, and the bucket they lie in.
struct Desk {
    place: Place,
    bucket: files::Bucket,
}

impl Desk {
    fn new() -> Self {
        let place = Place::with_rogue();
        place.write("desk.toml", RECIPE);
        Self { bucket: files::Bucket::open(place.path(".reindex/objects/requests")), place }
    }

    /// With ten requests: seven that are done and go away, two that fail, and one that asks for another try until
    /// nobody gives it one.
    async fn laid() -> Self {
        let desk = Self::new();
        for number in 0..10 {
            let deed = ["finish", "finish", "mischief", "finish", "retry"][number % 5];
            let deed = if number == 9 { "finish" } else { deed };
            desk.ask(&format!("{number}"), deed).await;
        }
        desk
    }

    async fn ask(&self, name: &str, deed: &str) {
        self.put(name, &format!(r#"{{"key":"a/{name}.tif","do":"{deed}"}}"#)).await;
    }

    async fn put(&self, name: &str, body: &str) {
        self.bucket.put(&format!("requests/{name}.json"), body.as_bytes().to_vec(), None).await.unwrap();
    }

    async fn open(&self) -> Vec<String> {
        let listed = self.bucket.list("", None, 1000).await.unwrap().objects;
        let name = |key: String| key.trim_start_matches("requests/").trim_end_matches(".json").to_owned();
        listed.into_iter().map(|info| name(info.key)).collect()
    }

    fn project(&self) -> Project {
        Project::open(&self.place.path("desk.toml"), None, Mode::ReadWrite, &|_| None).unwrap()
    }

    async fn run(&self, options: Options) -> Result<Summary> {
        let job = self.project().job(false, &Events::ignore()).await?;
        job.run(options, &Events::ignore(), &Stop::new()).await
    }

    /// Follows the requests; `each` hears every event with its number.
    fn follow(&self, each: impl Fn(usize, &Event) + Send + Sync + 'static) -> Following {
        let (stop, wake, counts) = (Stop::new(), Arc::new(Notify::new()), Arc::<Mutex<Counts>>::default());
        let (number, heard) = (AtomicUsize::new(0), counts.clone());
        let events = Events::new(move |event| {
            if let Event::Progress { counts } | Event::Started { before: counts, .. } = &event {
                *heard.lock().unwrap() = *counts;
            }
            each(number.fetch_add(1, Ordering::SeqCst), &event);
        });
        let follow = Some(Follow { wake: wake.clone(), poll: NEVER });
        let options = Options { follow, fresh: Fresh::IfDifferent, ..Options::default() };
        let (project, asked) = (self.project(), stop.clone());
        let run = tokio::spawn(async move {
            let job = project.job(false, &events).await?;
            job.run(options, &events, &asked).await
        });
        Following { stop, wake, counts, run }
    }

    /// What is left: documents, and failures by id.
    async fn left(&self) -> (Vec<String>, BTreeMap<String, String>) {
        let project = self.project();
        let index = project.job(false, &Events::ignore()).await.unwrap().resources.indexes["rogues"].clone();
        let documents = index.search("", 1000).await.unwrap().1.into_iter().map(|document| document.id);
        let status = project.status(None).await.unwrap().unwrap();
        let failed = status.groups.iter().flat_map(|group| {
            group.examples.iter().map(|id| (id.clone(), format!("{:?} {}", group.state, group.group)))
        });
        let mut documents: Vec<_> = documents.collect();
        documents.sort();
        (documents, failed.collect())
    }
}

struct Following {
    stop: Stop,
    wake: Arc<Notify>,
    counts: Arc<Mutex<Counts>>,
    run: JoinHandle<Result<Summary>>,
}

impl Following {
    /// Waits until the counts say so.
    async fn until(&self, what: &str, is: impl Fn(&Counts) -> bool) {
        for _ in 0..6000 {
            if is(&self.counts.lock().unwrap()) {
                return;
            }
            assert!(!self.run.is_finished(), "it ended by itself before {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never: {what}; {:?}", self.counts.lock().unwrap());
    }

    async fn stopped(self) -> Error {
        self.stop.ask();
        self.run.await.unwrap().unwrap_err()
    }
}

fn is_settled(counts: &Counts) -> bool {
    counts.done + counts.failed >= 10 && counts.waiting == 0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followed_run_does_what_comes_once_and_what_fails_again_only_when_it_changed() {
    let desk = Desk::laid().await;
    let following = desk.follow(|_, _| ());
    following.until("the first are done", is_settled).await;
    assert_eq!(desk.open().await, ["2", "4", "7"]);
    for name in ["x", "y"] {
        desk.ask(name, "finish").await;
    }
    following.wake.notify_waiters();
    following.until("new ones are done", |counts| counts.done == 9).await;
    // The same as one that was done before, and one that failed.
    desk.ask("x", "finish").await;
    desk.ask("2", "finish").await;
    following.wake.notify_waiters();
    following.until("one is done again, and one that failed at last", |counts| counts.done == 11).await;
    assert_eq!(desk.open().await, ["4", "7"]);
    let counts = *following.counts.lock().unwrap();
    assert!(counts.add_up() && (counts.read, counts.failed) == (13, 2), "{counts:?}");
    let error = following.stopped().await;
    assert_eq!(error.kind(), Kind::Stopped, "{}", error.report());
    let (documents, failed) = desk.left().await;
    assert_eq!((documents.len(), failed.len()), (10, 2));
    assert!(failed[r#"["masters","a/4.tif"]"#].starts_with("UnknownError"), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_found_is_looked_for_again_and_what_is_put_again_is_looked_at_again() {
    let desk = Desk::new();
    desk.put("late", r#"{"key":"a/late.tif","do":"seek","with":"late"}"#).await;
    desk.ask("wrong", "mischief").await;
    let tries = Arc::<Mutex<BTreeMap<String, usize>>>::default();
    let heard = tries.clone();
    let following = desk.follow(move |_, event| {
        if let Event::ItemFailed { id, .. } = event {
            *heard.lock().unwrap().entry(id.clone()).or_default() += 1;
        }
    });
    following.until("both are looked at", |counts| (counts.not_found, counts.failed) == (1, 1)).await;
    // What failed waits for another request, and the same one will do.
    let wrong = || tries.lock().unwrap()[r#"["masters","a/wrong.tif"]"#];
    assert_eq!(wrong(), 1);
    desk.ask("wrong", "mischief").await;
    following.wake.notify_waiters();
    following.until("what failed is looked at again", |_| wrong() == 2).await;
    // Nobody says that the object came.
    files::Bucket::open(desk.place.path(".reindex/objects/masters")).put("late", vec![0], None).await.unwrap();
    following.until("what was not found is done", |counts| (counts.done, counts.not_found) == (1, 0)).await;
    following.stopped().await;
    assert_eq!(desk.open().await, ["wrong"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followed_run_that_is_stopped_or_killed_after_any_event_ends_like_an_undisturbed_one() {
    let desk = Desk::laid().await;
    let events = Arc::new(AtomicUsize::new(0));
    let last = events.clone();
    let following = desk.follow(move |number, _| last.store(number, Ordering::SeqCst));
    following.until("all is settled", is_settled).await;
    following.stopped().await;
    let expected = desk.left().await;
    assert!(events.load(Ordering::SeqCst) > 8, "{events:?} are too few to be worth breaking");
    for (at, kills) in (0..events.load(Ordering::SeqCst)).flat_map(|at| [(at, false), (at, true)]) {
        let desk = Desk::laid().await;
        let came = Arc::new(Notify::new());
        let heard = came.clone();
        let following = desk.follow(move |number, _| {
            if number == at {
                heard.notify_one();
            }
        });
        // How many events there are depends on the time that things take: this run may have fewer than the first.
        let settled = async {
            following.until("all is settled", is_settled).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
        };
        tokio::select! {
            () = came.notified() => {}
            () = settled => {}
        }
        if kills {
            following.run.abort();
            drop(following.run.await);
        } else {
            following.stopped().await;
        }
        let following = desk.follow(|_, _| ());
        // What was done and not written down before the death is gone, and not counted.
        let open = || async { desk.open().await == ["2", "4", "7"] };
        for _ in 0..6000 {
            let counts = *following.counts.lock().unwrap();
            if open().await && counts.failed == 3 && counts.waiting == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let counts = *following.counts.lock().unwrap();
        assert!(counts.add_up() && counts.failed == 3, "event {at}, killed: {kills}: {counts:?}");
        following.stopped().await;
        assert_eq!(desk.left().await, expected, "event {at}, killed: {kills}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_requests_ends_with_them_and_what_failed_stays() {
    let desk = Desk::laid().await;
    let summary = desk.run(Options::default()).await.unwrap();
    assert!(summary.is_finished() && summary.counts.add_up());
    assert_eq!((summary.counts.read, summary.counts.done, summary.counts.failed), (10, 7, 3));
    assert_eq!(desk.open().await, ["2", "4", "7"]);
    desk.ask("2", "finish").await;
    let summary = desk.run(Options::default()).await.unwrap();
    assert_eq!((summary.counts.read, summary.counts.done, summary.counts.failed), (3, 1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_plugin_or_pace_needs_no_hand_where_the_caller_says_so() {
    let desk = Desk::laid().await;
    let following = desk.follow(|_, _| ());
    following.until("all is settled", is_settled).await;
    following.stopped().await;
    // A run from end to end cannot go on with one that keeps no checkpoint.
    let error = desk.run(Options::default()).await.unwrap_err();
    assert!(error.kind() == Kind::Usage && error.message().contains("pace"), "{}", error.report());
    let summary = desk.run(Options { fresh: Fresh::IfDifferent, ..Options::default() }).await.unwrap();
    assert!(!summary.resumed && summary.counts.read == 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_of_requests_is_refused_in_words() {
    let desk = Desk::laid().await;
    for work in [Work::Rebuild { drop_old: false, waive: 0 }, Work::Loaded] {
        let error = desk.run(Options { work, ..Options::default() }).await.unwrap_err();
        assert!(error.kind() == Kind::Usage && error.message().contains("requests"), "{}", error.report());
    }
    let follow = Some(Follow { wake: Arc::default(), poll: NEVER });
    let error = desk.run(Options { work: Work::Limit(3), follow, ..Options::default() }).await.unwrap_err();
    assert!(error.kind() == Kind::Usage && error.message().contains("followed"), "{}", error.report());
    let job = desk.project().job(false, &Events::ignore()).await.unwrap();
    let tally = job.diff(Work::Full, &Events::ignore(), &Stop::new(), |_| ()).await.unwrap();
    assert_eq!(tally.added, 7, "{tally:?}");
    assert_eq!(desk.open().await.len(), 10, "nothing was done");
    let summary = desk.run(Options { work: Work::Limit(3), ..Options::default() }).await.unwrap();
    assert_eq!(summary.counts.read, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_none_fail_with_their_reasons_and_single_ones_are_found_by_their_object() {
    let desk = Desk::new();
    let long = "k".repeat(1024);
    desk.put("broken", "{\"key\":").await;
    desk.put("text", "\"a.tif\"").await;
    desk.put("nameless", "{\"message\":\"x\"}").await;
    desk.put("big", &format!("{{\"key\":\"{}\"}}", "x".repeat(2 << 20))).await;
    desk.put("long", &format!(r#"{{"key":"{long}","do":"finish"}}"#)).await;
    desk.put("climber", r#"{"key":"../../etc/passwd","do":"finish","bucket":"elsewhere"}"#).await;
    let summary = desk.run(Options::default()).await.unwrap();
    let reasons: Vec<_> = summary.groups.iter().map(|group| group.group.as_str()).collect();
    assert_eq!((summary.counts.done, summary.counts.failed), (1, 5), "{reasons:?}");
    for reason in ["is not JSON", "is not a JSON object", "key is missing", "longer than"] {
        assert!(reasons.iter().any(|said| said.contains(reason)), "{reason}: {reasons:?}");
    }
    let (documents, _) = desk.left().await;
    assert_eq!(documents, [r#"["masters","../../etc/passwd"]"#]);
    let requests = desk.project().requests().unwrap();
    requests.write(vec![requests.ask("a/b.tif")]).await.unwrap();
    let ids = Work::Ids([r#"["masters","a/b.tif"]"#, r#"["masters","nobody.tif"]"#].map(str::to_owned).into());
    let summary = desk.run(Options { work: ids, ..Options::default() }).await.unwrap();
    // It asks for no deed, so it is put into the index; of the other one there is no request.
    assert_eq!((summary.counts.done, summary.counts.not_found), (1, 1), "{:?}", summary.groups);
}
