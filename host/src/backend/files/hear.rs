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

/// What was heard of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    /// Its mode, owner or times were changed.
    Marked,
    /// Somebody writes to it.
    Touched,
    /// Whoever wrote it closed it, or it was moved here whole.
    Closed,
    /// It may be a directory with files in it that nobody told of.
    Came,
    /// It was removed, or moved away; what comes under its name is another file, however alike.
    Gone,
}

/// What was heard of a path since the last look: whether it went away, and what came last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sounds {
    pub gone: bool,
    pub last: Option<Sound>,
}

impl Sounds {
    fn add(&mut self, sound: Sound) {
        match sound {
            Sound::Gone => *self = Self { gone: true, last: None },
            // A process that changes the mode of a file does not write to it.
            Sound::Marked => self.last = self.last.or(Some(sound)),
            sound => self.last = Some(sound),
        }
    }
}

/// What was heard since somebody asked.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// What happened to which path.
    pub paths: BTreeMap<PathBuf, Sounds>,
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
        // What is behind a link is none of the folder's.
        let config = notify::Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(listen, config).map_err(deaf)?;
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
            self.paths.entry(path).or_default().add(sound);
        }
        if self.paths.len() > MOST {
            self.paths.clear();
            self.missed = true;
        }
        true
    }
}

/// What an event means for its paths; nothing if they were only read.
fn sound(kind: EventKind) -> Option<Sound> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Sound::Closed),
        EventKind::Create(CreateKind::Folder) => Some(Sound::Came),
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) | EventKind::Remove(_) => Some(Sound::Gone),
        // Each path is reported once more by itself.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => None,
        EventKind::Modify(ModifyKind::Metadata(_)) => Some(Sound::Marked),
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

#[cfg(test)]
mod tests {
    use notify::event::{MetadataKind, RemoveKind};

    use super::*;

    fn heard(kinds: &[EventKind]) -> Sounds {
        let mut heard = Heard::default();
        for kind in kinds {
            heard.take(Ok(Event::new(*kind).add_path("x".into())));
        }
        heard.paths.remove(Path::new("x")).unwrap_or_default()
    }

    const CLOSED: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));
    const MARKED: EventKind = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
    const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Any);

    #[test]
    fn a_file_whose_mode_is_changed_after_it_was_closed_is_closed() {
        assert_eq!(heard(&[WRITTEN, CLOSED, MARKED]).last, Some(Sound::Closed));
        assert_eq!(heard(&[WRITTEN, MARKED]).last, Some(Sound::Touched));
        assert_eq!(heard(&[CLOSED, MARKED, WRITTEN]).last, Some(Sound::Touched), "it is written to again");
        assert_eq!(heard(&[MARKED]).last, Some(Sound::Marked));
    }

    #[test]
    fn that_a_file_went_away_is_not_forgotten_when_it_comes_back() {
        let (from, to) = (RenameMode::From, RenameMode::To);
        let moved = |mode| EventKind::Modify(ModifyKind::Name(mode));
        assert_eq!(heard(&[moved(from)]), Sounds { gone: true, last: None });
        assert_eq!(heard(&[moved(from), moved(to)]), Sounds { gone: true, last: Some(Sound::Came) });
        assert_eq!(heard(&[CLOSED, EventKind::Remove(RemoveKind::File)]), Sounds { gone: true, last: None });
    }
}
