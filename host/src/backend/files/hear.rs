//! What the operating system tells of a directory: which of its files were touched, and which came to an end.
//!
//! It may stop telling at any time (too many directories, too many events); whoever listens walks then.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode},
};
use tokio::sync::Notify;

use crate::error::{Error, Result};

/// How many paths are remembered before they are forgotten in favour of a walk.
const MOST: usize = 10_000;

/// What was heard of a path last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    /// Somebody writes to it.
    Touched,
    /// Whoever wrote it closed it, or it was moved here whole.
    Closed,
    /// It may be a directory with files in it that nobody told of.
    Came,
}

/// What was heard since somebody asked.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// What happened to which path.
    pub paths: BTreeMap<PathBuf, Sound>,
    /// Whether more happened than was told.
    pub missed: bool,
    /// Why nothing more is told, at least of some directories.
    pub deaf: Option<String>,
}

/// Listens to a directory and those in it until it is dropped.
pub(super) struct Ear {
    heard: Arc<Mutex<Heard>>,
    rings: Arc<Notify>,
    _watcher: RecommendedWatcher,
}

impl Ear {
    /// Begins to listen.
    pub fn open(directory: &Path) -> Result<Self> {
        let (heard, rings) = (Arc::<Mutex<Heard>>::default(), Arc::new(Notify::new()));
        let (into, ring) = (heard.clone(), rings.clone());
        let listen = move |told: notify::Result<Event>| {
            if lock(&into).take(told) {
                ring.notify_one();
            }
        };
        let mut watcher = notify::recommended_watcher(listen).map_err(deaf)?;
        watcher.watch(directory, RecursiveMode::Recursive).map_err(deaf)?;
        Ok(Self { heard, rings, _watcher: watcher })
    }

    /// What was heard since the last call.
    pub fn heard(&self) -> Heard {
        std::mem::take(&mut *lock(&self.heard))
    }

    /// Waits until something is heard.
    pub async fn rings(&self) {
        self.rings.notified().await;
    }
}

impl Heard {
    /// Takes up an event. Answers whether it says anything.
    fn take(&mut self, told: notify::Result<Event>) -> bool {
        let event = match told {
            Ok(event) => event,
            Err(error) => {
                self.deaf = Some(error.to_string());
                return true;
            }
        };
        if event.need_rescan() {
            self.missed = true;
            return true;
        }
        let Some(sound) = sound(event.kind) else { return false };
        for path in event.paths {
            self.paths.insert(path, sound);
        }
        if self.paths.len() > MOST {
            self.paths.clear();
            self.missed = true;
        }
        true
    }
}

/// What an event means for its paths; nothing if they were only read, or went away.
fn sound(kind: EventKind) -> Option<Sound> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Sound::Closed),
        EventKind::Create(CreateKind::Folder) => Some(Sound::Came),
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => None,
        EventKind::Modify(ModifyKind::Name(_)) => Some(Sound::Came),
        EventKind::Create(_) | EventKind::Modify(_) => Some(Sound::Touched),
        _ => None,
    }
}

fn deaf(error: notify::Error) -> Error {
    Error::usage("the system does not tell of changes in the folder").because(error)
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}
