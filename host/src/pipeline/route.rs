//! Where the documents of a run go: the concrete indexes behind an alias, read again for each batch.
//!
//! A batch is written to every index on the route, and then the route is read once more. An item is settled only when
//! each index that is then on the route has its documents, so that a rebuild which swaps the alias in between loses no
//! update. An index that a rebuild fills is on the route before the rebuild reads its first record: the rebuild reads
//! what was acknowledged before that, and later writes go to the index as well.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    capability::index::{Concrete, Index, Place, Route, Stamp},
    error::{Error, Kind, Result},
    event::Events,
};

/// How often a route is read that changes while its indexes are compared with the recipe.
const LOOKS: u32 = 10;

/// Which concrete indexes a run writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// The one that a rebuild fills, and no other.
    Filled(Place),
    /// The one that the alias named when the run began, as long as the alias names it, and those that are being filled.
    Fixed(Place),
    /// The one that the alias names at the time, and those that are being filled.
    Followed,
}

/// An index as a run writes to it.
pub struct Destination {
    /// The recipe's name of the index: the alias.
    pub alias: String,
    /// The index.
    pub index: Arc<dyn Index>,
    /// Its wanted definition, as canonical JSON text.
    pub definition: String,
    /// Where its versions come from.
    pub stamp: Stamp,
    binding: Binding,
    /// How many reads have begun.
    begun: AtomicU64,
    /// The latest read: its number and its result. Reads take turns.
    latest: tokio::sync::Mutex<(u64, Arc<[Place]>)>,
    /// The identities of the indexes that were already compared with the recipe, by name.
    known: Mutex<BTreeMap<String, String>>,
}

impl Destination {
    /// Reads nothing yet.
    pub fn new(alias: &str, index: Arc<dyn Index>, definition: &str, stamp: &Stamp, binding: Binding) -> Self {
        let known = match &binding {
            Binding::Filled(place) | Binding::Fixed(place) => [(place.name.clone(), place.identity.clone())].into(),
            Binding::Followed => BTreeMap::new(),
        };
        Self {
            alias: alias.to_owned(),
            index,
            definition: definition.to_owned(),
            stamp: stamp.clone(),
            binding,
            begun: AtomicU64::new(0),
            latest: tokio::sync::Mutex::new((0, Arc::default())),
            known: Mutex::new(known),
        }
    }

    /// The indexes to write to, as of the latest read. The first one decides the answer.
    pub(super) async fn places(&self, events: &Events) -> Result<Arc<[Place]>> {
        let mut latest = self.latest.lock().await;
        if latest.0 == 0 {
            self.look(&mut latest, events).await?;
        }
        Ok(latest.1.clone())
    }

    /// The same, of a read that began after this call; calls of several batches share one read.
    pub(super) async fn places_now(&self, events: &Events) -> Result<Arc<[Place]>> {
        let before = self.begun.load(Ordering::SeqCst);
        let mut latest = self.latest.lock().await;
        if latest.0 <= before {
            self.look(&mut latest, events).await?;
        }
        Ok(latest.1.clone())
    }

    async fn look(&self, latest: &mut (u64, Arc<[Place]>), events: &Events) -> Result<()> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        for _ in 0..LOOKS {
            let places = self.select(self.index.route().await?)?;
            if self.compare(&places, events).await? {
                *latest = (number, places.into());
                return Ok(());
            }
        }
        Err(Error::new(Kind::Unavailable, format!("the indexes behind `{}` keep changing", self.alias))
            .hint("run again once no other command makes and removes indexes for it"))
    }

    /// Selects the indexes of a route that this run writes to.
    fn select(&self, route: Route) -> Result<Vec<Place>> {
        let Route { current, filling } = route;
        match &self.binding {
            Binding::Filled(own) => {
                let found = current.into_iter().chain(filling).find(|place| place.name == own.name);
                found.map(|place| vec![place]).ok_or_else(|| self.gone(&own.name))
            }
            Binding::Fixed(own) if current.as_ref().is_none_or(|place| place.name != own.name) => {
                Err(self.gone(&own.name))
            }
            Binding::Followed if current.is_none() => Err(self.nameless()),
            _ => Ok(current.into_iter().chain(filling).collect()),
        }
    }

    /// Compares new indexes of a route with the recipe. False if one of them was removed meanwhile.
    async fn compare(&self, places: &[Place], events: &Events) -> Result<bool> {
        for (at, place) in places.iter().enumerate() {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&place.name).cloned();
            if let Some(identity) = known {
                self.same(&place.name, &identity, &place.identity)?;
                continue;
            }
            let found = match self.index.describe(&place.name).await {
                Ok(found) if found.identity == place.identity => found,
                Ok(_) => return Ok(false),
                Err(error) if error.kind() == Kind::NotFound => return Ok(false),
                Err(error) => return Err(error),
            };
            if at == 0 {
                self.fits(&found)?;
            } else {
                self.fits_beside(&found, events)?;
            }
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(place.name.clone(), place.identity.clone());
        }
        Ok(true)
    }

    /// Refuses an index that was created or restored under the name of another.
    pub fn same(&self, name: &str, before: &str, now: &str) -> Result<()> {
        if before.is_empty() || now.is_empty() || before == now {
            return Ok(());
        }
        Err(Error::usage(format!("index {name} was removed and made or restored again under the same name"))
            .with("before", before)
            .with("now", now)
            .hint("what this run wrote to the earlier one may be missing; `reindex run RECIPE --fresh` gives the run up and starts a new one"))
    }

    /// Refuses an index whose versions come from another attribute, or whose definition differs.
    pub fn fits(&self, current: &Concrete) -> Result<()> {
        let refuse = |message: String| {
            Err(Error::usage(message)
                .with("index", current.name.clone())
                .hint("add `--rebuild`: a new index is filled and takes the alias; the old one stays as it is"))
        };
        if let Some(message) = self.other_versions(current) {
            return refuse(message);
        }
        match self.index.contradictions(current, &self.definition).as_slice() {
            [] => Ok(()),
            said => refuse(format!("index `{}` is not what the recipe defines: {}", self.alias, said.join("; "))),
        }
    }

    /// Refuses an index that a rebuild fills if its versions come from another attribute; warns if its definition
    /// differs.
    fn fits_beside(&self, filling: &Concrete, events: &Events) -> Result<()> {
        let (alias, name) = (&self.alias, &filling.name);
        if let Some(message) = self.other_versions(filling) {
            return Err(Error::usage(format!("a rebuild fills {name} for `{alias}`, and {message}"))
                .with("index", name.clone())
                .hint("stop this recipe until the rebuild is done, or give both recipes one `version`"));
        }
        let said = self.index.contradictions(filling, &self.definition);
        let but = match said.as_slice() {
            [] => String::new(),
            said => format!(", in the form of this recipe, though it is defined otherwise: {}", said.join("; ")),
        };
        let text = format!("a rebuild fills {name} for `{alias}`: what is written meanwhile goes there as well{but}");
        if but.is_empty() {
            events.note(text);
        } else {
            events.warn(text);
        }
        Ok(())
    }

    fn other_versions(&self, found: &Concrete) -> Option<String> {
        let (alias, own) = (&self.alias, &self.stamp.version);
        match &found.stamp {
            None if own != "none" => {
                Some(format!("the versions in index `{alias}` are not known to come from `{own}`"))
            }
            Some(stamp) if *stamp != self.stamp => {
                Some(format!("the versions in index `{alias}` come from `{}`, not from `{own}`", stamp.version))
            }
            _ => None,
        }
    }

    /// The error of an index that this run cannot write to any more.
    pub fn gone(&self, name: &str) -> Error {
        Error::usage(format!("index {name}, which this run was filling, is no longer behind `{}`", self.alias)).hint(
            "it was rebuilt or removed meanwhile; `reindex run RECIPE --fresh` gives this run up and starts a new one",
        )
    }

    /// The error of an alias that names no index any more.
    pub fn nameless(&self) -> Error {
        Error::usage(format!("`{}` names no index any more", self.alias)).hint(
            "point the alias at its index again and run again; or make a new index: `reindex run RECIPE --fresh`, then run the recipe that fills it",
        )
    }
}

impl std::fmt::Debug for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Destination")
            .field("alias", &self.alias)
            .field("binding", &self.binding)
            .finish_non_exhaustive()
    }
}
