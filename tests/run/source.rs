//! A source that changes: during a run nothing is swapped, dropped or finished, and a retry takes no record for another.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use flate2::{Compression, write::GzEncoder};
use reindex::{
    backend::files::JsonLines,
    capability::storage::{Page, Row, Sameness, Scan, Segment, SourceInfo},
    error::{Error, Kind, Result},
    event::Events,
    ledger::Filter,
    pipeline::Stop,
    record::Form,
    run::{Fresh, Job, Options, Summary, Work},
};

use super::{
    faulty::Fuse,
    options,
    world::{self, World},
};

/// How a file is changed, by its path and its lines.
type Change = fn(&Path, &str);

/// A file that is changed after it was read so many times.
struct Changing {
    inner: JsonLines,
    path: PathBuf,
    reads: AtomicUsize,
    at: usize,
    change: Change,
}

#[async_trait]
impl Scan for Changing {
    async fn info(&self) -> Result<SourceInfo> {
        self.inner.info().await
    }
    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        self.inner.compare(fingerprint).await
    }
    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        let page = self.inner.read(segment, after, limit).await;
        if self.reads.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            (self.change)(&self.path, &fs::read_to_string(&self.path).unwrap());
        }
        page
    }
    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        self.inner.reread(positions).await
    }
}

/// A source that finds another record at each place, and says that it is the same.
struct Shifted(JsonLines);

#[async_trait]
impl Scan for Shifted {
    async fn info(&self) -> Result<SourceInfo> {
        self.0.info().await
    }
    async fn compare(&self, _: &str) -> Result<Sameness> {
        Ok(Sameness::Same)
    }
    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        self.0.read(segment, after, limit).await
    }
    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        let other = |position: &String| {
            let body = world::record(1).into_bytes();
            Some(Row { cursor: String::new(), position: position.clone(), body })
        };
        Ok(positions.iter().map(other).collect())
    }
}

fn lines() -> String {
    (0..world::RECORDS).map(|number| world::record(number) + "\n").collect()
}

fn opened(path: &Path) -> JsonLines {
    JsonLines::open(path, Form::Plain, 1 << 20).unwrap()
}

fn reading(world: &World, source: impl Scan + 'static) -> Job {
    Job { source: Arc::new(source), segments: 1, ..world.job() }
}

async fn run(job: &Job, options: Options) -> Result<Summary> {
    job.run(options, &Events::ignore(), &Stop::new()).await
}

async fn retry(job: &Job) -> Result<Summary> {
    job.retry(None, Filter::default(), &Events::ignore(), &Stop::new()).await
}

/// What is done to a file while it is read.
const CHANGES: [(&str, Change); 5] = [
    ("cut at the end of a line", |path, lines| {
        let half: String = lines.lines().take(30).map(|line| format!("{line}\n")).collect();
        fs::File::options().write(true).open(path).unwrap().set_len(half.len() as u64).unwrap();
    }),
    ("appended to", |path, _| {
        let mut file = fs::File::options().append(true).open(path).unwrap();
        writeln!(file, "{}", world::record(1).replace("p-001", "p-late")).unwrap();
    }),
    ("changed in place", |path, lines| fs::write(path, lines.replace("Ada 59", "Eve 59")).unwrap()),
    ("replaced by another", |path, lines| {
        let beside = path.with_extension("new");
        fs::write(&beside, lines.replace("Ada 59", "Eve 59")).unwrap();
        fs::rename(beside, path).unwrap();
    }),
    ("removed", |path, _| fs::remove_file(path).unwrap()),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_from_a_file_that_changes_meanwhile_swaps_and_drops_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.jsonl");
    let rebuild = || Work::Rebuild { drop_old: true, waive: world::INVALID as u64 };
    // The file has six pages, and the seventh read finds its end.
    for (name, change) in CHANGES {
        for at in [1, 3, 7] {
            let world = World::new().await;
            fs::write(&path, lines()).unwrap();
            run(&reading(&world, opened(&path)), Options::default()).await.unwrap();
            let before = (world.alias().await, world.documents().await);
            let (inner, path, reads) = (opened(&path), path.clone(), AtomicUsize::new(0));
            let job = reading(&world, Changing { inner, path: path.clone(), reads, at, change });
            let error = run(&job, options(rebuild())).await.unwrap_err();
            let expected = if name == "removed" { Kind::Unavailable } else { Kind::Usage };
            assert_eq!(error.kind(), expected, "{name} after read {at}: {}", error.report());
            assert!(error.hint_text().is_some_and(|hint| hint.contains("--fresh")) || name == "removed", "{error:?}");
            assert_eq!((world.alias().await, world.documents().await), before, "{name} after read {at}");
            fs::write(&path, lines()).unwrap();
            let fresh = Options { fresh: Fresh::Always, ..options(rebuild()) };
            let summary = run(&reading(&world, opened(&path)), fresh).await.unwrap();
            assert!(summary.is_finished() && !summary.resumed, "{name} after read {at}");
            assert_eq!((world.indexes(), &world.documents().await), (1, &before.1), "{name} after read {at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_run_over_a_file_that_changes_is_not_finished_and_resumes_once_it_is_as_it_was() {
    let (directory, world) = (tempfile::tempdir().unwrap(), World::new().await);
    let path = directory.path().join("people.jsonl");
    fs::write(&path, lines()).unwrap();
    let (inner, reads) = (opened(&path), AtomicUsize::new(0));
    let job = reading(&world, Changing { inner, path: path.clone(), reads, at: 7, change: CHANGES[1].1 });
    let error = run(&job, Options::default()).await.unwrap_err();
    assert!(error.message().contains("changed"), "{error}");
    let error = run(&reading(&world, opened(&path)), Options::default()).await.unwrap_err();
    assert!(error.message().contains("its source changed"), "{error}");
    fs::write(&path, lines()).unwrap();
    let summary = run(&reading(&world, opened(&path)), Options::default()).await.unwrap();
    assert!(summary.resumed && summary.is_finished() && summary.counts.read == world::RECORDS as u64, "{summary:?}");
}

/// A change of a file's text.
type Edit = fn(&str) -> String;

/// What is done to a file between a run and a retry: places move, though lines stay.
const MOVES: [(&str, Edit); 3] = [
    ("a line was inserted at the front", |lines| format!("{}\n{lines}", world::record(1).replace("p-001", "p-new"))),
    ("an earlier line grew", |lines| lines.replace("Ada 1\"", "Ada the First\"")),
    ("it is cut", |lines| lines.lines().take(5).map(|line| format!("{line}\n")).collect()),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_over_a_file_that_changed_is_refused_and_keeps_every_row() {
    let directory = tempfile::tempdir().unwrap();
    let zip = |text: &str| {
        let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
        zip.write_all(text.as_bytes()).unwrap();
        zip.finish().unwrap()
    };
    let plain = |text: &str| text.as_bytes().to_vec();
    for (packing, pack) in [("plain", &plain as &dyn Fn(&str) -> Vec<u8>), ("gzip", &zip)] {
        for (name, change) in MOVES {
            let world = World::new().await;
            let path = directory.path().join("people.jsonl");
            fs::write(&path, pack(&lines())).unwrap();
            let summary = run(&reading(&world, opened(&path)), Options::default()).await.unwrap();
            let before = world.state(&summary.run.id).await;
            fs::write(&path, pack(&change(&lines()))).unwrap();
            let error = retry(&reading(&world, opened(&path))).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Usage, "{packing}, {name}: {}", error.report());
            assert!(error.message().contains("the source changed since run"), "{packing}, {name}: {error}");
            assert_eq!(world.state(&summary.run.id).await, before, "{packing}, {name}");
            fs::write(&path, pack(&lines())).unwrap();
            let again = retry(&reading(&world, opened(&path))).await.unwrap();
            assert_eq!(again.counts, summary.counts, "as it was, it is retried: {packing}, {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_not_the_one_that_failed_is_not_taken_for_it() {
    let (directory, world) = (tempfile::tempdir().unwrap(), World::new().await);
    let path = directory.path().join("people.jsonl");
    fs::write(&path, lines()).unwrap();
    let summary = run(&reading(&world, opened(&path)), Options::default()).await.unwrap();
    let again = retry(&reading(&world, Shifted(opened(&path)))).await.unwrap();
    assert_eq!(again.counts.failed, summary.counts.failed, "every row is kept");
    let groups: Vec<_> = again.groups.iter().map(|group| (group.count, group.group.as_str())).collect();
    assert_eq!(groups.len(), 1, "{groups:?}");
    assert!(groups[0].1.contains("was not tried again"), "{groups:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_goes_on_after_a_page_of_rows_that_is_short() {
    let world = World::new().await;
    run(&world.job(), Options::default()).await.unwrap();
    world.mend().await;
    // The ledger behind a fuse hands out half of the rows there are.
    let mended = retry(&world.faulty_job(&Fuse::default())).await.unwrap();
    assert_eq!((mended.counts.failed, world.documents().await.len()), (0, world::RECORDS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_cannot_be_looked_at_at_the_end_leaves_the_run_to_be_resumed() {
    /// A table that goes away before the end.
    struct Away(Arc<dyn Scan>);

    #[async_trait]
    impl Scan for Away {
        async fn info(&self) -> Result<SourceInfo> {
            self.0.info().await
        }
        async fn compare(&self, _: &str) -> Result<Sameness> {
            Err(Error::new(Kind::Unavailable, "away"))
        }
        async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
            self.0.read(segment, after, limit).await
        }
        async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
            self.0.reread(positions).await
        }
    }

    let world = World::new().await;
    let job = world.job();
    let away = Job { source: Arc::new(Away(job.source.clone())), ..world.job() };
    assert_eq!(run(&away, Options::default()).await.unwrap_err().kind(), Kind::Unavailable);
    assert!(run(&job, Options::default()).await.unwrap().resumed);
}
