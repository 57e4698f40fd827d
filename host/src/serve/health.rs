//! Liveness and readiness of a service, for its supervisor: each of its loops shows that it moves, and what it lacks.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::pipeline::Stop;

/// How long a loop may show nothing. It shows something several times a second.
const SILENT: Duration = Duration::from_secs(60);

/// The health of a service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Health {
    loops: Arc<Mutex<BTreeMap<String, Shown>>>,
    stop: Stop,
}

/// The last state that a loop showed.
#[derive(Debug)]
struct Shown {
    at: Instant,
    /// What it lacks; none once it is ready.
    lacks: Option<String>,
}

/// One loop of a service, as it reports its health.
#[derive(Debug, Clone)]
pub(super) struct Pulse {
    name: String,
    health: Health,
}

impl Health {
    /// Knows no loop yet, and so is alive and not ready. A service that is asked to stop is not ready.
    pub fn new(stop: &Stop) -> Self {
        Self { loops: Arc::default(), stop: stop.clone() }
    }

    /// Registers a loop that is not ready yet.
    pub(super) fn pulse(&self, name: String, lacks: &str) -> Pulse {
        self.loops().insert(name.clone(), Shown { at: Instant::now(), lacks: Some(lacks.to_owned()) });
        Pulse { name, health: self.clone() }
    }

    /// The loops that show nothing, each in words; empty if all loops move.
    pub fn lifeless(&self, now: Instant) -> Vec<String> {
        let silent = |shown: &Shown| now.saturating_duration_since(shown.at) > SILENT;
        let loops = self.loops();
        loops.iter().filter(|(_, shown)| silent(shown)).map(|(name, _)| format!("{name} stands still")).collect()
    }

    /// What keeps the service from being ready, in words; empty if it is ready.
    pub fn unready(&self) -> Vec<String> {
        if self.stop.is_asked() {
            return vec!["stopping".to_owned()];
        }
        let loops = self.loops();
        if loops.is_empty() {
            return vec!["the recipes are being opened".to_owned()];
        }
        loops.iter().filter_map(|(name, shown)| Some(format!("{name}: {}", shown.lacks.as_ref()?))).collect()
    }

    fn loops(&self) -> MutexGuard<'_, BTreeMap<String, Shown>> {
        self.loops.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulse {
    /// Shows that the loop moves.
    pub fn beat(&self) {
        self.show(|shown| shown.at = Instant::now());
    }

    /// Shows that the loop is ready.
    pub fn ready(&self) {
        self.show(|shown| shown.lacks = None);
    }

    /// Shows what the loop lacks.
    pub fn lacks(&self, what: &str) {
        self.show(|shown| shown.lacks = Some(what.to_owned()));
    }

    fn show(&self, change: impl FnOnce(&mut Shown)) {
        self.health.loops().get_mut(&self.name).map(change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_shows_nothing_any_more_is_named() {
        let health = Health::new(&Stop::new());
        let [masters, people] = ["masters", "people"].map(|name| health.pulse(name.to_owned(), "not open yet"));
        let later = Instant::now() + SILENT + Duration::from_secs(1);
        assert_eq!(health.lifeless(Instant::now()), [""; 0]);
        assert_eq!(health.lifeless(later), ["masters stands still", "people stands still"]);
        health.loops().get_mut("people").unwrap().at = later;
        assert_eq!(health.lifeless(later), ["masters stands still"]);
        people.beat();
        masters.beat();
        assert_eq!(health.lifeless(Instant::now()), [""; 0]);
    }

    #[test]
    fn a_service_is_ready_when_all_its_loops_are_until_it_is_asked_to_stop() {
        let stop = Stop::new();
        let health = Health::new(&stop);
        assert_eq!(health.unready(), ["the recipes are being opened"]);
        let [masters, people] = ["masters", "people"].map(|name| health.pulse(name.to_owned(), "not open yet"));
        masters.ready();
        assert_eq!(health.unready(), ["people: not open yet"]);
        people.ready();
        assert_eq!(health.unready(), [""; 0]);
        masters.lacks("the index cannot be reached");
        assert_eq!(health.unready(), ["masters: the index cannot be reached"]);
        masters.ready();
        stop.ask();
        assert_eq!(health.unready(), ["stopping"]);
    }
}
