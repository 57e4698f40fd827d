//! Asking a run to stop cleanly.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A request to stop, shared by its callers and by the tasks that follow it.
///
/// Once asked, nothing new is read; what is in flight is committed, and the run can be resumed. To stop at
/// once, drop the run's future or end the process: nothing is lost either way.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    /// The request of the whole run, which counts for this part, too.
    parent: Option<Arc<AtomicBool>>,
}

impl Stop {
    /// Makes a request that is not asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to stop.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Returns whether the stop was asked for.
    pub fn is_asked(&self) -> bool {
        let is_set = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        is_set(&self.asked) || self.parent.as_deref().is_some_and(is_set)
    }

    /// Returns a request for a part of the run: the part stops with the run, and the run continues without the part.
    pub(super) fn child(&self) -> Self {
        Self { asked: Arc::default(), parent: Some(self.asked.clone()) }
    }
}
