//! The opening and closing steps of a run: only one worker at a time does them, each is marked in the run's record
//! once it is done, and a worker that takes over does those that are not marked.

use std::sync::Arc;

use crate::{
    error::{Error, Kind, Result, Retry},
    event::{Event, Events},
    ledger::{Ledger, Phase, Run},
    pipeline::{Held, Leases},
};

use super::stopped;

/// The record of a run, and the right to do its steps while it is held.
pub(super) struct Steps {
    /// The run, as this worker read it last.
    pub run: Run,
    ledger: Arc<dyn Ledger>,
    leases: Arc<Leases>,
    events: Events,
    held: Option<Held>,
}

impl Steps {
    /// Begins without the right to do anything.
    pub fn new(run: Run, ledger: Arc<dyn Ledger>, leases: Arc<Leases>, events: &Events) -> Self {
        Self { run, ledger, leases, events: events.clone(), held: None }
    }

    /// Waits for the right to do the steps. False, without it, once another worker has done all that `over` asks for.
    pub async fn take(&mut self, over: impl Fn(&Run) -> bool) -> Result<bool> {
        let mut looks = 0;
        while !self.is_held() {
            self.reload().await?;
            if over(&self.run) {
                return Ok(false);
            }
            self.held = self.leases.attempt(self.run.steps()).await?.map(|(held, _)| held);
            if self.held.is_none() {
                self.events.send(Event::Waiting { reason: "another worker does the next step".into() });
                self.leases.rest(looks).await?;
                looks += 1;
            }
        }
        // Another worker may have done them between the look at the record and the lease.
        self.reload().await?;
        if over(&self.run) {
            self.give_back().await;
            return Ok(false);
        }
        Ok(true)
    }

    /// Takes the right for as long as the run lasts, and refuses to be one worker of several.
    pub async fn take_alone(&mut self) -> Result<()> {
        while !self.is_held() {
            if let Some(owner) = self.leases.living(&self.leases.lines()).await? {
                return Err(Error::usage(format!("worker {owner} is at work on run {}, and its records carry no versions, so that one worker at a time is all it can have", self.run.id))
                    .retry(Retry::Later)
                    .hint("name the attribute that holds the version with `version` in the recipe's source, or wait for that worker"));
            }
            self.held = self.leases.attempt(self.run.steps()).await?.map(|(held, _)| held);
        }
        Ok(())
    }

    /// Lets others do the steps.
    pub async fn give_back(&mut self) {
        if let Some(held) = self.held.take() {
            self.leases.give_back(&held).await;
        }
    }

    /// Does a step, unless it is marked as done; marks it. Doing it again has to change nothing.
    pub async fn step(&mut self, name: &str, work: impl Future<Output = Result<()>>) -> Result<()> {
        if self.run.marks.contains(name) {
            return Ok(());
        }
        self.check()?;
        work.await?;
        self.run.marks.insert(name.to_owned());
        self.save().await
    }

    /// Writes the run's record.
    ///
    /// *Errors*: another worker wrote it, so that the right is lost.
    pub async fn save(&mut self) -> Result<()> {
        self.check()?;
        if self.ledger.save(&mut self.run).await? {
            return Ok(());
        }
        self.held.iter().for_each(Held::lose);
        self.check()
    }

    /// Whether an error came of losing the right, so that the steps are to be waited for again.
    pub fn are_lost(&self) -> bool {
        self.leases.are_shared() && self.held.as_ref().is_some_and(Held::is_lost)
    }

    async fn reload(&mut self) -> Result<()> {
        if let Some(run) = self.ledger.find(&self.run.id).await? {
            self.run = run;
        }
        if self.run.phase == Phase::Abandoned {
            return Err(stopped("the run was given up for a fresh one; run it again to work on that one"));
        }
        Ok(())
    }

    fn is_held(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.is_lost())
    }

    fn check(&self) -> Result<()> {
        if self.is_held() {
            return Ok(());
        }
        Err(Error::new(Kind::Stopped, "another worker took over the steps of this run").hint("let it finish"))
    }
}
