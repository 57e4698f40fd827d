//! A bucket in a directory that tells of the files that came into it.
//!
//! The system tells of a file that was closed or moved in at once. What it does not tell of (what came while nobody
//! listened, or over a network) a walk finds, now and then; such a file is told of when it stood still for a while.
//! Names that begin with a dot are somebody's work in progress, and never told of.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::Mutex, time::Instant};

use super::{
    Bucket, blocking, explain,
    hear::{Ear, Heard, Sound},
    key,
};
use crate::{
    backend::sqlite::Watched,
    capability::storage::{self, Bucket as _, ObjectInfo},
    error::Result,
    event::Events,
};

/// How long size and time of a file have to stand still where nobody told that it is whole.
const SETTLE: Duration = Duration::from_secs(2);

/// How long a file is waited for that somebody writes to and does not close.
const UNCLOSED: Duration = Duration::from_secs(60);

/// How often everything is walked where the system tells of changes ...
const WALK: Duration = Duration::from_secs(10 * 60);

/// ... and where it does not.
const WALK_DEAF: Duration = Duration::from_secs(5);

/// How many files are looked at in one step.
const PAGE: usize = 1000;

/// How many files may wait to stand still before the walk does.
const MOST_WAITING: usize = 10_000;

/// Tells of the files of a directory.
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
    /// Whether listening was tried.
    begun: bool,
    /// Files that are not known to be whole yet, by key.
    waiting: BTreeMap<String, Waiting>,
    /// What the keys begin with that are to be walked, and when.
    walks: BTreeMap<String, Instant>,
    /// The walk under way, and the last key it came to.
    walk: Option<(String, Option<String>)>,
    /// What was told of and not acknowledged.
    told: BTreeMap<String, ObjectInfo>,
    /// What is no object, and was said to be none.
    strangers: BTreeSet<PathBuf>,
}

/// A file that is looked at again when it is due.
struct Waiting {
    due: Instant,
    /// What it has to be then still; none where whatever it is then will do.
    etag: Option<String>,
}

impl Watch {
    /// Watches nothing yet; the directory is made with the first question.
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
        self.acknowledged.acknowledge(arrivals).await?;
        let mut state = self.state.lock().await;
        for info in arrivals {
            if state.told.get(&info.key) == Some(info) {
                state.told.remove(&info.key);
            }
        }
        Ok(())
    }
}

impl Watch {
    /// Begins to listen, and to walk through what is there.
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

    /// Says of each of the first few once that it is not taken.
    fn tell_strange(&self, found: impl IntoIterator<Item = PathBuf>, state: &mut State) {
        for path in found {
            if state.strangers.len() < PAGE && state.strangers.insert(path.clone()) {
                let path = path.display();
                self.events.warn(format!(
                    "{path} is not taken, since its name stands for no object: rename it without `%` and in UTF-8"
                ));
            }
        }
    }

    /// Takes up what the system told.
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
            let is_strange = |path: &Path| path.file_name().is_none_or(key::is_strange);
            let (strangers, known): (Vec<_>, Vec<_>) = paths.into_iter().partition(|(path, _)| is_strange(path));
            let named = known.into_iter().filter_map(|(path, sound)| named(&directory, &path, sound));
            Ok((strangers, named.collect::<Vec<_>>()))
        };
        let (strangers, named) = blocking(name).await?;
        let whole = strangers.into_iter().filter(|(_, sound)| *sound != Sound::Touched);
        self.tell_strange(whole.map(|(path, _)| path), state);
        for (key, sound) in named {
            if key.ends_with('/') {
                // By then, the system tells of what comes into it later.
                state.walks.entry(key).or_insert(now + SETTLE);
                continue;
            }
            let due = if sound == Sound::Touched { now + UNCLOSED } else { now };
            state.waiting.insert(key, Waiting { due, etag: None });
        }
        Ok(())
    }

    /// Walks a page further, where a walk is due and not too much waits.
    async fn walk(&self, state: &mut State) -> Result<()> {
        let now = Instant::now();
        if state.waiting.len() >= MOST_WAITING {
            return Ok(());
        }
        let Some((prefix, after)) = state.walk.take().or_else(|| state.next_walk(now)) else { return Ok(()) };
        // Where this page fails, it is read again.
        state.walk = Some((prefix.clone(), after.clone()));
        let (listed, strangers) = self.bucket.walk(&prefix, after.as_deref(), PAGE).await?;
        self.tell_strange(strangers, state);
        let next = listed.last().filter(|_| listed.len() == PAGE).map(|info| info.key.clone());
        if prefix.is_empty() {
            self.acknowledged.forget(after.as_deref(), next.as_deref(), &listed).await?;
        }
        let shown = listed.into_iter().filter(|info| !is_hidden(&info.key)).collect();
        for ObjectInfo { key, etag, .. } in self.acknowledged.news(shown).await? {
            state.waiting.entry(key).or_insert(Waiting { due: now + SETTLE, etag: Some(etag) });
        }
        if prefix.is_empty() && next.is_none() {
            let pause = if state.ear.is_some() { WALK } else { WALK_DEAF };
            state.walks.entry(prefix.clone()).or_insert(Instant::now() + pause);
        }
        state.walk = next.map(|next| (prefix, Some(next)));
        Ok(())
    }

    /// Looks at the files that are due: whole ones are told of, unless they were acknowledged.
    async fn look(&self, state: &mut State) -> Result<()> {
        let now = Instant::now();
        let due = state.waiting.iter().filter(|(_, waiting)| waiting.due <= now).map(|(key, _)| key.clone());
        let keys: Vec<_> = due.take(PAGE).collect();
        let found = self.bucket.head_many(&keys).await?;
        let (whole, unsettled): (Vec<_>, Vec<_>) = found.into_iter().flatten().partition(|info| state.is_whole(info));
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
    /// Begins a walk that is due.
    fn next_walk(&mut self, now: Instant) -> Option<(String, Option<String>)> {
        let prefix = self.walks.iter().find(|(_, due)| **due <= now)?.0.clone();
        self.walks.remove(&prefix);
        Some((prefix, None))
    }

    /// Whether a file that is due is as it has to be.
    fn is_whole(&self, info: &ObjectInfo) -> bool {
        let etag = self.waiting.get(&info.key).and_then(|waiting| waiting.etag.as_ref());
        etag.is_none_or(|etag| *etag == info.etag)
    }

    /// Whether there is something to do now.
    fn is_busy(&self) -> bool {
        self.walk.is_some() && self.waiting.len() < MOST_WAITING
    }

    /// Waits until something is due or heard.
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

/// The key of a path that was heard of, with a slash at its end if it is a directory.
fn named(directory: &Path, path: &Path, sound: Sound) -> Option<(String, Sound)> {
    let names = path.strip_prefix(directory).ok()?.iter();
    let parts: Option<Vec<_>> = names.map(|name| name.to_str().and_then(key::part)).collect();
    let key = parts?.join("/");
    if key.is_empty() || is_hidden(&key) {
        return None;
    }
    let is_directory = sound == Sound::Came && path.is_dir();
    Some((if is_directory { format!("{key}/") } else { key }, sound))
}

fn is_hidden(key: &str) -> bool {
    key.split('/').any(|part| part.starts_with('.'))
}
