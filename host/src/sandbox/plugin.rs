//! From bytes to a plugin: what may be loaded, and the plugin's description.

use std::sync::Arc;

use bytesize::ByteSize;
use wasmtime::component::{Component, ComponentExportIndex, Linker};

use super::{
    CodeCache, Context, Engine, Limits, Mapper,
    context::Services,
    engine::chain,
    fault::Fault,
    guest::{self, Guest, PluginPre, mapping},
    instance::{self, Flaw, Instance},
};
use crate::{
    capability::{
        Capability, Resources,
        grant::{Access, Grant, Grants},
    },
    error::{Error, Kind, Result},
    event::Events,
};

/// The WIT package that a plugin implements, without its version.
const PACKAGE: &str = "reindex:plugin/";
/// The version of that package that this host supports.
const API_VERSION: &str = "0.1.0";

/// A compiled plugin. Cheap to clone.
#[derive(Clone)]
pub struct Plugin(Arc<Inner>);

struct Inner {
    name: String,
    digest: String,
    size: u64,
    description: Description,
    pre: PluginPre<Guest>,
    /// Its check of settings, if it has one.
    check: Option<ComponentExportIndex>,
    /// Kept so that its clock continues to tick.
    _engine: Engine,
}

/// A plugin's description of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// What it maps, such as `persons`.
    pub entity: String,
    /// The version of the WIT package it was built for.
    pub api_version: String,
    /// The grants it requires, all of them.
    pub asks: Vec<Grant>,
    /// The optional grants: the plugin works without them.
    pub wishes: Vec<Grant>,
    /// The indexes it fills.
    pub indexes: Vec<IndexDefinition>,
}

/// The settings and mapping of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexDefinition {
    /// The recipe's name of the index.
    pub index: String,
    /// The text of one JSON object.
    pub body: String,
}

impl Plugin {
    /// Compiles a plugin, or takes its code from the cache, and asks it once for its description. A cache that cannot
    /// be read or written only costs time.
    ///
    /// *Errors*: those of [`load`](Self::load).
    pub async fn load_cached(cache: &CodeCache, name: &str, bytes: &[u8]) -> Result<Self> {
        let Ok(entry) = cache.entry(&blake3::hash(bytes)) else {
            return Self::load(&Engine::new()?, name, bytes).await;
        };
        let plugin = Self::load(&Engine::caching(entry.code())?, name, bytes).await?;
        // An entry that could not be kept is compiled again next time.
        let _ = entry.keep(cache);
        Ok(plugin)
    }

    /// Compiles a plugin and asks it once for its description.
    ///
    /// *Errors*: [`Kind::Usage`] for bytes that are not a plugin of this API version; [`Kind::Plugin`] if it cannot
    /// describe itself.
    pub async fn load(engine: &Engine, name: &str, bytes: &[u8]) -> Result<Self> {
        let about = |error: Error| error.with("plugin", name);
        is_component(bytes).map_err(about)?;
        let digest = blake3::hash(bytes).to_hex().to_string();
        let component = compile(engine, bytes).await.map_err(about)?;
        check_imports(engine, &component).map_err(about)?;
        let pre = link(engine, &component).map_err(about)?;
        let description = describe(&pre, name).await.map_err(about)?;
        let check = check_of(&component);
        Ok(Self(Arc::new(Inner {
            name: name.to_owned(),
            digest,
            size: bytes.len() as u64,
            description,
            pre,
            check,
            _engine: engine.clone(),
        })))
    }

    /// The recipe's name of it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The BLAKE3 digest of its bytes, in hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.0.digest
    }

    /// The size of the component in bytes.
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// The plugin's description.
    pub fn description(&self) -> &Description {
        &self.0.description
    }

    /// The names of the interfaces it imports. Imports grant nothing.
    pub fn imports(&self) -> Vec<String> {
        let component = self.0.pre.instance_pre().component().component_type();
        component.imports(self.0._engine.wasmtime()).map(|(name, _)| name.to_owned()).collect()
    }

    /// Returns what is wrong with settings, the text of one JSON object; empty if the plugin does not check settings.
    ///
    /// *Errors*: [`Kind::Plugin`] if the check fails.
    pub async fn check(&self, settings: &str) -> Result<Vec<Flaw>> {
        let Some(check) = &self.0.check else { return Ok(Vec::new()) };
        let services = Arc::new(Services::new(Context { settings: settings.to_owned(), ..bare_room() }));
        instance::check(&self.0.pre, &self.0.name, &services, check).await.map_err(|fault| {
            Error::new(Kind::Plugin, "the plugin cannot look its settings over")
                .with("plugin", &self.0.name)
                .with("reason", fault.reason)
        })
    }

    /// Starts it in a context. Instances are made when they are needed.
    pub fn start(&self, context: Context) -> Mapper {
        Mapper::new(self.clone(), context)
    }

    pub(super) async fn instance(&self, services: &Arc<Services>) -> std::result::Result<Instance, Fault> {
        Instance::new(&self.0.pre, &self.0.name, services).await
    }
}

fn is_component(bytes: &[u8]) -> Result<()> {
    match bytes {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', ..] => Err(Error::usage("the plugin is a WASM module and not a component").hint(
            "build it with `--target wasm32-wasip2`, or turn it into a component with `wasm-tools component new`",
        )),
        _ => Err(Error::usage("the plugin is not WASM").hint("name a `.wasm` file that holds a component")),
    }
}

/// Compiles on a blocking thread: a large plugin takes seconds the first time.
async fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component> {
    let (wasmtime, bytes) = (engine.wasmtime().clone(), bytes.to_vec());
    tokio::task::spawn_blocking(move || Component::from_binary(&wasmtime, &bytes))
        .await
        .map_err(|error| Error::bug("the compiler gave up").because(error))?
        .map_err(|error| {
            Error::usage("the plugin is damaged, or uses what this host does not know").because(chain(&error))
        })
}

/// Refuses imports that a plugin never gets, by name, and an API version that this host does not support.
fn check_imports(engine: &Engine, component: &Component) -> Result<()> {
    let of = component.component_type();
    let exports: Vec<_> = of.exports(engine.wasmtime()).map(|(name, _)| name).collect();
    let imports: Vec<_> = of.imports(engine.wasmtime()).map(|(name, _)| name).collect();
    let strangers: Vec<_> =
        imports.iter().filter(|name| !name.starts_with("wasi:") && !name.starts_with("reindex:")).copied().collect();
    if !strangers.is_empty() {
        return Err(Error::usage("the plugin imports what no plugin is given")
            .with("imports", strangers.join("\n"))
            .hint("a plugin may import `reindex:plugin` and `wasi:` only"));
    }
    let other = imports.iter().chain(&exports).find(|name| version(name).is_some_and(|version| version != API_VERSION));
    if let Some(version) = other.and_then(|name| version(name)) {
        return Err(Error::usage(format!("the plugin speaks API version {version}, and this host {API_VERSION}"))
            .hint("build the plugin against the WIT files of this host"));
    }
    if exports.contains(&format!("{PACKAGE}mapping@{API_VERSION}").as_str()) {
        Ok(())
    } else {
        Err(Error::usage("the component is not a plugin: it has no mapping")
            .with("misses", format!("{PACKAGE}mapping@{API_VERSION}"))
            .with("exports", exports.join("\n")))
    }
}

/// The version in `reindex:plugin/…@version`; none in any other name.
fn version(name: &str) -> Option<&str> {
    let (_, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
    Some(version)
}

fn link(engine: &Engine, component: &Component) -> Result<PluginPre<Guest>> {
    let mut linker = Linker::new(engine.wasmtime());
    let mut pre = || {
        guest::link(&mut linker, engine.wasmtime(), component)?;
        PluginPre::new(linker.instantiate_pre(component)?)
    };
    pre().map_err(|error| {
        Error::usage("the plugin's imports or exports do not fit this host")
            .because(chain(&error))
            .hint("build the plugin against the WIT files of this host")
    })
}

/// The export by which a plugin checks its settings.
fn check_of(component: &Component) -> Option<ComponentExportIndex> {
    let configuration = component.get_export_index(None, format!("{PACKAGE}configuration@{API_VERSION}"))?;
    component.get_export_index(Some(&configuration), "check")
}

async fn describe(pre: &PluginPre<Guest>, name: &str) -> Result<Description> {
    let services = Arc::new(Services::new(bare_room()));
    let mute = |fault: Fault| Error::new(Kind::Plugin, "the plugin cannot say who it is").with("reason", fault.reason);
    let mut instance = Instance::new(pre, name, &services).await.map_err(mute)?;
    let said = instance.describe().await.map_err(mute)?;
    let indexes: Vec<_> = said
        .indexes
        .into_iter()
        .map(|definition| IndexDefinition { index: definition.index, body: definition.body })
        .collect();
    for definition in &indexes {
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&definition.body).map_err(|error| {
            Error::new(Kind::Plugin, format!("the definition of index `{}` is not a JSON object", definition.index))
                .because(error)
        })?;
    }
    let (wishes, asks): (Vec<_>, Vec<_>) = said.asks.into_iter().partition(|ask| ask.optional);
    let [asks, wishes] = [asks, wishes].map(|asks| asks.into_iter().map(grant).collect());
    Ok(Description { entity: said.entity, api_version: API_VERSION.to_owned(), asks, wishes, indexes })
}

/// Describing needs only this, independent of the recipe.
fn bare_room() -> Context {
    Context {
        limits: Limits {
            cpu: std::time::Duration::from_secs(2),
            cpu_per_record: std::time::Duration::ZERO,
            wall: std::time::Duration::from_secs(10),
            memory: ByteSize::mib(256),
            host_memory: ByteSize::mib(1),
            output: ByteSize::mib(4),
            item: ByteSize::mib(1),
            poison_in_a_row: 1,
        },
        grants: Grants::default(),
        resources: Resources::default(),
        settings: "{}".to_owned(),
        now: jiff::Timestamp::UNIX_EPOCH,
        seed: 0,
        events: Events::ignore(),
        instances: 1,
    }
}

fn grant(ask: mapping::Ask) -> Grant {
    Grant {
        capability: match ask.capability {
            mapping::Capability::Storage => Capability::Storage,
            mapping::Capability::Queue => Capability::Queue,
            mapping::Capability::Index => Capability::Index,
            mapping::Capability::Image => Capability::Image,
        },
        name: ask.name,
        access: match ask.access {
            mapping::Access::Read => Access::Read,
            mapping::Access::Write => Access::Write,
        },
    }
}
