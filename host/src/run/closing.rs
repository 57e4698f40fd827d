//! The end of a run, when every segment is at its end: what waits is tried again, a rebuilt index is verified and
//! swapped in, and the record says what it all came to. Each step can be done twice and is marked once done.

use super::{Job, Work, steps::Steps, stopped};
use crate::{
    error::{Error, Result},
    event::Events,
    ledger::{Phase, Run},
    pipeline::{self, Pipeline},
};

impl Job {
    /// Closes a run, or waits until another worker has; takes over if that one dies.
    pub(super) async fn close(
        &self,
        steps: &mut Steps,
        pipeline: &Pipeline,
        work: &Work,
        events: &Events,
    ) -> Result<()> {
        let is_finished = |run: &Run| run.phase == Phase::Finished;
        while steps.take(is_finished).await? {
            let closed = self.finish(steps, pipeline, work, events).await;
            if closed.is_err() && steps.are_lost() {
                events.note("another worker took over the end of this run, which was held for too long here");
                continue;
            }
            steps.give_back().await;
            return closed;
        }
        Ok(())
    }

    async fn finish(&self, steps: &mut Steps, pipeline: &Pipeline, work: &Work, events: &Events) -> Result<()> {
        if !pipeline.retry_waiting().await? {
            return Err(stopped("run it again to go on from there"));
        }
        self.targets_are_still_there(&mut steps.run, events).await?;
        let run = steps.run.clone();
        let same = async { self.source_is_same(&run).await.map_err(Error::while_working) };
        steps.step("compared the source", same).await?;
        steps.run.phase = Phase::Finishing;
        steps.run.counts = Some(pipeline::counts(&*self.ledger, &steps.run).await?);
        steps.save().await?;
        let targets = self.targets()?;
        let run = steps.run.clone();
        for target in &targets {
            steps.step(&format!("restored {}", target.alias), target.restore(&run)).await?;
            // A search after the run finds all of it.
            steps.step(&format!("refreshed {}", target.alias), target.index.refresh(target.concrete(&run)?)).await?;
        }
        if let Work::Rebuild { waive, .. } = *work {
            for target in &targets {
                target.waive(&run, waive)?;
                target.is_not_emptied(&run, waive).await?;
            }
        }
        self.verify_at_end(steps, pipeline, work, events).await?;
        match *work {
            Work::Rebuild { drop_old, .. } => self.swap(steps, drop_old, events).await?,
            Work::Full if !self.prunes.is_empty() => {
                steps.step("pruned", self.prune_or_say_why_not(&run, events)).await?;
            }
            Work::Loaded => steps.step("verified the list", self.verify_list(&run, events)).await?,
            _ => {}
        }
        steps.run.ended = Some(self.clock.now());
        steps.run.phase = Phase::Finished;
        steps.save().await
    }

    /// Lets each alias name its rebuilt index, all of which are verified.
    async fn swap(&self, steps: &mut Steps, drop_old: bool, events: &Events) -> Result<()> {
        let targets = self.targets()?;
        let mut run = steps.run.clone();
        for target in &targets {
            // Only a run that an earlier version began does not know yet what it replaces.
            if !run.identities.contains_key(&target.alias)
                && let Some(current) = target.index.current().await?
                && !run.targets.values().any(|name| *name == current.name)
            {
                run.replaced.insert(target.alias.clone(), current.name);
            }
        }
        steps.run.replaced.clone_from(&run.replaced);
        steps.save().await?;
        for target in &targets {
            steps.step(&format!("swapped {}", target.alias), target.swap(&run, events)).await?;
        }
        for target in &targets {
            match run.replaced.get(&target.alias) {
                Some(old) if drop_old => {
                    steps.step(&format!("dropped {}", target.alias), target.drop_old(old, events)).await?;
                }
                Some(old) => events.note(format!("{old} is kept; with `--drop-old` it would be gone")),
                None => {}
            }
        }
        Ok(())
    }
}
