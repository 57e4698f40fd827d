//! A job: everything one recipe's run needs, opened. An embedder may put one together by hand.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use jiff::Timestamp;

use crate::{
    capability::{
        Capability, Resources,
        grant::{Access, Grants},
        index::Stamp,
        storage::{Scan, SourceInfo},
    },
    clock::Clock,
    error::{Error, Result},
    event::Events,
    ledger::{Ledger, Run, list::List},
    pipeline::{self, Follow, Leases, Messages, Parts, Pipeline, Sample, Sinks, Stop, Verify},
    recipe::Prune,
    record::{Shape, canonical},
    sandbox::{Context, Limits, Mapper, Plugin},
};

use super::{
    Work,
    identity::{self, Identity, digest},
    servers::Servers,
    targets::Target,
};

/// Into how many segments a source is cut on a shared ledger, where the recipe says nothing: more than there are
/// workers, so that a late one finds some.
const SHARED_SEGMENTS: u32 = 64;
/// How many of the documents that were written are looked up at the end of a run.
const SAMPLE: usize = 200;
/// How many ids make a segment on a shared ledger, at least.
const IDS_IN_A_SEGMENT: usize = 100;

/// Everything one recipe's run needs, opened and compared: the plugin asks for nothing it was not granted.
pub struct Job {
    /// The recipe's name.
    pub name: String,
    /// The plugin.
    pub plugin: Plugin,
    /// What the recipe tells the plugin, as the text of a JSON object.
    pub settings: String,
    /// What the plugin may touch.
    pub grants: Grants,
    /// What one call may use.
    pub limits: Limits,
    /// The pace.
    pub pace: pipeline::Config,
    /// Where records come from.
    pub source: Arc<dyn Scan>,
    /// The queue that the source is, if it is one: then `source` finds messages again, and this takes them.
    pub messages: Option<Arc<Messages>>,
    /// How many segments a scan is cut into; 0 means as many as suit the source.
    pub segments: u32,
    /// How records become items.
    pub shape: Shape,
    /// Index definitions by alias, in place of those the plugin describes.
    pub definitions: BTreeMap<String, String>,
    /// The indexes from which documents go whose item is gone.
    pub prunes: BTreeMap<String, Prune>,
    /// What the environment says its servers are.
    pub servers: Servers,
    /// Where effects go, and what the plugin may read.
    pub resources: Resources,
    /// Where it is written down.
    pub ledger: Arc<dyn Ledger>,
    /// The list of ids that [`Work::Loaded`] works through.
    pub list: Option<Arc<dyn List>>,
    /// Where the lock of the recipe lies; none allows several runs at once, and a shared ledger needs none.
    pub state_directory: Option<PathBuf>,
    /// What else makes this run this run, such as which server each resource is on.
    pub identity: BTreeMap<String, String>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Job {
    /// Refuses a plugin that asks for what is not granted.
    ///
    /// *Errors*: [`crate::error::Kind::Denied`] with the line to add.
    pub fn compare_grants(plugin: &Plugin, grants: &Grants) -> Result<()> {
        match grants.missing(&plugin.description().asks).first() {
            None => Ok(()),
            Some(grant) => {
                let asks = format!("{grant} (from plugin `{}`)", plugin.name());
                Err(grants.denied(grant).with("asks", asks))
            }
        }
    }

    /// The indexes the plugin may write, with what each should be.
    pub(super) fn targets(&self) -> Result<Vec<Target>> {
        let stamp = Stamp { version: self.shape.version.clone().into() };
        let writable =
            self.grants.iter().filter(|grant| grant.capability == Capability::Index && grant.access == Access::Write);
        writable
            .map(|grant| {
                let index = self.resources.indexes.get(&grant.name);
                let index =
                    index.ok_or_else(|| Error::usage(format!("the environment has no index `{}`", grant.name)))?;
                let definition = self.definition(&grant.name)?;
                Ok(Target { alias: grant.name.clone(), index: index.clone(), definition, stamp: stamp.clone() })
            })
            .collect()
    }

    /// What an index should be: what the recipe says, else what the plugin describes, else nothing in particular.
    pub fn definition(&self, alias: &str) -> Result<String> {
        let described = || self.plugin.description().indexes.iter().find(|definition| definition.index == alias);
        let text = self.definitions.get(alias).or_else(|| described().map(|definition| &definition.body));
        canonical(text.map_or("{}", String::as_str)).map_err(|reason| {
            Error::usage(format!("the definition of index `{alias}` {reason}"))
                .hint("it has to be a JSON object with `settings` and `mappings`")
        })
    }

    /// Refuses a table that is elsewhere than the environment says, or whose key is another than the recipe's: its ids
    /// would find nothing there.
    pub(super) fn fits(&self, info: &SourceInfo) -> Result<()> {
        self.servers.own(info)?;
        let asked = self.shape.key.attributes();
        let Some(there) = info.key.as_deref().filter(|there| *there != asked) else { return Ok(()) };
        let line = match there {
            [one] => format!("key = {one:?}"),
            many => format!("key = {many:?}"),
        };
        Err(Error::usage("the key of the table is another than the recipe says")
            .with("there", there.join(" and "))
            .with("recipe", asked.join(" and "))
            .hint(format!("write under `[source.scan]`: {line}")))
    }

    /// How many segments a run has. Nothing on a shared ledger hangs on the machine, or its workers would differ.
    pub(super) fn segments(&self, work: &Work, info: &SourceInfo) -> u32 {
        let shared = self.ledger.is_shared();
        let wanted = match (work, self.segments) {
            (Work::Ids(ids), _) if shared => {
                u32::try_from(ids.len().div_ceil(IDS_IN_A_SEGMENT)).unwrap_or(u32::MAX).clamp(1, SHARED_SEGMENTS)
            }
            (Work::Loaded, _) if shared => SHARED_SEGMENTS,
            (Work::Ids(_) | Work::Loaded | Work::Limit(_), _) => return 1,
            (_, 0) if shared => info.segments.unwrap_or(SHARED_SEGMENTS),
            (_, 0) => info.segments.unwrap_or_else(cores),
            (_, segments) => segments,
        };
        match work {
            // However many lines a worker takes, the next one finds some.
            _ if shared && self.messages.is_some() => wanted.max(SHARED_SEGMENTS),
            Work::Ids(_) | Work::Loaded => wanted,
            _ => wanted.min(info.max_segments.unwrap_or(u32::MAX)),
        }
    }

    /// What makes a run of this job this run and no other.
    pub(super) fn identity(&self, info: &SourceInfo, segments: u32) -> Result<Identity> {
        let mut identity = self.identity.clone();
        identity.insert("plugin".into(), self.plugin.digest().into());
        identity.insert("plugin settings".into(), digest(&self.settings));
        identity.insert("source".into(), self.source_identity(info));
        identity.insert("segments".into(), segments.to_string());
        identity.insert("grants".into(), digest(&self.grants.identity()));
        for target in self.targets()? {
            identity.insert(format!("definition of index {}", target.alias), digest(&target.definition));
        }
        Ok(identity)
    }

    /// The plugin, ready to be called by itself; its clock stands still from now on.
    pub fn mapper(&self, events: &Events) -> Mapper {
        self.mapper_at(self.clock.now(), 0, events)
    }

    fn mapper_at(&self, now: Timestamp, seed: u64, events: &Events) -> Mapper {
        self.plugin.start(Context {
            limits: self.limits.clone(),
            grants: self.grants.clone(),
            resources: self.resources.clone(),
            settings: self.settings.clone(),
            now,
            seed,
            events: events.clone(),
            instances: self.pace.worker_count(),
        })
    }

    /// This process as one of the workers of a run.
    pub(super) fn leases(&self, run: &Run, events: &Events, stop: &Stop) -> Result<Arc<Leases>> {
        Ok(Leases::new(self.ledger.clone(), run, identity::owner()?, self.pace.lease, events, stop))
    }

    /// The pipeline of a run, where the ledger says it is.
    pub(super) async fn pipeline(
        &self,
        run: &Run,
        scan: Arc<dyn Scan>,
        leases: Arc<Leases>,
        follow: Option<Follow>,
        (events, stop): (&Events, &Stop),
    ) -> Result<Pipeline> {
        let mut config = self.pace.clone();
        if follow.is_some() {
            // None of its lines ends, so none may be left to a worker who never comes.
            config.segments_at_once = run.segments;
        }
        let follows = self.follows_aliases(run);
        let mut destinations = BTreeMap::new();
        for target in self.targets()? {
            let destination = target.destination(target.binding(run, follows));
            destinations.insert(target.alias, Arc::new(destination));
        }
        let sinks = Sinks {
            resources: self.resources.clone(),
            destinations,
            run: run.id.clone(),
            attempts: self.pace.attempts,
            events: events.clone(),
            clock: self.clock.clone(),
            sample: Arc::new(Sample::new(if self.pace.verify == Verify::Sample { SAMPLE } else { 0 })),
        };
        Pipeline::resume(Parts {
            run: run.clone(),
            leases,
            scan,
            messages: self.messages.clone(),
            follow,
            shape: self.shape.clone(),
            mapper: self.mapper_at(run.started, seed(&run.id), events),
            sinks,
            ledger: self.ledger.clone(),
            config,
            clock: self.clock.clone(),
            events: events.clone(),
            stop: stop.clone(),
        })
        .await
    }
}

pub(super) fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1))
}

/// A run's seed: the same whenever the run is resumed.
fn seed(run: &str) -> u64 {
    let hash = blake3::hash(run.as_bytes());
    hash.as_bytes()[..8].iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}
