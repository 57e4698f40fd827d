//! Documents: written to their indexes until each one has a final answer.

use std::collections::BTreeMap;

use super::{super::Destination, Refusal, Sinks, Work, bound};
use crate::{
    capability::index::{Index, Place, Write, Written},
    error::{Kind, Result},
    ledger::State,
    record::Effect,
};

impl Sinks {
    pub(super) async fn documents(&self, batch: &mut [Work]) -> Result<()> {
        let mut indexes: BTreeMap<String, Vec<(usize, Write)>> = BTreeMap::new();
        for (at, work) in batch.iter_mut().enumerate().filter(|(_, work)| work.failure.is_none()) {
            let version = work.version;
            for effect in &mut work.effects {
                if let Some((index, write)) = document(effect, version) {
                    work.counts.other_ids += u64::from(write.body.is_some() && write.id != work.id);
                    indexes.entry(index).or_default().push((at, write));
                }
            }
        }
        for (name, writes) in indexes {
            let destination = bound(&self.destinations, "index", &name)?;
            let (items, writes): (Vec<_>, Vec<_>) = writes.into_iter().unzip();
            let answers = self.deliver(destination, &writes).await?;
            for ((at, write), answer) in items.into_iter().zip(&writes).zip(answers) {
                match answer {
                    Written::Done => self.sample.written(&name, write, &batch[at].id),
                    Written::NewerThere => self.sample.overtaken(&name, &write.id),
                    Written::Refused(_) | Written::Failed(_) => {}
                }
                answered(&mut batch[at], write, answer);
            }
        }
        Ok(())
    }

    /// Writes to every index on the route, until the route has no index without these writes. Returns one answer per
    /// write: that of the index that the alias names, unless another index does not take it.
    async fn deliver(&self, destination: &Destination, writes: &[Write]) -> Result<Vec<Written>> {
        let mut reached: BTreeMap<Place, Vec<Written>> = BTreeMap::new();
        let mut places = self.insist(|| destination.places(&self.events)).await?;
        loop {
            let mut missing = None;
            for (at, place) in places.iter().enumerate() {
                if reached.contains_key(place) {
                    continue;
                }
                match self.write(&*destination.index, &place.name, writes).await {
                    Ok(answers) => drop(reached.insert(place.clone(), answers)),
                    // The route below shows whether it should be there.
                    Err(error) if error.kind() == Kind::NotFound => missing = Some((place.clone(), error)),
                    Err(error) if at == 0 => return Err(error),
                    Err(error) => return Err(error.with("filled by a rebuild", place.name.clone())),
                }
            }
            places = self.insist(|| destination.places_now(&self.events)).await?;
            match missing {
                Some((place, error)) if places.contains(&place) => return Err(error),
                _ if places.iter().all(|place| reached.contains_key(place)) => break,
                _ => {}
            }
        }
        Ok((0..writes.len()).map(|at| answer(&places, &reached, at)).collect())
    }

    /// Writes to one index until every document has an answer. The index itself retries what may pass.
    async fn write(&self, index: &dyn Index, concrete: &str, writes: &[Write]) -> Result<Vec<Written>> {
        self.insist(|| index.write(concrete, writes.to_vec())).await
    }
}

/// Combines the answers of the indexes on the route to a write: the first one's, unless another index does not take it.
fn answer(places: &[Place], reached: &BTreeMap<Place, Vec<Written>>, at: usize) -> Written {
    let answers = || places.iter().filter_map(|place| Some((place, reached.get(place)?.get(at)?)));
    let untaken = |(at, (place, written)): (usize, (&Place, &Written))| {
        let told = |reason: &str| match at {
            0 => reason.to_owned(),
            _ => format!("{}, which a rebuild fills: {reason}", place.name),
        };
        match written {
            Written::Refused(reason) => Some(Written::Refused(told(reason))),
            Written::Failed(reason) => Some(Written::Failed(told(reason))),
            Written::Done | Written::NewerThere => None,
        }
    };
    let first = || answers().next().map(|(_, written)| written.clone());
    let none = || Written::Failed("no index was written to".to_owned());
    answers().enumerate().find_map(untaken).or_else(first).unwrap_or_else(none)
}

/// Returns the write of a document effect; moves the body out of the effect, since only the write needs it.
pub(in crate::pipeline) fn document(effect: &mut Effect, version: Option<u64>) -> Option<(String, Write)> {
    match effect {
        Effect::PutDocument { index, id, version: own, body } => {
            let write = Write { id: id.clone(), version: own.or(version), body: Some(std::mem::take(body)) };
            Some((index.clone(), write))
        }
        Effect::DeleteDocument { index, id, version: own } => {
            Some((index.clone(), Write { id: id.clone(), version: own.or(version), body: None }))
        }
        _ => None,
    }
}

fn answered(work: &mut Work, write: &Write, answer: Written) {
    let counts = &mut work.counts;
    match answer {
        Written::Done if write.body.is_some() => counts.documents += 1,
        Written::Done => counts.deletions += 1,
        Written::NewerThere => counts.newer_there += 1,
        Written::Refused(reason) => {
            work.fail(Refusal::new(State::KnownError, format!("the index refuses the document: {reason}"), &[]));
        }
        Written::Failed(reason) => {
            let reason = format!("the document could not be written: {reason}");
            work.fail(Refusal::new(State::UnknownError, reason, &[]));
        }
    }
}
