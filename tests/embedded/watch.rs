//! A folder that is watched: real files, as people and programs put them there.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use reindex::{
    backend::{Backends, Config, Mode},
    capability::storage::{ObjectInfo, Watch},
    clock::System,
    event::{Event, Events},
};
use rustix::fs::{CWD, FileType, Mode as Permission, mknodat};
use tempfile::TempDir;

/// Long enough for whatever comes, and short enough to see that nothing does.
const SOON: Duration = Duration::from_secs(60);
const QUIET: Duration = Duration::from_secs(5);

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.0.path().join("in")).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.0.path().join("in").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn watch(&self) -> Arc<dyn Watch> {
        self.watch_for(&Events::ignore())
    }

    fn watch_for(&self, events: &Events) -> Arc<dyn Watch> {
        let backends = Backends::new(self.0.path(), self.0.path().join("state"), Mode::ReadWrite, Arc::new(System));
        let config: Config = toml::from_str("[files]\ndirectory = 'in'").unwrap();
        backends.watch("masters", Some(&config), "pictures", events).unwrap()
    }
}

/// Takes arrivals until so many keys came, and acknowledges them.
async fn take(watch: &dyn Watch, count: usize) -> BTreeMap<String, ObjectInfo> {
    let mut came = BTreeMap::new();
    while came.len() < count {
        let arrivals = watch.arrivals(SOON).await.unwrap();
        assert!(!arrivals.is_empty(), "only {:?} of {count} came", came.keys());
        watch.acknowledge(&arrivals).await.unwrap();
        came.extend(arrivals.into_iter().map(|info| (info.key.clone(), info)));
    }
    came
}

fn keys(came: &BTreeMap<String, ObjectInfo>) -> Vec<&str> {
    came.keys().map(String::as_str).collect()
}

async fn assert_quiet(watch: &dyn Watch) {
    assert_eq!(watch.arrivals(QUIET).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_from_before_and_from_later_are_told_of_until_they_are_acknowledged() {
    let folder = Folder::new();
    folder.put("before.tif", "1");
    let watch = folder.watch();
    let arrivals = watch.arrivals(SOON).await.unwrap();
    assert_eq!(arrivals, watch.arrivals(SOON).await.unwrap(), "nobody acknowledged it");
    watch.acknowledge(&arrivals).await.unwrap();
    folder.put("later.tif", "1");
    folder.put("deep/er/Ω ü+.tif", "1");
    fs::rename(folder.path("later.tif"), folder.path("moved.tif")).unwrap();
    let came = take(&*watch, 2).await;
    assert_eq!(keys(&came), ["deep/er/Ω ü+.tif", "moved.tif"]);
    assert_quiet(&*watch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_told_of_when_it_is_whole_and_again_when_it_is_another() {
    let folder = Folder::new();
    let watch = folder.watch();
    assert_quiet(&*watch).await;
    let mut slow = File::create(folder.path("slow.tif")).unwrap();
    slow.write_all(b"a part").unwrap();
    folder.put(".hidden.tif", "never");
    folder.put(".partial/x.tif", "never");
    // Longer than a file stands still that nobody told of.
    assert_quiet(&*watch).await;
    slow.write_all(b", and the rest").unwrap();
    drop(slow);
    let came = take(&*watch, 1).await;
    assert_eq!(came["slow.tif"].size, 20);
    let temporary = folder.0.path().join("temporary");
    fs::write(&temporary, "another").unwrap();
    fs::rename(&temporary, folder.path("slow.tif")).unwrap();
    let again = take(&*watch, 1).await;
    assert!(again["slow.tif"].size == 7 && again["slow.tif"].etag != came["slow.tif"].etag);
    fs::remove_file(folder.path("slow.tif")).unwrap();
    assert_quiet(&*watch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_tells_of_what_came_meanwhile_and_of_nothing_else() {
    let folder = Folder::new();
    for name in ["kept.tif", "changed.tif", "gone.tif"] {
        folder.put(name, "1");
    }
    take(&*folder.watch(), 3).await;
    folder.put("changed.tif", "22");
    folder.put("new/one.tif", "1");
    fs::remove_file(folder.path("gone.tif")).unwrap();
    let watch = folder.watch();
    assert_eq!(keys(&take(&*watch, 2).await), ["changed.tif", "new/one.tif"]);
    assert_quiet(&*watch).await;
    // What went away and came back is news.
    fs::rename(folder.path("kept.tif"), folder.0.path().join("kept.tif")).unwrap();
    take_nothing(&*folder.watch()).await;
    fs::rename(folder.0.path().join("kept.tif"), folder.path("kept.tif")).unwrap();
    assert_eq!(keys(&take(&*folder.watch(), 1).await), ["kept.tif"]);
}

async fn take_nothing(watch: &dyn Watch) {
    assert_quiet(watch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_files_and_folders_that_are_moved_in_come_all() {
    let folder = Folder::new();
    let watch = folder.watch();
    assert_quiet(&*watch).await;
    for number in 0..1000 {
        folder.put(&format!("{}/{number}.tif", number % 7), "1");
    }
    let outside = folder.0.path().join("outside");
    fs::create_dir_all(outside.join("deep")).unwrap();
    for number in 0..50 {
        fs::write(outside.join(format!("deep/{number}.tif")), "1").unwrap();
    }
    fs::rename(&outside, folder.path("moved")).unwrap();
    assert_eq!(take(&*watch, 1050).await.len(), 1050);
    assert_quiet(&*watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_name_stands_for_no_key_is_told_of_aloud() {
    let (folder, said) = (Folder::new(), Arc::new(Mutex::new(String::new())));
    let heard = said.clone();
    let events = Events::new(move |event| {
        if let Event::Warning { text } = event {
            heard.lock().unwrap().push_str(&(text + "\n"));
        }
    });
    folder.put("before%25.jpg", "x");
    folder.put("100%.jpg", "x");
    let watch = folder.watch_for(&events);
    assert_eq!(keys(&take(&*watch, 1).await), ["100%.jpg"]);
    folder.put("later%25.jpg", "x");
    folder.put("deep/a%20b.jpg", "x");
    assert_eq!(keys(&take(&*watch, 1).await), ["deep/a%20b.jpg"]);
    let said = said.lock().unwrap();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    for (line, name) in lines.iter().zip(["before%25.jpg", "later%25.jpg"]) {
        assert!(line.contains(&format!("{name} is not taken: its name has a `%`")), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_holds_up_nothing_and_is_told_of_with_its_reason() {
    let (folder, said) = (Folder::new(), Arc::new(Mutex::new(String::new())));
    let heard = said.clone();
    let events = Events::new(move |event| {
        if let Event::Warning { text } = event {
            heard.lock().unwrap().push_str(&(text + "\n"));
        }
    });
    let pipe =
        |name: &str| mknodat(CWD, folder.path(name), FileType::Fifo, Permission::RUSR | Permission::WUSR, 0).unwrap();
    let link = |name: &str, to: &str| std::os::unix::fs::symlink(to, folder.path(name)).unwrap();
    let outside = folder.0.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret.tif"), "x").unwrap();
    pipe("pipe.tif");
    link("loop.tif", "loop.tif");
    folder.put("before.tif", "x");
    let watch = folder.watch_for(&events);
    assert_eq!(keys(&take(&*watch, 1).await), ["before.tif"]);
    link("folder", outside.to_str().unwrap());
    link("copy.tif", "before.tif");
    folder.put("line\nfeed.tif", "x");
    folder.put("later.tif", "x");
    assert_eq!(keys(&take(&*watch, 1).await), ["later.tif"]);
    fs::write(outside.join("more.tif"), "x").unwrap();
    assert_quiet(&*watch).await;
    let said = said.lock().unwrap();
    for line in [
        "pipe.tif is not taken: a pipe, a socket or a device",
        "loop.tif is not taken: a link, which is not followed",
        "line\\nfeed.tif is not taken: its name has a line feed",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_marked_after_it_was_closed_does_not_wait_for_a_writer() {
    let folder = Folder::new();
    let watch = folder.watch();
    assert_quiet(&*watch).await;
    folder.put("installed.tif", "x");
    let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o640);
    fs::set_permissions(folder.path("installed.tif"), mode).unwrap();
    // Half as long as a writer is waited for that does not close its file.
    let arrivals = watch.arrivals(Duration::from_secs(30)).await.unwrap();
    assert_eq!(arrivals.iter().map(|info| info.key.as_str()).collect::<Vec<_>>(), ["installed.tif"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_went_away_and_came_back_as_it_was_is_told_of_again() {
    let folder = Folder::new();
    for name in ["file.tif", "folder/x.tif", "stays.tif"] {
        folder.put(name, "x");
    }
    let watch = folder.watch();
    let first = take(&*watch, 3).await;
    for name in ["file.tif", "folder"] {
        let away = folder.0.path().join("away");
        fs::rename(folder.path(name), &away).unwrap();
        fs::rename(&away, folder.path(name)).unwrap();
    }
    let again = take(&*watch, 2).await;
    assert_eq!(keys(&again), ["file.tif", "folder/x.tif"]);
    assert_eq!(again["file.tif"], first["file.tif"], "the same to the last second");
    assert_quiet(&*watch).await;
}

#[test]
fn a_bucket_of_s3_is_not_watched_and_says_what_to_do() {
    let backends = Backends::new(".", "state", Mode::ReadWrite, Arc::new(System));
    let config: Config = toml::from_str("[s3]\nbucket = 'masters'").unwrap();
    let error = backends.watch("masters", Some(&config), "pictures", &Events::ignore()).err().unwrap();
    if cfg!(feature = "s3") {
        assert!(error.hint_text().unwrap().contains("`queue`"), "{}", error.report());
    }
}
