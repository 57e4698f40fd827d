//! Whether the indexes of a run hold what its source says: before a rebuild is swapped in, at the end of other runs, and
//! whenever a person asks.
//!
//! Counts prove nothing: a document that was lost and one that should not be there make them right. So documents are
//! compared by id, version and content. A run whose comparison finds a difference that nothing explains stays
//! unfinished; the same command compares everything again, writes what differs, and compares that.

mod end;

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::{Job, Options, Work, look, steps::Steps, targets::Target};
use crate::{
    capability::{index::Listed, storage::Scan},
    error::{Error, Result},
    event::Events,
    ledger::{Run, Scope},
    pipeline::{Found, How, Pipeline, Repair, Stop, Verified, Verify},
};
use end::End;

/// The mark of a run whose documents were compared.
const VERIFIED: &str = "verified";
/// The mark of a run in which documents differed, so that what differs is written once more.
const DIFFERS: &str = "differs";

/// How many ids of documents without a record are looked for.
const EXAMPLES: usize = 10;
const PAGE: usize = 1000;

impl Job {
    /// Compares what a run wrote with what its indexes hold, as its recipe says; a rebuild always as a whole.
    ///
    /// *Errors*: [`Kind::Stopped`](crate::error::Kind::Stopped) if something differs that nothing explains.
    pub(super) async fn verify_at_end(
        &self,
        steps: &mut Steps,
        pipeline: &Pipeline,
        work: &Work,
        events: &Events,
    ) -> Result<()> {
        let passes = self.messages.is_some() || *work == Work::Loaded || !pipeline.wrote_to(&steps.run.targets);
        let is_off = self.pace.verify == Verify::None && steps.run.scope != Scope::Rebuild;
        if steps.run.marks.contains(VERIFIED) || passes || is_off {
            return Ok(());
        }
        let run = steps.run.clone();
        let end = End { job: self, pipeline, events, run: &run, how: self.how(Some(&run)).await? };
        let differing = match work {
            Work::Rebuild { .. } => end.rebuilt().await?,
            _ => end.other(work).await?,
        };
        match differing {
            Some(error) => {
                steps.run.marks.insert(DIFFERS.to_owned());
                steps.save().await?;
                Err(error)
            }
            None => steps.step(VERIFIED, async { Ok(()) }).await,
        }
    }

    /// Compares every document of the source, or of some records chosen at random, with the index that the alias names.
    /// Changes nothing.
    pub async fn verify(&self, sample: Option<usize>, events: &Events, stop: &Stop) -> Result<Verified> {
        if let Some(messages) = &self.messages {
            return Err(messages.refuse("its messages are gone once they are read, so nothing can be compared"));
        }
        self.servers.look(&self.resources).await?;
        let info = self.source.info().await?;
        if info.passing {
            return Err(Error::usage("requests go when they are done, so there is nothing to compare with"));
        }
        // The plugin's clock stands where it stood, so that a document says the same.
        let mut run = match look::newest_whole(&*self.ledger, &self.name).await? {
            Some(run) => run,
            None => self.draft(&Options::default()).await?,
        };
        run.segments = self.segments(&Work::Full, &info);
        run.targets.clear();
        for target in self.targets()? {
            let nothing = || Error::usage(format!("there is no index behind `{}` to compare with", target.alias));
            let current = target.index.current().await?.ok_or_else(|| nothing().hint("`reindex run RECIPE` first"))?;
            target.fits(&current)?;
            run.targets.insert(target.alias.clone(), current.name);
        }
        let (leases, scan) = (self.leases(&run, events, stop)?, self.source.clone() as Arc<dyn Scan>);
        let pipeline = self.pipeline(&run, scan, leases, None, (events, stop)).await?;
        let how = How { keyed: info.key.is_some(), ..self.how(None).await? };
        self.say_what_is_left_out(&how, events);
        let Some(size) = sample else {
            let mut verified = pipeline.verify(&how).await?;
            verified.extra = self.extra(&run, &how, &verified).await?.joined(verified.extra);
            return Ok(verified);
        };
        pipeline.verify_some(&how, size).await
    }

    /// How the documents of this job are compared; in a run in which some differed, those are written once more.
    async fn how(&self, run: Option<&Run>) -> Result<How> {
        let mut left_out = BTreeSet::new();
        for target in self.targets()? {
            let current = target.index.current().await?.map(|current| current.definition);
            if !keeps_all(&target.definition) || current.is_some_and(|found| !keeps_all(&found)) {
                left_out.insert(target.alias);
            }
        }
        let repair = match run {
            Some(run) if run.marks.contains(DIFFERS) => Repair::Everything,
            // What was read from the source before it changed is written as it is now, in an index without an alias yet.
            Some(run) if run.scope == Scope::Rebuild => Repair::Older,
            _ => Repair::Nothing,
        };
        Ok(How { repair, keyed: false, left_out })
    }

    fn say_what_is_left_out(&self, how: &How, events: &Events) {
        for alias in &how.left_out {
            events.warn(format!(
                "the documents of `{alias}` cannot be compared, since its index does not keep them as they are sent \
                 (`_source`, or an ingest pipeline)"
            ));
        }
    }

    /// How many documents a run's indexes hold beyond those of its records.
    async fn beyond(&self, run: &Run, how: &How, verified: &Verified) -> Result<u64> {
        // Without what is left out, nothing is known of how many there should be.
        if how.left_out.is_empty() {
            Ok(held(&self.targets()?, run).await?.saturating_sub(verified.there))
        } else {
            Ok(0)
        }
    }

    /// Some documents in a run's indexes whose record the source does not have, by the recipe's name of the index.
    async fn strangers(&self, run: &Run, how: &How, verified: &Verified, most: usize) -> Result<Vec<(Target, Listed)>> {
        let mut strangers = Vec::new();
        if !has_own_ids(how, verified) {
            return Ok(strangers);
        }
        for target in self.targets()? {
            let (concrete, mut after) = (target.concrete(run)?, None::<String>);
            while strangers.len() < most {
                let part = target.index.listed()?.list(concrete, None, None, after.as_deref(), PAGE).await?;
                let ids: Vec<_> = part.documents.iter().map(|listed| listed.id.clone()).collect();
                let rows = if ids.is_empty() { Vec::new() } else { self.source.reread(&ids).await? };
                let absent = part.documents.into_iter().zip(rows).filter(|(_, row)| row.is_none());
                strangers.extend(absent.map(|(listed, _)| (target.clone(), listed)).take(most - strangers.len()));
                match part.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        Ok(strangers)
    }

    async fn extra(&self, run: &Run, how: &How, verified: &Verified) -> Result<Found> {
        let count = self.beyond(run, how, verified).await?;
        let most = if count > 0 { EXAMPLES } else { 0 };
        let strangers = self.strangers(run, how, verified, most).await?;
        Ok(Found { count, examples: strangers.into_iter().map(|(_, listed)| listed.id).collect() })
    }
}

/// Whether each document has the id of its record, by which that can be read again.
fn has_own_ids(how: &How, verified: &Verified) -> bool {
    how.keyed && verified.other_ids == 0
}

/// How many documents the indexes of a run hold.
async fn held(targets: &[Target], run: &Run) -> Result<u64> {
    let mut held = 0;
    for target in targets {
        held += target.index.count(target.concrete(run)?).await?;
    }
    Ok(held)
}

/// Whether an index of this definition gives documents back as they were sent.
fn keeps_all(definition: &str) -> bool {
    let definition: Value = serde_json::from_str(definition).unwrap_or_default();
    let settings = definition["settings"].to_string();
    let changes = ["default_pipeline", "final_pipeline", "\"synthetic\"", "\"logsdb\""];
    definition["mappings"]["_source"].is_null() && !changes.iter().any(|change| settings.contains(change))
}

impl Found {
    fn joined(mut self, other: Self) -> Self {
        self.count += other.count;
        self.examples.splice(0..0, other.examples);
        self.examples.truncate(EXAMPLES);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_changes_what_it_is_sent_is_not_compared() {
        for definition in ["{}", r#"{"settings":{"index":{"refresh_interval":"7s"}},"mappings":{"properties":{}}}"#] {
            assert!(keeps_all(definition), "{definition}");
        }
        for definition in [
            r#"{"mappings":{"_source":{"enabled":false}}}"#,
            r#"{"settings":{"index":{"default_pipeline":"p"}}}"#,
            r#"{"settings":{"index.final_pipeline":"p"}}"#,
            r#"{"settings":{"index":{"mapping":{"source":{"mode":"synthetic"}}}}}"#,
        ] {
            assert!(!keeps_all(definition), "{definition}");
        }
    }
}
