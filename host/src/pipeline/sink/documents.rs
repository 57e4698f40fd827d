//! Documents: written to their indexes until every one is answered for good.

use std::collections::{BTreeMap, HashSet};

use super::{Refusal, Sinks, Work, backoff, bound};
use crate::{
    capability::index::{Write, Written},
    error::{Error, Result},
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
            self.write(&name, writes, batch).await?;
        }
        Ok(())
    }

    /// Writes until every document is answered for good or its attempts are spent.
    async fn write(&self, name: &str, mut writes: Vec<(usize, Write)>, batch: &mut [Work]) -> Result<()> {
        let index = bound(&self.resources.indexes, "index", name)?;
        let unset = || Error::bug(format!("the run has no concrete index for `{name}`"));
        let concrete = self.targets.get(name).ok_or_else(unset)?;
        for attempt in 1.. {
            let send = || index.write(concrete, writes.iter().map(|(_, write)| write.clone()).collect());
            let answers = self.insist(send).await?;
            let mut again = HashSet::new();
            let mut left = Vec::new();
            for ((at, write), answer) in writes.into_iter().zip(answers) {
                let held_back = again.contains(&write.id);
                match answer {
                    Written::Failed(_) if attempt < self.attempts => {
                        again.insert(write.id.clone());
                        left.push((at, write));
                    }
                    // It overtook a write of the same document that will come again, so it must come after it.
                    _ if held_back => left.push((at, write)),
                    answer => {
                        match answer {
                            Written::Done => self.sample.written(name, &write, &batch[at].id),
                            Written::NewerThere => self.sample.overtaken(name, &write.id),
                            Written::Refused(_) | Written::Failed(_) => {}
                        }
                        answered(&mut batch[at], &write, answer);
                    }
                }
            }
            if left.is_empty() {
                return Ok(());
            }
            writes = left;
            tokio::time::sleep(backoff::pause(attempt)).await;
        }
        Ok(())
    }
}

/// The write a document effect means; takes the body out of the effect, since it is needed only here.
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
