//! Runs a plugin: a bounded pool of reused instances, and bisection so that one bad record affects only itself.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use tokio::sync::Semaphore;

use super::{Context, Plugin, check, context::Services, fault::Fault, guest::types, instance::Instance, reads::Reads};
use crate::{
    error::{Error, Kind, Result},
    ledger::State,
    record::{Item, Outcome},
};

/// The answer for one item.
pub type Answer = std::result::Result<Outcome, Failure>;

/// Why an item has no outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The state that its id gets.
    pub state: State,
    /// The full reason; may have a hint and the plugin's backtrace.
    pub reason: String,
    /// The reason without what differs from id to id.
    pub group: String,
}

/// Calls a plugin. Cheap to clone; many tasks call it at once.
#[derive(Clone)]
pub struct Mapper(Arc<Inner>);

struct Inner {
    plugin: Plugin,
    services: Arc<Services>,
    /// One permit per instance at work.
    places: Semaphore,
    parked: Mutex<Vec<Instance>>,
    poison_in_a_row: AtomicU32,
}

impl Mapper {
    pub(super) fn new(plugin: Plugin, context: Context) -> Self {
        Self(Arc::new(Inner {
            plugin,
            places: Semaphore::new(context.instances.max(1)),
            services: Arc::new(Services::new(context)),
            parked: Mutex::default(),
            poison_in_a_row: AtomicU32::new(0),
        }))
    }

    /// Maps a batch: one answer for each item, in the same order.
    ///
    /// *Errors*: [`Kind::Plugin`] once [`Limits::poison_in_a_row`](super::Limits::poison_in_a_row) records in a row
    /// made the plugin fail, since further calls would fail, too. [`Kind::Denied`] if an item is to be tried again since
    /// a read was not granted. A store that cannot be read; repeating the call is safe.
    /// *Cancel*: dropping the future loses nothing but the work.
    pub async fn transform(&self, items: &[Item]) -> Result<Vec<Answer>> {
        let mut reads = Reads::default();
        let mut answers = Vec::with_capacity(items.len());
        // Parts still to do, the next one last. They are taken from left to right, so the answers are in order.
        let mut parts = if items.is_empty() { Vec::new() } else { vec![items] };
        while let Some(part) = parts.pop() {
            match self.call(part, &mut reads).await? {
                Ok(outcomes) => answers.extend(self.check(outcomes)),
                Err(_) if part.len() > 1 => {
                    let (left, right) = part.split_at(part.len() / 2);
                    parts.extend([right, left]);
                }
                Err(_) => answers.extend(self.once_more(part, &mut reads).await?),
            }
        }
        Ok(answers)
    }

    /// Retries the one record that made a call fail, alone on a fresh instance.
    async fn once_more(&self, item: &[Item], reads: &mut Reads) -> Result<Vec<Answer>> {
        match self.call(item, reads).await? {
            Ok(outcomes) => Ok(self.check(outcomes).collect()),
            Err(fault) => Ok(vec![Err(self.poison(fault)?)]),
        }
    }

    fn check(&self, outcomes: Vec<types::Outcome>) -> impl Iterator<Item = Answer> {
        self.0.poison_in_a_row.store(0, Relaxed);
        outcomes.into_iter().map(|outcome| check::outcome(&self.0.services, outcome))
    }

    fn poison(&self, fault: Fault) -> Result<Failure> {
        let in_a_row = self.0.poison_in_a_row.fetch_add(1, Relaxed) + 1;
        if in_a_row >= self.0.services.context.limits.poison_in_a_row {
            return Err(Error::new(Kind::Plugin, "the plugin is broken")
                .with("plugin", self.0.plugin.name())
                .with("failed", format!("on {in_a_row} records in a row"))
                .with("last", fault.reason)
                .hint("mend the plugin and start over with `--fresh`; or mend the records, or raise `poison-in-a-row` under `[limits]`, and run again to go on"));
        }
        Ok(Failure { state: fault.state, reason: fault.reason, group: fault.group })
    }

    /// Calls an instance, and keeps it for reuse only after a clean return.
    async fn call(&self, items: &[Item], reads: &mut Reads) -> Result<std::result::Result<Vec<types::Outcome>, Fault>> {
        let inner = &*self.0;
        let _place = inner.places.acquire().await.map_err(|error| Error::bug("the pool is closed").because(error))?;
        let parked = inner.parked.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut instance = match parked {
            Some(instance) => instance,
            None => inner.plugin.instance(&inner.services).await.map_err(|fault| self.cannot_start(fault))?,
        };
        let answer = instance.transform(items, reads).await;
        if let Some(error) = reads.place.take() {
            return Err(error);
        }
        if let Some(error) = answer.iter().flatten().find_map(|outcome| self.not_granted(outcome)) {
            return Err(error);
        }
        match &answer {
            Ok(_) => inner.parked.lock().unwrap_or_else(PoisonError::into_inner).push(instance),
            Err(fault) if fault.forget => *reads = Reads::default(),
            Err(_) => {}
        }
        Ok(answer)
    }

    /// An item that is to be tried again since a read was not granted would be refused each time.
    fn not_granted(&self, outcome: &types::Outcome) -> Option<Error> {
        let types::Outcome::Retry(reason) = outcome else { return None };
        let error = self.0.services.not_granted(reason)?;
        Some(error.with("plugin", self.0.plugin.name()))
    }

    fn cannot_start(&self, fault: Fault) -> Error {
        Error::new(Kind::Plugin, "the plugin cannot be started")
            .with("plugin", self.0.plugin.name())
            .with("reason", fault.reason)
    }
}
