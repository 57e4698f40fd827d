//! The recipe's list of ids in a run: how much of it is ready, and whether what was handed over is in the index.
//!
//! What an id's documents were and which versions they have stands as its reason, so that any later run can tell.

use std::{collections::BTreeMap, sync::Arc};

use super::Job;
use crate::{
    capability::index::Document,
    error::{Error, Result},
    event::Events,
    ledger::{
        Run, State,
        list::{List, Listed, Move},
    },
    pipeline::Handed,
};

/// How many ids are looked up at a time.
const PAGE: usize = 100;

/// The documents that were found for ids, by index and id.
type Found = BTreeMap<(String, String), Document>;

impl Job {
    pub(super) fn list(&self) -> Result<Arc<dyn List>> {
        self.list.clone().ok_or_else(|| Error::usage("this job has no list of ids"))
    }

    /// How many ids wait for a run.
    pub(super) async fn ready_ids(&self) -> Result<u64> {
        let counts = self.list()?.counts().await?;
        Ok([State::Ready, State::InProgress].iter().filter_map(|state| counts.get(state)).sum())
    }

    /// Looks in the index for what was handed over. What an earlier look left half-way is looked at again.
    pub(super) async fn verify_list(&self, run: &Run, events: &Events) -> Result<()> {
        let (list, mut untold) = (self.list()?, 0);
        for state in [State::Locating, State::Done] {
            let mut from = None;
            loop {
                let page = list.page(Some(state), from.as_deref(), PAGE).await?;
                untold += self.verify_some(&*list, run, page.ids).await?;
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        if untold > 0 {
            events.note(format!(
                "{untold} ids stay `{}`: they have no document of their own id that could be looked for",
                State::Done.word()
            ));
        }
        Ok(())
    }

    /// Answers for how many ids it cannot be told.
    async fn verify_some(&self, list: &dyn List, run: &Run, ids: Vec<Listed>) -> Result<u64> {
        let is_told = |listed: &Listed| {
            let Handed(documents) = Handed::read(&listed.reason);
            !documents.is_empty() && documents.keys().all(|index| run.targets.contains_key(index))
        };
        let (told, untold): (Vec<_>, Vec<_>) = ids.into_iter().partition(is_told);
        let located = locate(list, told).await?;
        let found = self.look_up(run, &located).await?;
        let verdicts = located.into_iter().map(|listed| verdict(listed, &found));
        let left = untold.iter().filter(|listed| listed.state == State::Locating).cloned();
        let left = left.map(|found| Move { state: State::Done, reason: found.reason.clone(), owner: None, found });
        list.shift(&verdicts.chain(left).collect::<Vec<_>>()).await?;
        Ok(untold.len() as u64)
    }

    async fn look_up(&self, run: &Run, ids: &[Listed]) -> Result<Found> {
        let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for listed in ids {
            for index in Handed::read(&listed.reason).0.into_keys() {
                wanted.entry(index).or_default().push(listed.id.clone());
            }
        }
        let mut found = Found::new();
        for target in self.targets()? {
            let Some(ids) = wanted.remove(&target.alias) else { continue };
            let documents = target.index.get_many(Some(target.concrete(run)?), &ids).await?;
            let documents = documents.into_iter().flatten();
            found.extend(documents.map(|document| ((target.alias.clone(), document.id.clone()), document)));
        }
        Ok(found)
    }
}

/// Moves ids to where they are being looked for; answers those that moved.
async fn locate(list: &dyn List, ids: Vec<Listed>) -> Result<Vec<Listed>> {
    let (there, done): (Vec<_>, Vec<_>) = ids.into_iter().partition(|listed| listed.state == State::Locating);
    let step = |found: Listed| Move { state: State::Locating, reason: found.reason.clone(), owner: None, found };
    let steps: Vec<_> = done.into_iter().map(step).collect();
    let moved = list.shift(&steps).await?;
    let moved = steps.into_iter().zip(moved).filter(|(_, moved)| *moved);
    let moved = moved.map(|(Move { found, state, .. }, _)| Listed { state, token: found.token + 1, ..found });
    Ok(there.into_iter().chain(moved).collect())
}

/// Where an id goes, by the documents that were found.
fn verdict(listed: Listed, found: &Found) -> Move {
    let mut verdict = (State::Verified, listed.reason.clone());
    for (index, handed) in Handed::read(&listed.reason).0 {
        let document = found.get(&(index.clone(), listed.id.clone()));
        match (document.map(|document| document.version), handed) {
            (None, _) => {
                verdict = (State::Inconsistent, format!("`{index}` has no such document, though it was handed over"));
            }
            (Some(Some(there)), Some(handed)) if there < handed => {
                let reason = format!("`{index}` has version {there} of it, though {handed} was handed over");
                verdict = (State::Inconsistent, reason);
            }
            // It is there, and nothing says how new it is.
            (Some(None), Some(_)) if verdict.0 == State::Verified => verdict.0 = State::Done,
            _ => {}
        }
    }
    Move { found: listed, state: verdict.0, reason: verdict.1, owner: None }
}

pub(super) fn not_retried() -> Error {
    Error::usage("the newest run worked through a list of ids, which keeps itself what failed").hint(
        "`reindex ids reset RECIPE --state known-error` makes ids ready again; then `reindex run RECIPE --loaded`",
    )
}
