//! The settings of an index during a load, and their restoration, however the run ends.
//!
//! What was set before stands in the run's record before anything changes. The last worker of a run restores it, and
//! so does the next process that finds a run without workers. To restore twice, or too early, costs only speed.

use super::{
    Job,
    begin::{ENOUGH, is_unfinished},
};
use crate::{
    error::{Kind, Result},
    event::{Event, Events},
    ledger::{Phase, Run},
    pipeline::{Leases, Stop},
};

/// The mark of a run that was given up and of which nothing is left to clear away.
const CLEARED: &str = "cleared";

impl Job {
    /// Sets the indexes that a run makes up for the load, also when it goes on. Never once it is being closed.
    pub(super) async fn set_up_for_load(&self, run: &Run) -> Result<()> {
        if run.phase == Phase::Running {
            for target in self.targets()? {
                target.tune(run).await?;
            }
        }
        Ok(())
    }

    /// Leaves a run: unless other workers continue it, its indexes get their settings back.
    ///
    /// This holds for a finished one, too: a worker that hung may have set an index up after another one closed the run.
    pub(super) async fn leave(&self, run: &Run, leases: &Leases, events: &Events) {
        if let Err(error) = self.restore_unless_worked_on(&run.id, leases).await {
            let text = format!(
                "the settings of the run's indexes may still be those of a load: {error}; the next `reindex run` or `reindex retry` of this recipe sets them back"
            );
            events.send(Event::Warning { text });
        }
    }

    async fn restore_unless_worked_on(&self, id: &str, leases: &Leases) -> Result<()> {
        // The record as it is now: another worker may have closed the run.
        let Some(run) = self.ledger.find(id).await?.filter(|run| !run.load_settings.is_empty()) else { return Ok(()) };
        if run.phase == Phase::Running && !leases.are_alone().await? {
            return Ok(());
        }
        self.restore(&run).await
    }

    async fn restore(&self, run: &Run) -> Result<()> {
        for target in self.targets()? {
            target.restore(run).await?;
        }
        Ok(())
    }

    /// Restores the settings that runs of this recipe without workers left behind, except the run that continues now.
    pub(super) async fn clear_up(&self, going_on: Option<&str>, events: &Events, stop: &Stop) -> Result<()> {
        for mut run in self.ledger.runs(&self.name, ENOUGH).await? {
            if run.phase == Phase::Abandoned && !run.marks.contains(CLEARED) {
                self.clear_away(&mut run, events).await?;
            } else if is_unfinished(&run) && going_on != Some(&run.id) && !run.load_settings.is_empty() {
                let leases = self.leases(&run, events, stop)?;
                if leases.living(&leases.lines()).await?.is_none() {
                    self.restore(&run).await?;
                }
            }
        }
        Ok(())
    }

    /// Undoes what a run that was given up had begun, and marks that it is done.
    pub(super) async fn clear_away(&self, run: &mut Run, events: &Events) -> Result<()> {
        self.restore(run).await?;
        for target in self.targets()? {
            match target.discard(run, events).await {
                // Another alias names it, so that it belongs to another user now.
                Err(error) if error.kind() == Kind::Usage => events.note(error.to_string()),
                discarded => discarded?,
            }
        }
        run.marks.insert(CLEARED.to_owned());
        // The other writer of the record did the same.
        self.ledger.save(run).await.map(drop)
    }
}
