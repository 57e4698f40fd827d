//! What happened just now. Progress, logs and metrics only listen; nothing they do changes a run.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    capability::queue::Depth,
    error::Error,
    ledger::{Counts, State},
};

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A run begins, or goes on where it stopped.
    Started {
        /// The recipe's name.
        recipe: String,
        /// The run's id.
        run: String,
        /// Whether it goes on.
        resumed: bool,
        /// How many records there are, if the source knows.
        total: Option<u64>,
        /// What was done before this process began.
        before: Counts,
    },
    /// A batch was acknowledged; the counts are the run's, absolute.
    Progress {
        /// The run's counts.
        counts: Counts,
    },
    /// An id did not get done.
    ItemFailed {
        /// Its id.
        id: String,
        /// Its state now.
        state: State,
        /// Why.
        reason: String,
    },
    /// Objects came, and those that were taken are asked for: each has a request that was written down.
    Arrived {
        /// How many are asked for.
        taken: u64,
        /// How many are not, by reason.
        passed: BTreeMap<&'static str, u64>,
    },
    /// How much waits in the queue that the recipe reads.
    Backlog(Depth),
    /// A plugin wrote a line to its standard output or error.
    PluginLog {
        /// The plugin's name.
        plugin: String,
        /// The line, cut to a bounded length.
        line: String,
    },
    /// A plugin was refused what it was not granted.
    Denied {
        /// What it asked for and is not granted.
        #[serde(rename = "door")]
        grant: String,
    },
    /// Something worth saying that needs no action.
    Note {
        /// What.
        text: String,
    },
    /// Something that needs attention soon.
    Warning {
        /// What, and what to do about it.
        text: String,
    },
    /// Something failed, and the supervisor of a service retries it in time.
    Error {
        /// What, in one line.
        message: String,
        /// All that is known of it, as a person reads it.
        report: String,
    },
    /// Nothing is to be done until then.
    Due {
        /// When the next run is due.
        at: Timestamp,
    },
    /// The run waits.
    Waiting {
        /// For what.
        reason: String,
    },
    /// The run is over, or stopped.
    Ended {
        /// The run's id.
        run: String,
        /// Whether it finished; otherwise it can be resumed.
        finished: bool,
        /// The run's counts.
        counts: Counts,
    },
}

/// Hands every event to one listener. Cheap to clone; the listener is called from many threads and must be quick.
#[derive(Clone)]
pub struct Events(Arc<dyn Fn(Event) + Send + Sync>);

impl Events {
    /// Sends events to a listener.
    pub fn new(listener: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    /// Drops every event.
    pub fn ignore() -> Self {
        Self::new(drop)
    }

    /// Says what happened.
    pub fn send(&self, event: Event) {
        (self.0)(event);
    }

    /// Says something worth saying.
    pub fn note(&self, text: impl Into<String>) {
        self.send(Event::Note { text: text.into() });
    }

    /// Says what failed.
    pub fn error(&self, error: &Error) {
        self.send(Event::Error { message: error.message().to_owned(), report: error.report() });
    }

    /// Says something that needs attention.
    pub fn warn(&self, text: impl Into<String>) {
        self.send(Event::Warning { text: text.into() });
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}
