//! Removing the documents whose item is gone.
//!
//! A scan alone is never trusted: what no effect of an error-free run named is only a candidate. Each is read again
//! in the source by its key, and removed only if it is absent there and was not written since it was listed. Nothing
//! is removed before every candidate was looked at, so a share that is too large costs nothing.

use serde::Serialize;

use super::{Job, look, targets::Target};
use crate::{
    capability::index::Listed,
    error::{Error, Kind, Result},
    event::{Event, Events},
    ledger::{Counts, Phase, Run, Scope},
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

impl Job {
    /// Removes what is gone from every index that the recipe says to prune, after the newest whole run; a dry run
    /// only says what it would remove.
    ///
    /// *Errors*: [`Kind::Usage`] if that run does not allow it, [`Kind::Stopped`] if more would go than may.
    pub async fn prune(&self, dry: bool, events: &Events) -> Result<Vec<Pruned>> {
        let _lock = if dry { None } else { self.lock()? };
        if self.prunes.is_empty() {
            return Err(Error::usage(format!("recipe `{}` prunes no index", self.name))
                .hint("say which: [index.<name>.prune], with `max-share`, the share of its documents that may go"));
        }
        let run = look::newest_whole(&*self.ledger, &self.name).await?.filter(|run| run.phase == Phase::Finished);
        let run = run.ok_or_else(|| unfit("it has no finished run over the whole source"))?;
        let counts = crate::pipeline::counts(&*self.ledger, &run).await?;
        self.prune_after(&run, &counts, dry, events).await
    }

    /// Removes what is gone after a run over the whole source. Doing it again changes nothing.
    pub(super) async fn prune_after(
        &self,
        run: &Run,
        counts: &Counts,
        dry: bool,
        events: &Events,
    ) -> Result<Vec<Pruned>> {
        let mut all = Vec::new();
        for target in self.targets()? {
            let Some(prune) = self.prunes.get(&target.alias) else { continue };
            self.may_prune(run, counts).await?;
            let pruned = self.prune_one(&target, prune, run, dry).await?;
            let (gone, alias) = (pruned.gone, &target.alias);
            events.note(match dry {
                true => format!("{gone} documents of `{alias}` would go, since their items are gone"),
                false => format!("{} documents of `{alias}` are gone, like their items", pruned.removed),
            });
            all.push(pruned);
        }
        Ok(all)
    }

    /// Removes what is gone at the end of a run. What forbids it is said and forbids nothing else.
    pub(super) async fn prune_or_say_why_not(&self, run: &Run, events: &Events) -> Result<()> {
        match self.prune_after(run, &run.counts.unwrap_or_default(), false, events).await {
            Err(error) if matches!(error.kind(), Kind::Usage | Kind::Stopped) => {
                let hint = error.hint_text().map(|hint| format!("; {hint}")).unwrap_or_default();
                events.send(Event::Warning { text: format!("{error}{hint}") });
                Ok(())
            }
            pruned => pruned.map(drop),
        }
    }

    /// Refuses to prune after a run that may not have seen every item.
    async fn may_prune(&self, run: &Run, counts: &Counts) -> Result<()> {
        if !matches!(run.scope, Scope::Full | Scope::Rebuild) {
            return Err(unfit("only a run over the whole source knows what is missing from it"));
        }
        let open = counts.failed + counts.waiting;
        if open > 0 {
            return Err(unfit(&format!("{open} records of the run are open, so it did not see them through"))
                .hint("`reindex status` says why; mend them, `reindex retry`, then prune"));
        }
        if counts.read == 0 {
            return Err(unfit("the run read nothing, and an empty source prunes nothing"));
        }
        if counts.other_ids > 0 {
            return Err(unfit(&format!(
                "{} documents have ids that are not their items', so nothing tells whose they are",
                counts.other_ids
            )));
        }
        if self.source.info().await?.key.is_none() {
            return Err(unfit("its source cannot be read by key, so nothing can be looked up again"));
        }
        Ok(())
    }

    async fn prune_one(&self, target: &Target, prune: &Prune, run: &Run, dry: bool) -> Result<Pruned> {
        let concrete = target.concrete(run)?;
        let total = target.index.count(concrete).await?;
        let most = (total as f64 * prune.max_share).ceil() as usize;
        let (candidates, gone) = self.gone(target, prune, run).await?;
        let examples = gone.iter().take(EXAMPLES).map(|document| document.id.clone()).collect();
        let mut pruned =
            Pruned { index: target.alias.clone(), candidates, gone: gone.len() as u64, removed: 0, examples };
        if gone.len() > most && !dry {
            let message = format!("{} of {total} documents of `{}` have no item any more", gone.len(), target.alias);
            return Err(Error::new(Kind::Stopped, message)
                .with("removed", "none")
                .with("such as", pruned.examples.join(", "))
                .hint(format!(
                    "that is more than `max-share` = {} allows; is the source whole? `reindex prune RECIPE --dry-run` shows them",
                    prune.max_share
                )));
        }
        if !dry {
            for part in gone.chunks(PAGE) {
                let removed = target.index.remove_listed(concrete, part).await?;
                pruned.removed += removed.into_iter().filter(|removed| *removed).count() as u64;
            }
        }
        Ok(pruned)
    }

    /// The documents that no effect of the run named and whose item is absent now, and how many were looked at.
    async fn gone(&self, target: &Target, prune: &Prune, run: &Run) -> Result<(u64, Vec<Listed>)> {
        let (concrete, until) = (target.concrete(run)?, run.watermarks.get(&target.alias).copied());
        let (mut candidates, mut gone, mut after) = (0, Vec::new(), None);
        loop {
            let part = target.index.list(concrete, prune.query.as_deref(), until, after.as_deref(), PAGE).await?;
            candidates += part.documents.len() as u64;
            let ids: Vec<_> = part.documents.iter().map(|document| document.id.clone()).collect();
            let found = if ids.is_empty() { Vec::new() } else { self.source.reread(&ids).await? };
            let absent = part.documents.into_iter().zip(found).filter(|(_, row)| row.is_none());
            gone.extend(absent.map(|(document, _)| document));
            match part.next {
                Some(next) => after = Some(next),
                None => return Ok((candidates, gone)),
            }
        }
    }
}

fn unfit(why: &str) -> Error {
    Error::usage(format!("nothing was pruned: {why}"))
}
