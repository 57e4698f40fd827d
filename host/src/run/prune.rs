//! Removing the documents whose item is gone.
//!
//! A scan alone is never trusted: what no effect of an error-free run named is only a candidate. Each is read again
//! in the source by its key, and removed only if it is absent there and was not written since it was listed. Nothing
//! is removed before every candidate was looked at, so a share that is too large costs nothing.

use serde::Serialize;

use super::{
    Job,
    look::{self, is_whole},
    targets::Target,
};
use crate::{
    capability::index::{Concrete, Listed},
    error::{Error, Kind, Result},
    event::{Event, Events},
    ledger::{Counts, Phase, Run},
    recipe::Prune,
};

const PAGE: usize = 1000;
const EXAMPLES: usize = 10;

/// What became of the documents of one index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pruned {
    /// The recipe's name of the index.
    pub index: String,
    /// How many documents no effect of the run had named.
    pub candidates: u64,
    /// How many of them have no item any more.
    pub gone: u64,
    /// How many were removed; one that was written meanwhile is not.
    pub removed: u64,
    /// Some ids of those that are gone.
    pub examples: Vec<String>,
}

/// The documents of an index that no effect of the run named.
#[derive(Default)]
struct Found {
    candidates: u64,
    gone: u64,
    /// Those that are gone, as many of them as may go.
    documents: Vec<Listed>,
}

impl Job {
    /// Removes what is gone from every index that the recipe says to prune, after the newest whole run; a dry run
    /// only says what it would remove.
    ///
    /// *Errors*: [`Kind::Usage`] if that run does not allow it, or if more would go than may.
    pub async fn prune(&self, dry: bool, events: &Events) -> Result<Vec<Pruned>> {
        let _lock = if dry { None } else { self.lock()? };
        if self.prunes.is_empty() {
            return Err(Error::usage(format!("recipe `{}` prunes no index", self.name))
                .hint("say which: [index.<name>.prune], with `max-share`, the share of its documents that may go"));
        }
        self.servers.look(&self.resources).await?;
        let saw_all = |run: &Run| matches!(run.phase, Phase::Finishing | Phase::Finished);
        let run = look::newest_whole(&*self.ledger, &self.name).await?.filter(saw_all);
        let run = run.ok_or_else(|| {
            unfit("there is no finished run over the whole source").hint("`reindex run RECIPE` first, to its end")
        })?;
        let counts = crate::pipeline::counts(&*self.ledger, &run).await?;
        match self.obstacle(&run, &counts).await? {
            Some(error) => Err(error),
            None => self.prune_all(&run, &counts, dry, events).await,
        }
    }

    /// Removes what is gone at the end of a run. What forbids it is said and forbids nothing else.
    pub(super) async fn prune_or_say_why_not(&self, run: &Run, events: &Events) -> Result<()> {
        if self.prunes.is_empty() || !is_whole(run) {
            return Ok(());
        }
        let counts = run.counts.unwrap_or_default();
        let pruned = match self.obstacle(run, &counts).await? {
            Some(error) => Err(error),
            None => self.prune_all(run, &counts, false, events).await,
        };
        match pruned {
            Err(error) if error.kind() == Kind::Usage => {
                let hint = error.hint_text().map(|hint| format!("; {hint}")).unwrap_or_default();
                events.send(Event::Warning { text: format!("{error}{hint}") });
                Ok(())
            }
            pruned => pruned.map(drop),
        }
    }

    async fn prune_all(&self, run: &Run, counts: &Counts, dry: bool, events: &Events) -> Result<Vec<Pruned>> {
        let mut all = Vec::new();
        for target in self.targets()? {
            let Some(prune) = self.prunes.get(&target.alias) else { continue };
            let pruned = self.prune_one(&target, prune, (run, counts), dry).await?;
            let (gone, alias) = (pruned.gone, &target.alias);
            match dry {
                true => events.note(format!("{gone} documents of `{alias}` would go, since their items are gone")),
                false if pruned.removed == 0 => {}
                false => events
                    .note(format!("removed {} documents of `{alias}`, since their items are gone", pruned.removed)),
            }
            all.push(pruned);
        }
        Ok(all)
    }

    /// Why nothing may be pruned after this run: it may not have seen every item.
    async fn obstacle(&self, run: &Run, counts: &Counts) -> Result<Option<Error>> {
        let open = counts.failed + counts.waiting;
        Ok(if !is_whole(run) {
            Some(unfit("only a run over the whole source knows what is missing from it"))
        } else if open > 0 {
            Some(
                unfit(&format!("{open} records of the run are open, so it did not see them through"))
                    .hint("`reindex status RECIPE` says why; mend them, `reindex retry RECIPE`, then prune"),
            )
        } else if counts.read == 0 {
            Some(unfit("the run read nothing, and an empty source prunes nothing"))
        } else if counts.other_ids > 0 {
            let others = counts.other_ids;
            Some(unfit(&format!(
                "{others} documents have ids that are not their items', so nothing tells whose they are"
            )))
        } else if self.source.info().await?.key.is_none() {
            Some(unfit("its source cannot be read by key, so nothing can be looked up again"))
        } else {
            None
        })
    }

    async fn prune_one(&self, target: &Target, prune: &Prune, after: (&Run, &Counts), dry: bool) -> Result<Pruned> {
        let (run, counts) = after;
        let concrete = target.concrete(run)?;
        let identity = run.identities.get(&target.alias);
        let filled = |current: &Concrete| {
            current.name == concrete && identity.is_none_or(|identity| *identity == current.identity)
        };
        if !target.index.current().await?.as_ref().is_some_and(filled) {
            let alias = &target.alias;
            return Err(unfit(&format!("{concrete}, which the run filled, is no longer behind `{alias}`"))
                .hint("`reindex run RECIPE` first, so that a run has seen the index that is there now"));
        }
        let total = target.index.count(concrete).await?;
        let found = self.gone(target, prune, run, share(total, prune)).await?;
        let own = match prune.query {
            // The others' documents must not make room for this recipe's.
            Some(_) => total.min(counts.documents + found.gone),
            None => total,
        };
        let examples = found.documents.iter().take(EXAMPLES).map(|document| document.id.clone()).collect();
        let (candidates, gone) = (found.candidates, found.gone);
        let mut pruned = Pruned { index: target.alias.clone(), candidates, gone, removed: 0, examples };
        if dry {
            return Ok(pruned);
        }
        if gone > share(own, prune) {
            return Err(too_many(&pruned, own, prune));
        }
        for part in found.documents.chunks(PAGE) {
            let removed = target.index.listed()?.remove_listed(concrete, part).await?;
            pruned.removed += removed.into_iter().filter(|removed| *removed).count() as u64;
        }
        Ok(pruned)
    }

    /// Looks up every document that no effect of the run named; keeps `most` of those whose item is absent, and some
    /// to show.
    async fn gone(&self, target: &Target, prune: &Prune, run: &Run, most: u64) -> Result<Found> {
        let (concrete, until) = (target.concrete(run)?, run.watermarks.get(&target.alias).copied());
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(EXAMPLES);
        let (mut found, mut after) = (Found::default(), None::<String>);
        loop {
            let part =
                target.index.listed()?.list(concrete, prune.query.as_deref(), until, after.as_deref(), PAGE).await?;
            found.candidates += part.documents.len() as u64;
            let ids: Vec<_> = part.documents.iter().map(|document| document.id.clone()).collect();
            let rows = if ids.is_empty() { Vec::new() } else { self.source.reread(&ids).await? };
            let absent = part.documents.into_iter().zip(rows).filter(|(_, row)| row.is_none());
            for (document, _) in absent {
                found.gone += 1;
                if found.documents.len() < most {
                    found.documents.push(document);
                }
            }
            match part.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }
}

/// How many of so many documents may go.
fn share(documents: u64, prune: &Prune) -> u64 {
    (documents as f64 * prune.max_share).floor() as u64
}

fn unfit(why: &str) -> Error {
    Error::usage(format!("nothing was pruned: {why}"))
}

fn too_many(pruned: &Pruned, own: u64, prune: &Prune) -> Error {
    let message = format!("{} of {own} documents of `{}` have no item any more", pruned.gone, pruned.index);
    Error::usage(message).with("removed", "none").with("such as", pruned.examples.join(", ")).hint(format!(
        "`max-share` = {} allows {}; is the source whole? `reindex prune RECIPE --dry-run` shows them; if they \
             are to go, raise it and do this again",
        prune.max_share,
        share(own, prune)
    ))
}
