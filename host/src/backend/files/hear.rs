//! Events of the operating system about a directory: which of its files were written, and which were closed.
//!
//! The events may stop at any time (too many directories, too many events); the listener then walks the directory.

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

/// How many paths are kept before they are dropped and the directory is walked.
const MOST: usize = 10_000;

/// The last event of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    /// Its mode, owner or times were changed.
    Marked,
    /// A process writes to it.
    Touched,
    /// Its writer closed it, or it was moved here complete.
    Closed,
    /// It may be a directory with files in it that had no event.
    Came,
    /// It was removed, or moved away; a later file of its name is another one, even if it is equal.
    Gone,
}

/// The events of a path since the last look: whether it was removed, and the last one.
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

/// The events since the last call.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The events by path.
    pub paths: BTreeMap<PathBuf, Sounds>,
    /// Whether events were lost.
    pub missed: bool,
    /// Why no more events come, at least for some directories.
    pub deaf: Option<String>,
}

/// Listens to a directory and its subdirectories until it is dropped.
pub(super) struct Ear {
    heard: Arc<Mutex<Heard>>,
    rings: Arc<Notify>,
    _watcher: RecommendedWatcher,
}

impl Ear {
    /// Starts listening.
    pub fn open(directory: &Path) -> Result<Self> {
        let (heard, rings) = (Arc::<Mutex<Heard>>::default(), Arc::new(Notify::new()));
        let (into, ring) = (heard.clone(), rings.clone());
        let listen = move |told: notify::Result<Event>| {
            if lock(&into).take(told) {
                ring.notify_one();
            }
        };
        // Files behind a link do not belong to the folder.
        let config = notify::Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(listen, config).map_err(deaf)?;
        watcher.watch(directory, RecursiveMode::Recursive).map_err(deaf)?;
        Ok(Self { heard, rings, _watcher: watcher })
    }

    /// Returns the events since the last call.
    pub fn heard(&self) -> Heard {
        std::mem::take(&mut *lock(&self.heard))
    }

    /// Waits for an event.
    pub async fn rings(&self) {
        self.rings.notified().await;
    }
}

impl Heard {
    /// Adds an event. Returns whether it concerns the listener.
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

/// The meaning of an event for its paths; none if they were only read.
fn sound(kind: EventKind) -> Option<Sound> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Sound::Closed),
        EventKind::Create(CreateKind::Folder) => Some(Sound::Came),
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) | EventKind::Remove(_) => Some(Sound::Gone),
        // Each path has an event of its own as well.
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
