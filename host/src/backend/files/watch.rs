//! A bucket in a directory that notifies of new files.
//!
//! A file that was closed or moved in has an event of the system at once. Files without an event (stored while this
//! process did not run, or over a network) are found by a walk from time to time; such a file is notified when it did
//! not change for a while. Names that begin with a dot are unfinished files of other programs, and never notified.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use rustix::fs::FileType;
use tokio::{sync::Mutex, time::Instant};

use super::{
    Bucket, blocking, explain,
    hear::{Ear, Heard, Sound, Sounds},
    key,
    walk::other,
};
use crate::{
    backend::sqlite::Watched,
    capability::storage::{self, Bucket as _, Listing, ObjectInfo, Omissions, Omitted},
    error::Result,
    event::Events,
};

/// How long size and time of a file must not change if no event shows that it is complete.
const SETTLE: Duration = Duration::from_secs(2);

/// How long to wait for a file that is being written and is not closed.
const UNCLOSED: Duration = Duration::from_secs(60);

/// How often the whole directory is walked if there are events ...
const WALK: Duration = Duration::from_secs(10 * 60);

/// ... and if there are none.
const WALK_DEAF: Duration = Duration::from_secs(5);

/// How many files are checked in one step.
const PAGE: usize = 1000;

/// How many entries that are no objects are reported one by one.
const MOST_TOLD: usize = 100;

/// How many files may wait to become stable before the walk pauses.
const MOST_WAITING: usize = 10_000;

/// Notifies of the files of a directory.
pub struct Watch {
    directory: PathBuf,
    bucket: Bucket,
    acknowledged: Watched,
    events: Events,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ear: Option<Ear>,
    /// Whether listening was attempted.
    begun: bool,
    /// Files that are not known to be complete yet, by key.
    waiting: BTreeMap<String, Waiting>,
    /// The prefixes of the keys to walk, and when.
    walks: BTreeMap<String, Instant>,
    /// The current walk, and the last key it reached.
    walk: Option<(String, Option<String>)>,
    /// The objects that were notified and not acknowledged.
    told: BTreeMap<String, ObjectInfo>,
    /// The entries that were reported as no objects.
    strangers: BTreeSet<String>,
    /// The entries that are no objects, of the current walk and of the last one.
    omitted: Omissions,
    omitted_before: Omissions,
}

/// A file that is checked again when it is due.
struct Waiting {
    due: Instant,
    /// The etag that it must still have then; none if any is accepted.
    etag: Option<String>,
}

impl Watch {
    /// Watches nothing yet; the directory is created by the first call.
    pub(in crate::backend) fn open(directory: impl Into<PathBuf>, acknowledged: Watched, events: Events) -> Self {
        let directory = directory.into();
        let bucket = Bucket::open(&directory);
        Self { directory, bucket, acknowledged, events, state: Mutex::default() }
    }
}

#[async_trait]
impl storage::Watch for Watch {
    async fn arrivals(&self, wait: Duration) -> Result<Vec<ObjectInfo>> {
        let until = Instant::now() + wait;
        let mut state = self.state.lock().await;
        self.begin(&mut state).await?;
        loop {
            if !state.told.is_empty() {
                return Ok(state.told.values().cloned().collect());
            }
            self.listen(&mut state).await?;
            self.walk(&mut state).await?;
            self.look(&mut state).await?;
            if state.told.is_empty() && !state.is_busy() {
                if Instant::now() >= until {
                    return Ok(Vec::new());
                }
                state.rest(until).await;
            }
        }
    }

    async fn acknowledge(&self, arrivals: &[ObjectInfo]) -> Result<()> {
        let mut state = self.state.lock().await;
        // An object that was removed meanwhile is notified when it comes back.
        let is_told = |info: &&ObjectInfo| state.told.get(&info.key) == Some(*info);
        let arrivals: Vec<_> = arrivals.iter().filter(is_told).cloned().collect();
        self.acknowledged.acknowledge(&arrivals).await?;
        for info in arrivals {
            state.told.remove(&info.key);
        }
        Ok(())
    }
}

impl Watch {
    /// Starts to listen, and to walk the existing files.
    async fn begin(&self, state: &mut State) -> Result<()> {
        if state.begun {
            return Ok(());
        }
        let directory = self.directory.clone();
        let made = blocking(move || {
            fs::create_dir_all(&directory).map_err(|error| explain(error, &directory))?;
            Ok(Ear::open(&directory))
        });
        match made.await? {
            Ok(ear) => state.ear = Some(ear),
            Err(error) => self.tell_deaf(&error.report()),
        }
        state.walks.insert(String::new(), Instant::now());
        state.begun = true;
        Ok(())
    }

    fn tell_deaf(&self, why: &str) {
        let (directory, every) = (self.directory.display(), WALK_DEAF);
        self.events.warn(format!(
            "not every change in {directory} is told of, so it is walked through every {every:?}: {why} \
             (raise `fs.inotify.max_user_watches` where there are many folders)"
        ));
    }

    /// Reports each of the first few omitted entries once.
    fn tell_omitted(&self, found: impl IntoIterator<Item = Omitted>, state: &mut State) {
        let found = found.into_iter().filter(|omitted| !is_hidden(&omitted.name));
        for Omitted { name, reason } in found {
            if state.strangers.len() < MOST_TOLD && state.strangers.insert(name.clone()) {
                let path = self.directory.join(&name);
                self.events.warn(format!("{} is not taken: {reason}", path.display()));
            }
        }
    }

    /// Reports at the end of a walk how many entries are omitted, by reason, unless the last report was the same.
    fn tell_all_omitted(&self, state: &mut State) {
        let omitted = std::mem::take(&mut state.omitted);
        if omitted != state.omitted_before && omitted.count() > MOST_TOLD as u64 {
            let directory = self.directory.display();
            omitted.lines().iter().for_each(|line| self.events.warn(format!("in {directory}, {line}")));
        }
        state.omitted_before = omitted;
    }

    /// Handles the events of the system.
    async fn listen(&self, state: &mut State) -> Result<()> {
        let Some(ear) = &state.ear else { return Ok(()) };
        let Heard { paths, missed, deaf } = ear.heard();
        let now = Instant::now();
        if let Some(why) = deaf {
            state.ear = None;
            self.tell_deaf(&why);
        }
        if missed || state.ear.is_none() {
            state.walks.insert(String::new(), now + SETTLE);
        }
        let directory = self.directory.clone();
        let name = move || {
            let named = paths.into_iter().filter_map(|(path, sounds)| Some((named(&directory, &path)?, sounds)));
            Ok(named.map(|((name, kind), sounds)| (name, kind, sounds)).collect::<Vec<_>>())
        };
        let (mut gone, mut omitted) = (Vec::new(), Vec::new());
        for (name, kind, Sounds { gone: is_gone, last }) in blocking(name).await? {
            match name {
                Ok(key) => {
                    if is_gone {
                        state.told.remove(&key);
                        gone.push(key.clone());
                    }
                    if let Some(sound) = last {
                        state.hear(key, kind == FileType::Directory, sound, now);
                    }
                }
                // A file that is still being written may get another name.
                Err(_) if kind == FileType::RegularFile && matches!(last, None | Some(Sound::Touched)) => {}
                Err(stranger) => omitted.push(stranger),
            }
        }
        self.acknowledged.forget_all(&gone).await?;
        self.tell_omitted(omitted, state);
        Ok(())
    }

    /// Walks one more page, if a walk is due and not too many files wait.
    async fn walk(&self, state: &mut State) -> Result<()> {
        let now = Instant::now();
        if state.waiting.len() >= MOST_WAITING {
            return Ok(());
        }
        let Some((prefix, after)) = state.walk.take().or_else(|| state.next_walk(now)) else { return Ok(()) };
        // If this page fails, it is read again.
        state.walk = Some((prefix.clone(), after.clone()));
        let Listing { objects, omitted, next } = self.bucket.list(&prefix, after.as_deref(), PAGE).await?;
        if prefix.is_empty() {
            self.acknowledged.forget(after.as_deref(), next.as_deref(), &objects).await?;
            let shown = omitted.iter().filter(|omitted| !is_hidden(&omitted.name));
            shown.for_each(|entry| state.omitted.add(entry.clone()));
        }
        self.tell_omitted(omitted, state);
        let shown = objects.into_iter().filter(|info| !is_hidden(&info.key)).collect();
        for ObjectInfo { key, etag, .. } in self.acknowledged.news(shown).await? {
            state.waiting.entry(key).or_insert(Waiting { due: now + SETTLE, etag: Some(etag) });
        }
        if prefix.is_empty() && next.is_none() {
            self.tell_all_omitted(state);
            let pause = if state.ear.is_some() { WALK } else { WALK_DEAF };
            state.walks.entry(prefix.clone()).or_insert(Instant::now() + pause);
        }
        state.walk = next.map(|next| (prefix, Some(next)));
        Ok(())
    }

    /// Checks the files that are due: complete ones are notified, unless they were acknowledged.
    async fn look(&self, state: &mut State) -> Result<()> {
        let now = Instant::now();
        let due = state.waiting.iter().filter(|(_, waiting)| waiting.due <= now).map(|(key, _)| key.clone());
        let keys: Vec<_> = due.take(PAGE).collect();
        let (mut found, mut omitted) = (Vec::new(), Vec::new());
        for (key, head) in keys.iter().zip(self.bucket.heads(&keys).await?) {
            match head {
                Err(error) if error.concerns_item() => {
                    omitted.push(Omitted { name: key.clone(), reason: "this user may not read it" });
                }
                head => found.extend(head?),
            }
        }
        self.tell_omitted(omitted, state);
        let (whole, unsettled): (Vec<_>, Vec<_>) = found.into_iter().partition(|info| state.is_whole(info));
        let told = self.acknowledged.news(whole).await?;
        for key in &keys {
            state.waiting.remove(key);
        }
        let waits = |info: ObjectInfo| (info.key, Waiting { due: now + SETTLE, etag: Some(info.etag) });
        state.waiting.extend(unsettled.into_iter().map(waits));
        state.told.extend(told.into_iter().map(|info| (info.key.clone(), info)));
        Ok(())
    }
}

impl State {
    /// Starts a walk that is due.
    fn next_walk(&mut self, now: Instant) -> Option<(String, Option<String>)> {
        let prefix = self.walks.iter().find(|(_, due)| **due <= now)?.0.clone();
        self.walks.remove(&prefix);
        Some((prefix, None))
    }

    /// Handles the event of a key.
    fn hear(&mut self, key: String, is_directory: bool, sound: Sound, now: Instant) {
        match sound {
            // From then on, the system has events for later files in it.
            Sound::Came if is_directory => drop(self.walks.entry(format!("{key}/")).or_insert(now + SETTLE)),
            _ if is_directory => {}
            Sound::Touched => drop(self.waiting.insert(key, Waiting { due: now + UNCLOSED, etag: None })),
            // It may be readable now; a file that waits to be closed or to become stable continues to wait.
            Sound::Marked => drop(self.waiting.entry(key).or_insert(Waiting { due: now + SETTLE, etag: None })),
            Sound::Closed | Sound::Came | Sound::Gone => {
                self.waiting.insert(key, Waiting { due: now, etag: None });
            }
        }
    }

    /// Whether a file that is due has the expected etag.
    fn is_whole(&self, info: &ObjectInfo) -> bool {
        let etag = self.waiting.get(&info.key).and_then(|waiting| waiting.etag.as_ref());
        etag.is_none_or(|etag| *etag == info.etag)
    }

    /// Whether there is work to do now.
    fn is_busy(&self) -> bool {
        self.walk.is_some() && self.waiting.len() < MOST_WAITING
    }

    /// Waits until a file is due or an event comes.
    async fn rest(&self, until: Instant) {
        let dues = self.waiting.values().map(|waiting| waiting.due).chain(self.walks.values().copied());
        let due = dues.min().map_or(until, |due| due.min(until));
        match &self.ear {
            Some(ear) => tokio::select! {
                () = ear.rings() => {}
                () = tokio::time::sleep_until(due) => {}
            },
            None => tokio::time::sleep_until(due).await,
        }
    }
}

/// The key of a path with an event, or why it is none, and its kind; none if it is hidden, or one of the program's own
/// files.
fn named(directory: &Path, path: &Path) -> Option<(Result<String, Omitted>, FileType)> {
    let below = path.strip_prefix(directory).ok()?;
    if below.starts_with(key::UNFINISHED) {
        return None;
    }
    let part = |name: &OsStr| name.to_str().and_then(key::part).unwrap_or_else(|| key::shown(name));
    let key = below.iter().map(part).collect::<Vec<_>>().join("/");
    if key.is_empty() || is_hidden(&key) {
        return None;
    }
    // It may be gone; then its name alone counts.
    let kind = fs::symlink_metadata(path).map_or(FileType::RegularFile, |found| FileType::from_raw_mode(found.mode()));
    let name = match below.iter().find_map(key::flaw).or_else(|| other(kind)) {
        Some(reason) => Err(Omitted { name: key, reason }),
        None => Ok(key),
    };
    Some((name, kind))
}

fn is_hidden(key: &str) -> bool {
    key.split('/').any(|part| part.starts_with('.'))
}
