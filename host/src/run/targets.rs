//! The concrete indexes of a run: which one the alias means, making a new one, and swapping it in.

use std::{sync::Arc, time::Duration};

use crate::{
    capability::index::{Concrete, Index, Place, Route, Stamp},
    error::{Error, Kind, Result},
    event::Events,
    ledger::{Run, Scope},
    pipeline::{Binding, Destination, jittered},
};

use super::{identity, lacking::lacking};

/// About how long a run that created an index at the same moment as another waits before it looks again.
const PAUSE: Duration = Duration::from_millis(200);

/// How many fields a person is shown that an index has and the definition lacks.
const FIELDS_SHOWN: usize = 50;

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
            current => {
                run.replaced.extend(current.map(|current| (self.alias.clone(), current.name)));
                run.made.insert(self.alias.clone());
                identity::index(&self.alias, run.started)?
            }
        };
        run.targets.insert(self.alias.clone(), name);
        Ok(())
    }

    /// Refuses an index whose versions mean something else, or whose definition is another.
    pub fn fits(&self, current: &Concrete) -> Result<()> {
        self.destination(Binding::Followed).fits(current).map_err(|error| match self.lacks(current) {
            Some(fields) => error.with("the new one would lack", fields),
            None => error,
        })
    }

    /// The index as a run writes to it.
    pub fn destination(&self, binding: Binding) -> Destination {
        Destination::new(&self.alias, self.index.clone(), &self.definition, &self.stamp, binding)
    }

    /// Which concrete indexes a run writes to; `follows` tells whether it settles each item in the index that the
    /// alias names by then.
    pub fn binding(&self, run: &Run, follows: bool) -> Binding {
        let Some(name) = run.targets.get(&self.alias).filter(|_| !follows) else { return Binding::Followed };
        let identity = run.identities.get(&self.alias).cloned().unwrap_or_default();
        let place = Place { name: name.clone(), identity };
        if run.scope == Scope::Rebuild { Binding::Filled(place) } else { Binding::Fixed(place) }
    }

    /// The fields that an index has and the definition lacks, as a list; none if there is none.
    pub fn lacks(&self, current: &Concrete) -> Option<String> {
        let fields = lacking(&current.definition, &self.definition);
        let more = fields.len().saturating_sub(FIELDS_SHOWN);
        let more = (more > 0).then(|| format!("{more} more"));
        let shown: Vec<_> = fields.into_iter().take(FIELDS_SHOWN).chain(more).collect();
        (!shown.is_empty()).then(|| shown.join(", "))
    }

    /// Warns before a rebuild of fields that the old index has and the new one will lack.
    pub async fn warn_of_lost_fields(&self, run: &Run, events: &Events) -> Result<()> {
        if run.scope == Scope::Rebuild
            && let Some(current) = self.index.current().await?
            && let Some(fields) = self.lacks(&current)
        {
            events.warn(format!("the new index will lack fields of {}: {fields}", current.name));
        }
        Ok(())
    }

    /// Takes the index that another process created since the run chose a name; nothing is in the chosen one yet.
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
        run.identities.insert(self.alias.clone(), self.index.describe(&name).await?.identity);
        if !run.made.contains(&self.alias) {
            if let Some(list) = self.index.lists() {
                run.watermarks.extend(list.watermark(&name).await?.map(|mark| (self.alias.clone(), mark)));
            }
        } else if let Some(tune) = self.index.tunes()
            && !run.load_settings.contains_key(&self.alias)
        {
            run.load_settings.insert(self.alias.clone(), tune.load_settings(&name).await?);
        }
        Ok(())
    }

    /// Sets an index up for the load, if the run made it: no other index's settings are touched.
    pub async fn tune(&self, run: &Run) -> Result<()> {
        match self.index.tunes().filter(|_| run.load_settings.contains_key(&self.alias)) {
            Some(tune) => tune.tune(self.concrete(run)?).await,
            None => Ok(()),
        }
    }

    /// Gives the index the settings back that it had before the load. One that is gone needs none.
    pub async fn restore(&self, run: &Run) -> Result<()> {
        let Some((before, tune)) = run.load_settings.get(&self.alias).zip(self.index.tunes()) else { return Ok(()) };
        match tune.restore(self.concrete(run)?, before).await {
            Err(error) if error.kind() == Kind::NotFound => Ok(()),
            restored => restored,
        }
    }

    /// Makes the run's index where it is still missing, and lets the alias name it unless a rebuild does so later. Of
    /// two runs that make one for the same alias at one moment, one uses the other's.
    pub async fn make(&self, run: &mut Run, events: &Events) -> Result<()> {
        loop {
            let name = self.concrete(run)?.to_owned();
            if self.index.current().await?.is_some_and(|current| current.name == name) {
                return Ok(());
            }
            self.index.create(&name, &self.definition, &self.stamp).await?;
            events.note(format!("made index {name}"));
            if run.scope == Scope::Rebuild {
                // From now on, other writers of the alias write to it as well; nothing was read yet.
                return self.index.announce(&name).await;
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

    /// Refuses to go on with an index that was exchanged, removed or made anew in the meantime.
    pub async fn still_there(&self, run: &Run) -> Result<()> {
        let (name, destination) = (self.concrete(run)?, self.destination(Binding::Followed));
        let Route { current, filling } = self.index.route().await?;
        let others = if run.scope == Scope::Rebuild { filling } else { Vec::new() };
        let found = current.into_iter().chain(others).find(|place| place.name == name);
        let found = found.ok_or_else(|| destination.gone(name))?;
        run.identities.get(&self.alias).map_or(Ok(()), |before| destination.same(name, before, &found.identity))
    }

    /// Takes the index that the alias names now for the one that the run writes to. One that the run made and that
    /// another took the place of gets its settings back.
    pub async fn follow(&self, run: &mut Run, events: &Events) -> Result<()> {
        let destination = self.destination(Binding::Followed);
        let current = self.index.current().await?.ok_or_else(|| destination.nameless())?;
        destination.fits(&current)?;
        let (before, known) = (self.concrete(run)?.to_owned(), run.identities.get(&self.alias));
        let known = known.is_none_or(|identity| destination.same(&current.name, identity, &current.identity).is_ok());
        if current.name != before {
            self.restore(run).await?;
            run.load_settings.remove(&self.alias);
            run.made.remove(&self.alias);
            run.watermarks.remove(&self.alias);
            events.note(format!(
                "`{}` names {} now, and no longer {before}: this run follows it",
                self.alias, current.name
            ));
        } else if !known {
            let name = &current.name;
            events
                .warn(format!("{name} was made or restored anew: what was written to the earlier one may be missing"));
        }
        run.targets.insert(self.alias.clone(), current.name);
        run.identities.insert(self.alias.clone(), current.identity);
        Ok(())
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
        Err(Error::new(Kind::Stopped, message).hint("`reindex status RECIPE` says why; mend them and `reindex retry RECIPE`, or accept the loss with `--waive N`; then `reindex run RECIPE --rebuild` again swaps"))
    }

    /// Refuses an empty index in the place of one with documents: a source that was emptied is a reason to look.
    pub async fn is_not_emptied(&self, run: &Run, waived: u64) -> Result<()> {
        let Some(old) = run.replaced.get(&self.alias) else { return Ok(()) };
        let name = self.concrete(run)?;
        if self.index.count(name).await? > 0 {
            return Ok(());
        }
        let lost = match self.index.count(old).await {
            Err(error) if error.kind() == Kind::NotFound => 0,
            counted => counted?,
        };
        if lost <= waived {
            return Ok(());
        }
        let (read, alias) = (run.counts.unwrap_or_default().read, &self.alias);
        let message = format!(
            "{name} is empty after {read} records, and {old} holds {lost} documents, so `{alias}` still names the old index"
        );
        Err(Error::new(Kind::Stopped, message).hint(format!(
            "see whether the source is whole; if it is to be empty, accept the loss with `--waive {lost}`; then `reindex run RECIPE --rebuild --fresh` reads it again"
        )))
    }

    /// Lets the alias name the rebuilt index, and reads it back, since the reply may be lost.
    pub async fn swap(&self, run: &Run, events: &Events) -> Result<()> {
        let name = self.concrete(run)?;
        let from = run.replaced.get(&self.alias).map(String::as_str);
        let swapped = self.index.swap(from, name).await;
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
        let unset = || {
            Error::usage(format!("run {} filled no index for `{}`", run.id, self.alias))
                .hint("the recipe named other indexes when that run began; `reindex run RECIPE --fresh` begins another")
        };
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
