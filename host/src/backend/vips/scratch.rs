//! Disk space for images in use: bounded, private to this process, and removed with it.
//!
//! A fetched file is kept for a while after its use, so that describing an image and then making a picture of it
//! fetches it once. The files of a dead process are removed by the next one.

use std::{
    collections::VecDeque,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytesize::ByteSize;
use tokio::sync::Notify;

use super::super::files::explain;
use crate::{capability::image::Flaw, error::Result};

/// The share of the space that unused files may fill, as a divisor.
const KEPT: u64 = 4;

/// Where the files of this process are.
pub(super) struct Scratch {
    directory: PathBuf,
    lock: PathBuf,
    /// Shows other processes that this one is alive.
    _alive: File,
    disk: Arc<Disk>,
    fetched: Mutex<Shelf>,
    names: AtomicU64,
}

/// The bytes in total, and those in use.
struct Disk {
    budget: u64,
    used: Mutex<u64>,
    freed: Notify,
}

/// The fetched files, the longest unused one first.
#[derive(Default)]
struct Shelf(VecDeque<Arc<Fetched>>);

/// The object that a file is a copy of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub bucket: String,
    pub key: String,
    pub etag: String,
}

/// A fetched file; it exists as long as this value.
struct Fetched {
    identity: Option<Identity>,
    file: Loose,
}

/// A fetched file in use.
pub(super) struct Held {
    // Some until it is dropped.
    fetched: Option<Arc<Fetched>>,
    scratch: Arc<Scratch>,
}

/// Bytes of the disk that are reserved.
pub(super) struct Reserved {
    disk: Arc<Disk>,
    bytes: u64,
}

/// A file of this process, removed when it is dropped.
pub(super) struct Loose {
    pub path: PathBuf,
    room: Reserved,
}

/// The result of a claim: a file that already exists, and room for the rest.
pub(super) struct Claim {
    pub found: Option<Held>,
    pub room: Reserved,
}

impl Scratch {
    /// Creates a directory of its own under `root`, and removes those of dead processes.
    pub(super) fn open(root: &Path, budget: u64) -> Result<Arc<Self>> {
        Self::make(root, budget).map(Arc::new).map_err(|error| explain(error, root))
    }

    fn make(root: &Path, budget: u64) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        // One at a time: another process never sees a directory without its owner's lock.
        let door = File::create(root.join("lock"))?;
        door.lock()?;
        clear(root)?;
        let directory = tempfile::Builder::new().prefix("images-").tempdir_in(root)?.keep();
        let lock = directory.with_extension("lock");
        let alive = File::create(&lock)?;
        alive.lock()?;
        let disk = Arc::new(Disk { budget, used: Mutex::default(), freed: Notify::new() });
        Ok(Self { directory, lock, _alive: alive, disk, fetched: Mutex::default(), names: AtomicU64::new(0) })
    }

    /// A path that is not in use.
    pub(super) fn fresh(&self) -> PathBuf {
        self.directory.join(self.names.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Reserves room for a file, unless it exists, and for its output; waits until there is enough.
    ///
    /// A caller that waits holds nothing, so that callers never wait for each other.
    pub(super) async fn claim(
        self: &Arc<Self>,
        identity: Option<&Identity>,
        file: u64,
        made: u64,
    ) -> Result<Claim, Flaw> {
        let (all, budget) = (file.saturating_add(made), self.disk.budget);
        if all > budget {
            let (all, budget) = (ByteSize(all), ByteSize(budget));
            return Err(Flaw::Refused(format!(
                "it may take {all} of the disk; raise `scratch` under `[image]`, which is {budget}"
            )));
        }
        loop {
            let freed = self.disk.freed.notified();
            match self.try_claim(identity, file, made) {
                Ok(claim) => return Ok(claim),
                Err(Some(unused)) => drop(unused),
                Err(None) => freed.await,
            }
        }
    }

    /// Fails with the file that can be dropped to make room, if there is one.
    fn try_claim(
        self: &Arc<Self>,
        identity: Option<&Identity>,
        file: u64,
        made: u64,
    ) -> Result<Claim, Option<Arc<Fetched>>> {
        let mut shelf = self.shelf();
        let found = identity.and_then(|identity| shelf.find(identity));
        let bytes = if found.is_some() { made } else { file + made };
        let Some(room) = self.disk.take(bytes) else { return Err(shelf.unused()) };
        Ok(Claim { found: found.map(|fetched| self.held(fetched)), room })
    }

    /// Keeps a file for the next request for the same object, if there is one.
    pub(super) fn keep(self: &Arc<Self>, identity: Option<Identity>, file: Loose) -> Held {
        let fetched = Arc::new(Fetched { identity, file });
        if fetched.identity.is_some() {
            self.shelf().0.push_back(fetched.clone());
        }
        self.held(fetched)
    }

    fn held(self: &Arc<Self>, fetched: Arc<Fetched>) -> Held {
        Held { fetched: Some(fetched), scratch: self.clone() }
    }

    /// Removes unused files beyond the limit, and wakes the callers that wait for room.
    fn tidy(&self) {
        while let Some(unused) = self.excess() {
            drop(unused);
        }
        self.disk.freed.notify_waiters();
    }

    fn excess(&self) -> Option<Arc<Fetched>> {
        let mut shelf = self.shelf();
        if shelf.unused_bytes() > self.disk.budget / KEPT { shelf.unused() } else { None }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn find(&mut self, identity: &Identity) -> Option<Arc<Fetched>> {
        let at = self.0.iter().position(|fetched| fetched.identity.as_ref() == Some(identity))?;
        let found = self.0.remove(at)?;
        self.0.push_back(found.clone());
        Some(found)
    }

    fn unused(&mut self) -> Option<Arc<Fetched>> {
        let at = self.0.iter().position(|fetched| Arc::strong_count(fetched) == 1)?;
        self.0.remove(at)
    }

    fn unused_bytes(&self) -> u64 {
        let unused = self.0.iter().filter(|fetched| Arc::strong_count(fetched) == 1);
        unused.map(|fetched| fetched.file.room.bytes).sum()
    }
}

impl Disk {
    fn take(self: &Arc<Self>, bytes: u64) -> Option<Reserved> {
        let mut used = self.used();
        *used = used.checked_add(bytes).filter(|used| *used <= self.budget)?;
        Some(Reserved { disk: self.clone(), bytes })
    }

    fn used(&self) -> MutexGuard<'_, u64> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the directories of dead processes.
fn clear(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let lock = entry?.path();
        if lock.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        match File::open(&lock)?.try_lock() {
            Ok(()) => {
                // A file that cannot be removed does no harm.
                let _ = fs::remove_dir_all(lock.with_extension(""));
                let _ = fs::remove_file(&lock);
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(())
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
        let _ = fs::remove_file(&self.lock);
    }
}

impl Held {
    /// Its path.
    pub(super) fn path(&self) -> &Path {
        self.fetched.as_ref().map_or(Path::new(""), |fetched| &fetched.file.path)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.fetched.take());
        self.scratch.tidy();
    }
}

impl Reserved {
    /// Splits off room for a part.
    pub(super) fn split(&mut self, bytes: u64) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { disk: self.disk.clone(), bytes }
    }

    /// How many bytes it reserves.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        *self.disk.used() -= self.bytes;
        self.disk.freed.notify_waiters();
    }
}

impl Loose {
    /// Takes ownership of a file.
    pub(super) fn new(path: PathBuf, room: Reserved) -> Self {
        Self { path, room }
    }
}

impl Drop for Loose {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
