//! Carries out effects, in an order in which nothing refers to what is not there yet: objects and copies, records,
//! their updates, documents, messages, removals of objects. After an effect of an item fails, its later ones are not
//! carried out.

mod documents;
mod messages;
mod objects;
mod records;
mod renditions;

use std::{collections::BTreeMap, sync::Arc};

pub(super) use documents::document;

use super::{Destination, backoff, mapping::Mapped, reason, verify::Sample};
use crate::{
    capability::Resources,
    clock::Clock,
    error::{Error, Result},
    event::Events,
    ledger::{Counts, State},
    record::{Effect, Outcome},
    sandbox::Failure,
};

/// The effects of one item.
#[derive(Debug)]
pub(super) struct Work {
    /// The item's id, which makes its messages' ids.
    pub id: String,
    /// The version its documents take unless they carry their own.
    pub version: Option<u64>,
    /// The effects to carry out.
    pub effects: Vec<Effect>,
    /// What was written.
    pub counts: Counts,
    /// Why an effect failed.
    pub failure: Option<Failure>,
}

impl Work {
    /// Takes the effects out of an entry's answer.
    pub fn of(entry: &mut Mapped) -> Self {
        let effects = match &mut entry.answer {
            Ok(Outcome::Effects(effects)) => std::mem::take(effects),
            _ => Vec::new(),
        };
        Self { id: entry.id.clone(), version: entry.version, effects, counts: Counts::default(), failure: None }
    }

    /// Records why one of its effects was not carried out; the first reason stays.
    fn fail(&mut self, refusal: Refusal) {
        let Refusal { state, reason, named } = refusal;
        let names: Vec<_> = named.iter().chain([&self.id]).map(String::as_str).collect();
        let group = reason::group(&reason, &names);
        self.failure.get_or_insert(Failure { state, reason, group });
    }
}

/// Why an effect was not carried out, for a reason that concerns its item alone.
#[derive(Debug)]
struct Refusal {
    state: State,
    reason: String,
    /// Names in the reason that differ from item to item, such as keys.
    named: Vec<String>,
}

impl Refusal {
    fn new(state: State, reason: impl Into<String>, named: &[&str]) -> Self {
        Self { state, reason: reason.into(), named: named.iter().map(|name| (*name).to_owned()).collect() }
    }
}

/// The result of an effect, for its item.
type Settled<T> = std::result::Result<T, Refusal>;

/// Everything that effects can write to.
#[derive(Clone)]
pub struct Sinks {
    /// The resources by the recipe's names.
    pub resources: Resources,
    /// The indexes that documents go to, by alias.
    pub destinations: BTreeMap<String, Arc<Destination>>,
    /// The run's id.
    pub run: String,
    /// How often a write is tried.
    pub attempts: u32,
    /// Where waits are reported.
    pub events: Events,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Some of the documents that were written.
    pub sample: Arc<Sample>,
}

impl Sinks {
    /// Carries out the effects of a batch; failures are in each item's `failure` afterwards.
    ///
    /// *Errors*: a resource that is unreachable, after every attempt. Repeating the call is safe.
    pub(super) async fn apply(&self, batch: &mut [Work]) -> Result<()> {
        self.objects(batch).await?;
        self.records(batch).await?;
        self.updates(batch).await?;
        self.documents(batch).await?;
        self.messages(batch).await?;
        self.removals(batch).await
    }

    async fn insist<T, F: Future<Output = Result<T>>>(&self, call: impl FnMut() -> F) -> Result<T> {
        backoff::insist(self.attempts, &self.events, call).await
    }
}

/// Turns a failure that concerns one item into its reason; any other failure ends the run. `named` is what differs from
/// item to item in the reason.
fn settled<T>(answer: Result<T>, named: &[&str]) -> Result<Settled<T>> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(error) if error.concerns_item() => {
            let state = if error.may_retry() { State::Ready } else { State::KnownError };
            Ok(Err(Refusal::new(state, error.message(), named)))
        }
        Err(error) => Err(error),
    }
}

fn bound<'a, T>(resources: &'a BTreeMap<String, T>, what: &str, name: &str) -> Result<&'a T> {
    resources.get(name).ok_or_else(|| Error::usage(format!("the environment has no {what} `{name}`")))
}
