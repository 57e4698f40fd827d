//! The comparison at the end of a run: what it compares, what explains a difference, and what is said of the rest.

use super::{
    super::{Job, Work},
    has_own_ids, held,
};
use crate::{
    error::{Error, Kind, Result},
    event::Events,
    ledger::{Counts, Run, Scope},
    pipeline::{How, Pipeline, Repair, Verified, Verify},
};

/// So many documents without a record are removed from a new index, and a hundredth of it.
const MAY_GO: u64 = 10;

/// The comparison at the end of a run.
pub(super) struct End<'a> {
    pub job: &'a Job,
    pub pipeline: &'a Pipeline,
    pub events: &'a Events,
    pub run: &'a Run,
    /// Without what the source says of its records: it may have to be read to its end for that.
    pub how: How,
}

impl End<'_> {
    /// Compares a new index with its whole source. Answers what forbids to swap it in.
    pub async fn rebuilt(&self) -> Result<Option<Error>> {
        let counts = self.run.counts.unwrap_or_default();
        let targets = self.job.targets()?;
        let before = held(&targets, self.run).await?;
        self.job.say_what_is_left_out(&self.how, self.events);
        let is_off = self.job.pace.verify == Verify::None;
        if is_off {
            self.events.warn("the new index is not compared with its source: the recipe says `verify = \"none\"`");
        }
        if is_off || !self.how.left_out.is_empty() && counts_contradict(before, &counts) {
            return Ok(counts_contradict(before, &counts).then(|| self.contradiction(before, &counts)));
        }
        let how = self.keyed().await?.unwrap_or_else(|| self.how.clone());
        let mut verified = self.pipeline.verify(&how).await?;
        let beyond = self.job.beyond(self.run, &how, &verified).await?;
        // Where all that was written is there and nothing else, one that is missing belongs to a record that is new
        // since its part of the source was read.
        if has_own_ids(&how, &verified)
            && before >= counts.documents
            && beyond + verified.different.count == 0
            && how.repair != Repair::Everything
        {
            self.take_up_new(&how, &mut verified).await?;
        }
        if beyond > 0 {
            self.explain_beyond(&how, &counts, &mut verified).await?;
        }
        Ok(self.outcome(&verified))
    }

    /// Documents without a record were deleted in the source since they were read, or are of another program. What goes
    /// beyond what was written is a difference; when differences are mended, those without a record are removed.
    async fn explain_beyond(&self, how: &How, counts: &Counts, verified: &mut Verified) -> Result<()> {
        let held = held(&self.job.targets()?, self.run).await?;
        let extra = self.job.extra(self.run, how, verified).await?;
        // A source that lost much is a reason to look, not to remove.
        let may_go = how.repair == Repair::Everything && extra.count <= MAY_GO + held / 100;
        if may_go && has_own_ids(how, verified) {
            let most = usize::try_from(extra.count).unwrap_or(usize::MAX);
            let mut removed = 0;
            for (target, stranger) in self.job.strangers(self.run, how, verified, most).await? {
                let gone = target.index.listed()?.remove_listed(target.concrete(self.run)?, &[stranger]).await?;
                removed += gone.into_iter().filter(|gone| *gone).count();
            }
            self.events.note(format!("removed {removed} documents that have no record"));
        } else if held > counts.documents + verified.added {
            verified.extra = extra.joined(std::mem::take(&mut verified.extra));
        } else {
            let examples = extra.examples.join(", ");
            self.events.note(format!("{} documents have no record any more: {examples}", extra.count));
        }
        Ok(())
    }

    /// How to compare with a source that can be read again; none if it cannot.
    async fn keyed(&self) -> Result<Option<How>> {
        let info = self.job.source.info().await?;
        Ok((!info.passing).then(|| How { keyed: info.key.is_some(), ..self.how.clone() }))
    }

    /// Writes the documents of records that are new.
    async fn take_up_new(&self, how: &How, verified: &mut Verified) -> Result<()> {
        let positions = std::mem::take(&mut verified.positions);
        if positions.is_empty() || positions.len() as u64 != verified.missing.count {
            return Ok(());
        }
        let how = How { repair: Repair::Everything, ..how.clone() };
        let new = self.pipeline.verify_at(&how, &positions).await?;
        verified.repaired += new.repaired;
        verified.added += new.added;
        verified.there += new.there;
        (verified.missing, verified.positions) = (new.missing, new.positions);
        Ok(())
    }

    /// Compares what another run wrote, as its recipe says. Answers what forbids to call it done.
    pub async fn other(&self, work: &Work) -> Result<Option<Error>> {
        self.job.say_what_is_left_out(&self.how, self.events);
        let looks_up_some = self.job.pace.verify == Verify::Sample && self.how.repair == Repair::Nothing;
        if looks_up_some {
            let verified = self.pipeline.verify_sample(&self.how).await?;
            if verified.differing() == 0 {
                return Ok(self.outcome(&verified));
            }
        }
        let Some(how) = self.keyed().await? else { return Ok(None) };
        let verified = match work {
            _ if looks_up_some => self.pipeline.verify_sample(&how).await?,
            Work::Ids(ids) => self.pipeline.verify_at(&how, ids).await?,
            _ => self.pipeline.verify(&how).await?,
        };
        Ok(self.outcome(&verified))
    }

    fn outcome(&self, verified: &Verified) -> Option<Error> {
        let Verified { compared, newer, repaired, .. } = verified;
        if *repaired > 0 {
            let why = match self.how.repair {
                Repair::Everything => "differed, and were written once more",
                _ => "changed in the source since they were read, and were written as they are now",
            };
            self.events.note(format!("{repaired} documents {why}"));
        }
        if verified.refused.count > 0 {
            let (count, examples) = (verified.refused.count, verified.refused.examples.join(", "));
            self.events.warn(format!(
                "{count} records changed since they were read and cannot be mapped any more: {examples}; a further run records why"
            ));
        }
        if verified.differing() > 0 {
            return Some(self.difference(verified));
        }
        if self.run.scope != Scope::Rebuild && self.job.pace.verify == Verify::Sample {
            return None;
        }
        let newer = if *newer > 0 { format!("; {newer} are newer than their records were") } else { String::new() };
        self.events.note(format!("compared {compared} documents with what they should be: none differs{newer}"));
        None
    }

    /// What differs, with some ids, and what to do.
    fn difference(&self, verified: &Verified) -> Error {
        let kinds = verified.kinds().into_iter().filter(|(_, found)| found.count > 0);
        let counts: Vec<_> = kinds.clone().map(|(kind, found)| format!("{} {kind}", found.count)).collect();
        let names: Vec<_> = self.run.targets.values().map(String::as_str).collect();
        let mut message = format!("documents in {} differ from their source: {}", names.join(", "), counts.join(", "));
        if self.run.scope == Scope::Rebuild {
            let aliases: Vec<_> = self.run.targets.keys().map(|alias| format!("`{alias}`")).collect();
            message = format!("{message}; {} still names the old index", aliases.join(", "));
        }
        let named = kinds.filter(|(_, found)| !found.examples.is_empty());
        let error = named.fold(Error::new(Kind::Stopped, message), |error, (kind, found)| {
            error.with(kind, found.examples.join(", "))
        });
        error.hint(self.way_out(verified))
    }

    fn way_out(&self, verified: &Verified) -> &'static str {
        let only_extra = verified.differing() == verified.extra.count;
        match (self.run.scope, self.how.repair) {
            (Scope::Rebuild, Repair::Everything) if only_extra => {
                "somebody else writes to it, or the source lost records; `--fresh` starts over with another index"
            }
            (_, Repair::Everything) => {
                "they were written once more and still differ: look at the cluster, at what stands before it, and at the index's ingest pipelines; `verify = \"none\"` under [run] relies on the counts alone"
            }
            (Scope::Rebuild, _) => {
                "run the same command again: it compares everything once more, writes what differs and removes what has no record; `--waive` accepts failed records, never these"
            }
            _ => {
                "run the same command again: it compares everything and writes what differs; `reindex verify RECIPE` only looks"
            }
        }
    }

    fn contradiction(&self, held: u64, counts: &Counts) -> Error {
        let names: Vec<_> = self.run.targets.values().map(String::as_str).collect();
        let message = format!("{} holds {held} documents, but {} were written", names.join(", "), counts.documents);
        Error::new(Kind::Stopped, message).hint("`--fresh` starts over with another index")
    }
}

/// Whether the counts alone show that an index is not what was written.
fn counts_contradict(held: u64, counts: &Counts) -> bool {
    held > counts.documents || (held == 0 && counts.documents > 0)
}
