//! The concrete indexes of a run: which one the alias means, making a new one, and swapping it in.

use std::{sync::Arc, time::Duration};

use crate::{
    capability::index::{Concrete, Index, Stamp},
    error::{Error, Kind, Result},
    event::Events,
    ledger::{Run, Scope},
    pipeline::jittered,
};

use super::identity;

/// How long whoever made an index at the same moment as another waits before it looks again, about.
const PAUSE: Duration = Duration::from_millis(200);

/// The index a recipe's plugin fills.
#[derive(Clone)]
pub(super) struct Target {
    /// The recipe's name: the alias.
    pub alias: String,
    /// The index.
    pub index: Arc<dyn Index>,
    /// What it should be, as canonical JSON text.
    pub definition: String,
    /// What versions mean in it.
    pub stamp: Stamp,
}

impl Target {
    /// The concrete index a new run writes to: the one the alias names, if it fits, else a name for a new one.
    async fn choose(&self, run: &mut Run) -> Result<()> {
        let name = match self.index.current().await? {
            Some(current) if run.scope != Scope::Rebuild => {
                self.fits(&current)?;
                current.name
            }
            _ => {
                run.made.insert(self.alias.clone());
                identity::index(&self.alias, run.started)?
            }
        };
        run.targets.insert(self.alias.clone(), name);
        Ok(())
    }

    /// Refuses an index whose versions mean something else, or whose definition is another.
    pub fn fits(&self, current: &Concrete) -> Result<()> {
        let refuse = |message: String| {
            Err(Error::usage(message)
                .with("index", current.name.clone())
                .hint("add `--rebuild`: a new index is filled and takes the alias; the old one stays as it is"))
        };
        match &current.stamp {
            None if self.stamp.version != "none" => {
                return refuse(format!(
                    "the versions in index `{}` are not known to come from `{}`",
                    self.alias, self.stamp.version
                ));
            }
            Some(stamp) if *stamp != self.stamp => {
                return refuse(format!(
                    "the versions in index `{}` come from `{}`, not from `{}`",
                    self.alias, stamp.version, self.stamp.version
                ));
            }
            _ => {}
        }
        match self.index.contradictions(current, &self.definition).as_slice() {
            [] => Ok(()),
            said => refuse(format!("index `{}` is not what the recipe defines: {}", self.alias, said.join("; "))),
        }
    }

    /// Takes the index that somebody else made since the run chose a name; nothing is written to the chosen one yet.
    pub async fn reconsider(&self, run: &mut Run) -> Result<()> {
        if run.scope != Scope::Rebuild
            && let Some(current) = self.index.current().await?
        {
            self.fits(&current)?;
            if run.targets.insert(self.alias.clone(), current.name.clone()) != Some(current.name) {
                run.made.remove(&self.alias);
            }
        }
        Ok(())
    }

    /// Learns what the run has to know of its index before the first write: the settings that are to come back after
    /// the load if the run makes it, else which documents were there before.
    pub async fn look_before_load(&self, run: &mut Run) -> Result<()> {
        let name = self.concrete(run)?.to_owned();
        if !run.made.contains(&self.alias) {
            run.watermarks.extend(self.index.watermark(&name).await?.map(|mark| (self.alias.clone(), mark)));
        } else if !run.load_settings.contains_key(&self.alias) {
            run.load_settings.extend(self.index.load_settings(&name).await?.map(|before| (self.alias.clone(), before)));
        }
        Ok(())
    }

    /// Sets an index up for the load, if the run made it: nobody else's settings are touched.
    pub async fn tune(&self, run: &Run) -> Result<()> {
        if run.load_settings.contains_key(&self.alias) { self.index.tune(self.concrete(run)?).await } else { Ok(()) }
    }

    /// Gives the index the settings back that it had before the load. One that is gone needs none.
    pub async fn restore(&self, run: &Run) -> Result<()> {
        let Some(before) = run.load_settings.get(&self.alias) else { return Ok(()) };
        match self.index.restore(self.concrete(run)?, before).await {
            Err(error) if error.kind() == Kind::NotFound => Ok(()),
            restored => restored,
        }
    }

    /// Makes the run's index where it is still missing, and lets the alias name it unless a rebuild does so later. Of
    /// two runs that make one for the same alias at one moment, one goes on with the other's.
    pub async fn make(&self, run: &mut Run, events: &Events) -> Result<()> {
        loop {
            let name = self.concrete(run)?.to_owned();
            if self.index.current().await?.is_some_and(|current| current.name == name) {
                return Ok(());
            }
            self.index.create(&name, &self.definition, &self.stamp).await?;
            events.note(format!("made index {name}"));
            if run.scope == Scope::Rebuild {
                return Ok(());
            }
            if self.index.claim(&name).await? {
                events.note(format!("`{}` now names {name}", self.alias));
                return Ok(());
            }
            self.index.remove(&name).await?;
            events.note(format!("another run made an index for `{}` at the same moment; removed {name}", self.alias));
            tokio::time::sleep(jittered(PAUSE)).await;
            self.reconsider(run).await?;
        }
    }

    /// Refuses to go on with an index that somebody exchanged or removed in the meantime.
    pub async fn still_there(&self, run: &Run) -> Result<()> {
        let name = self.concrete(run)?;
        let there = match run.scope {
            Scope::Rebuild => self.index.count(name).await.is_ok(),
            _ => self.index.current().await?.is_some_and(|current| current.name == name),
        };
        if there {
            return Ok(());
        }
        Err(Error::usage(format!("index {name}, which this run was filling, is no longer behind `{}`", self.alias))
            .hint(
                "somebody rebuilt or removed it; `reindex run RECIPE --fresh` gives this run up and starts a new one",
            ))
    }

    /// Refuses a rebuilt index of which more records failed than are waived.
    pub fn waive(&self, run: &Run, waived: u64) -> Result<()> {
        let (name, counts) = (self.concrete(run)?, run.counts.unwrap_or_default());
        let open = counts.failed + counts.waiting;
        if open <= waived {
            return Ok(());
        }
        let (read, alias) = (counts.read, &self.alias);
        let message = format!("{open} of {read} records are not in {name}, so `{alias}` still names the old index");
        Err(Error::new(Kind::Stopped, message).hint("`reindex status` says why; mend them and `reindex retry`, or accept the loss with `--waive N`; then `run --rebuild` again swaps"))
    }

    /// Lets the alias name the rebuilt index, and reads it back, since the reply may be lost.
    pub async fn swap(&self, run: &Run, events: &Events) -> Result<()> {
        let name = self.concrete(run)?;
        let swapped = self.index.swap(name).await;
        let now = self.index.current().await?.map(|current| current.name);
        if now.as_deref() != Some(name) {
            swapped?;
            return Err(Error::new(Kind::Unavailable, format!("`{}` does not name {name} after the swap", self.alias))
                .hint("somebody else moves this alias; run again to try again"));
        }
        events.note(format!("`{}` now names {name}", self.alias));
        Ok(())
    }

    /// Removes the index that a rebuild replaced.
    pub async fn drop_old(&self, old: &str, events: &Events) -> Result<()> {
        self.index.remove(old).await?;
        events.note(format!("removed index {old}"));
        Ok(())
    }

    /// Removes the index of a rebuild that was given up, unless the alias names it already.
    pub async fn discard(&self, run: &Run, events: &Events) -> Result<()> {
        let current = self.index.current().await?.map(|current| current.name);
        match run.targets.get(&self.alias) {
            Some(name) if run.scope == Scope::Rebuild && current.as_ref() != Some(name) => {
                self.index.remove(name).await?;
                events.note(format!("removed index {name}, which it had begun to fill"));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The concrete index that stands for it during a run.
    pub fn concrete<'a>(&self, run: &'a Run) -> Result<&'a str> {
        let unset = || Error::bug(format!("run {} has no index for `{}`", run.id, self.alias));
        run.targets.get(&self.alias).map(String::as_str).ok_or_else(unset)
    }
}

/// Chooses the concrete index of every target.
pub(super) async fn choose(targets: &[Target], run: &mut Run) -> Result<()> {
    for target in targets {
        target.choose(run).await?;
    }
    Ok(())
}
