//! The metrics of a service, for Prometheus. They are computed from events; names and help are in one table.
//!
//! Labels are the recipe's name and fixed words of this program: never an id, a reason, or text of a plugin.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};

use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, prometheus_text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::{Metric, Registry},
};

use crate::{
    capability::queue::Depth,
    clock::Clock,
    event::{Event, Events},
    ledger::Counts,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    recipe: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    recipe: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    recipe: String,
    state: &'static str,
}

impl Of {
    fn with(&self, outcome: &'static str) -> Outcome {
        Outcome { recipe: self.recipe.clone(), outcome }
    }
}

type Counted = Family<Of, Counter>;
type Measured = Family<Of, Gauge<f64, AtomicU64>>;

/// Every metric.
struct Numbers {
    started: Counted,
    finished: Counted,
    errors: Counted,
    items: Family<Outcome, Counter>,
    open: Family<Outcome, Gauge>,
    documents: Counted,
    deletions: Counted,
    records: Counted,
    objects: Counted,
    messages: Counted,
    renditions: Counted,
    pixels: Counted,
    requests: Family<Outcome, Counter>,
    denied: Counted,
    warnings: Counted,
    queue: Family<State, Gauge>,
    running: Measured,
    last_end: Measured,
    last_duration: Measured,
    next_due: Measured,
}

impl Numbers {
    /// The table of names and help. Counters get the suffix `_total`.
    fn registered(registry: &mut Registry) -> Self {
        registry.register("build", "Which version this is", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let by_all = "by all workers of the run";
        Self {
            started: add(registry, "runs_started", "Runs that were begun, gone on with or joined"),
            finished: add(registry, "runs_finished", "Runs that came to their end"),
            errors: add(registry, "errors", "Errors that ended a run, or kept one from beginning"),
            items: add(registry, "items", &format!("Items by what came of them, {by_all}")),
            open: add(registry, "open_items", "Items of the newest run that failed, or wait to be tried again"),
            documents: add(registry, "documents", &format!("Documents put into indexes, {by_all}")),
            deletions: add(registry, "deletions", &format!("Documents deleted from indexes, {by_all}")),
            records: add(registry, "records", &format!("Records put into tables, {by_all}")),
            objects: add(registry, "objects", &format!("Objects stored, copied or removed, {by_all}")),
            messages: add(registry, "messages", &format!("Messages sent, {by_all}")),
            renditions: add(registry, "renditions", &format!("Objects stored that were made of an image, {by_all}")),
            pixels: add(registry, "pixels", &format!("Pixels of the pictures those were made of, {by_all}")),
            requests: add(registry, "requests", "New objects by whether they became requests"),
            denied: add(registry, "denied", "Times that the plugin was refused what it was not granted"),
            warnings: add(registry, "warnings", "Warnings"),
            queue: add(registry, "queue_messages", "Messages of the queue that the recipe reads"),
            running: add(registry, "running", "Whether a run is worked on: 1 or 0"),
            last_end: add(registry, "last_end_timestamp_seconds", "When the last run ended that came to its end here"),
            last_duration: add(registry, "last_duration_seconds", "For how long that run was worked on here"),
            next_due: add(registry, "next_due_timestamp_seconds", "When the next run is due"),
        }
    }

    /// Initializes a recipe's counters with 0, so that their first increase is visible.
    fn begin(&self, of: &Of) {
        let counted = [&self.started, &self.finished, &self.errors, &self.denied, &self.warnings];
        for counted in counted.into_iter().chain(self.written(&Counts::default()).map(|(written, _)| written)) {
            drop(counted.get_or_create(of));
        }
        drop(self.running.get_or_create(of));
        self.count(of, &Counts::default(), &Counts::default());
        self.arrive(of, 0, 0);
    }

    /// What was written, with its counters.
    fn written(&self, counts: &Counts) -> [(&Counted, u64); 7] {
        [
            (&self.documents, counts.documents),
            (&self.deletions, counts.deletions),
            (&self.records, counts.records),
            (&self.objects, counts.objects),
            (&self.messages, counts.messages),
            (&self.renditions, counts.renditions),
            (&self.pixels, counts.pixels),
        ]
    }

    fn arrive(&self, of: &Of, taken: u64, skipped: u64) {
        for (outcome, more) in [("taken", taken), ("skipped", skipped)] {
            self.requests.get_or_create(&of.with(outcome)).inc_by(more);
        }
    }

    fn wait(&self, of: &Of, Depth { waiting, in_hand, dead, .. }: &Depth) {
        for (state, now) in [("waiting", Some(*waiting)), ("in-hand", Some(*in_hand)), ("dead", *dead)] {
            if let Some(now) = now {
                let of = State { recipe: of.recipe.clone(), state };
                self.queue.get_or_create(&of).set(i64::try_from(now).unwrap_or(i64::MAX));
            }
        }
    }

    /// Counts what a run has more than before. A count that decreased, such as failures that were retried, was already
    /// counted.
    fn count(&self, of: &Of, before: &Counts, now: &Counts) {
        for ((written, before), (_, now)) in self.written(before).into_iter().zip(self.written(now)) {
            written.get_or_create(of).inc_by(now.saturating_sub(before));
        }
        for (outcome, before, now) in [
            ("done", before.done, now.done),
            ("skipped", before.skipped, now.skipped),
            ("not-found", before.not_found, now.not_found),
            ("failed", before.failed, now.failed),
            ("waiting", before.waiting, now.waiting),
        ] {
            self.items.get_or_create(&of.with(outcome)).inc_by(now.saturating_sub(before));
        }
        for (outcome, now) in [("failed", now.failed), ("waiting", now.waiting)] {
            self.open.get_or_create(&of.with(outcome)).set(i64::try_from(now).unwrap_or(i64::MAX));
        }
    }
}

fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

/// The metrics of all recipes of a service. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    numbers: Numbers,
    /// The run that each recipe works on.
    current: Mutex<BTreeMap<String, Current>>,
    clock: Arc<dyn Clock>,
}

/// The current run of a recipe.
struct Current {
    began: Timestamp,
    counts: Counts,
}

impl Metrics {
    /// The media type of [`Metrics::text`].
    pub const CONTENT_TYPE: &'static str = prometheus_text::CONTENT_TYPE;

    /// Counts nothing yet; times are those of a clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let mut registry = Registry::with_prefix("reindex");
        let numbers = Numbers::registered(&mut registry);
        Self(Arc::new(Inner { registry, numbers, current: Mutex::default(), clock }))
    }

    /// Returns all metrics in the format of Prometheus.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = prometheus_text::encode(&mut text, &self.0.registry);
        text
    }

    /// Returns where to send a recipe's events so that they are counted and then sent to `events`.
    pub fn of(&self, recipe: &str, events: Events) -> Events {
        let (metrics, of) = (self.clone(), Of { recipe: recipe.to_owned() });
        metrics.0.numbers.begin(&of);
        Events::new(move |event| {
            metrics.0.hear(&of, &event);
            events.send(event);
        })
    }
}

impl Inner {
    fn hear(&self, of: &Of, event: &Event) {
        let numbers = &self.numbers;
        match event {
            Event::Started { before, .. } => self.start(of, before),
            Event::Progress { counts } => self.count(of, counts),
            Event::Ended { finished, counts, .. } => self.end(of, *finished, counts),
            Event::Error { .. } => step(&numbers.errors, of),
            Event::Denied { .. } => step(&numbers.denied, of),
            Event::Warning { .. } => step(&numbers.warnings, of),
            Event::Due { at } => set(&numbers.next_due, of, seconds(*at)),
            Event::Backlog(depth) => numbers.wait(of, depth),
            Event::Arrived { taken, passed } => numbers.arrive(of, *taken, passed.values().sum()),
            _ => {}
        }
    }

    fn start(&self, of: &Of, before: &Counts) {
        step(&self.numbers.started, of);
        set(&self.numbers.running, of, 1.0);
        self.numbers.count(of, before, before);
        let current = Current { began: self.clock.now(), counts: *before };
        self.current().insert(of.recipe.clone(), current);
    }

    fn count(&self, of: &Of, counts: &Counts) {
        if let Some(current) = self.current().get_mut(&of.recipe) {
            self.numbers.count(of, &current.counts, counts);
            current.counts = *counts;
        }
    }

    fn end(&self, of: &Of, finished: bool, counts: &Counts) {
        self.count(of, counts);
        set(&self.numbers.running, of, 0.0);
        let Some(Current { began, .. }) = self.current().remove(&of.recipe) else { return };
        if finished {
            let now = self.clock.now();
            step(&self.numbers.finished, of);
            set(&self.numbers.last_end, of, seconds(now));
            set(&self.numbers.last_duration, of, now.duration_since(began).as_secs_f64());
        }
    }

    fn current(&self) -> MutexGuard<'_, BTreeMap<String, Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn step(counted: &Counted, of: &Of) {
    counted.get_or_create(of).inc();
}

fn set(measured: &Measured, of: &Of, value: f64) {
    measured.get_or_create(of).set(value);
}

fn seconds(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Fixed;

    fn metrics() -> Metrics {
        Metrics::new(Arc::new(Fixed("2026-11-25T05:30:00Z".parse().unwrap())))
    }

    fn started(before: Counts) -> Event {
        Event::Started { recipe: "masters".into(), run: "r1".into(), resumed: true, total: None, before }
    }

    /// The lines of a scrape that are numbers.
    fn numbers(metrics: &Metrics) -> String {
        let text = metrics.text();
        text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
    }

    /// A scrape with its series in order: help, type, then the samples.
    fn ordered(metrics: &Metrics) -> String {
        let text = metrics.text();
        let families = text.split("# HELP ").skip(1).map(|family| {
            let (help, rest) = family.split_once('\n').unwrap();
            let mut lines: Vec<_> = rest.lines().collect();
            lines.sort_unstable();
            format!("{help}\n{}\n", lines.join("\n"))
        });
        families.collect()
    }

    #[test]
    fn a_run_is_counted_from_where_it_was_gone_on_with() {
        let metrics = metrics();
        let events = metrics.of("masters", Events::ignore());
        let before = Counts { read: 5, done: 4, failed: 1, objects: 4, ..Counts::default() };
        events.send(started(before));
        let counts = Counts { read: 8, done: 5, waiting: 3, objects: 6, renditions: 1, pixels: 12, ..before };
        events.send(Event::Progress { counts });
        events.send(Event::Denied { grant: "write storage `secret`".into() });
        events.send(Event::Error { message: "no".into(), report: "error: no".into() });
        events.warn("why");
        let ended = Counts { done: 8, waiting: 0, failed: 0, skipped: 1, ..counts };
        events.send(Event::Ended { run: "r1".into(), finished: true, counts: ended });
        events.send(Event::Arrived { taken: 3, passed: [("its name begins with a dot", 2)].into() });
        events.send(Event::Backlog(Depth { waiting: 7, in_hand: 2, dead: None, oldest: None }));
        events.send(Event::Due { at: "2026-11-26T05:30:00Z".parse().unwrap() });
        insta::assert_snapshot!("scrape", ordered(&metrics));
    }

    #[test]
    fn recipes_are_counted_apart_and_one_that_did_nothing_has_its_zeros() {
        let metrics = metrics();
        let [masters, _people] = ["masters", "people"].map(|recipe| metrics.of(recipe, Events::ignore()));
        masters.send(started(Counts::default()));
        let found = numbers(&metrics);
        for line in ["runs_started_total{recipe=\"masters\"} 1", "runs_started_total{recipe=\"people\"} 0"] {
            assert!(found.contains(line), "{line}: {found}");
        }
        assert!(found.contains("items_total{recipe=\"people\",outcome=\"failed\"} 0"), "{found}");
    }

    #[test]
    fn no_label_says_what_strangers_write() {
        let metrics = metrics();
        let events = metrics.of("masters", Events::ignore());
        events.send(Event::PluginLog { plugin: "p".into(), line: "hush".into() });
        events.send(Event::Denied { grant: "hush".into() });
        events.send(Event::Error { message: "hush".into(), report: "hush".into() });
        events.warn("hush");
        assert!(!metrics.text().contains("hush"));
    }
}
