//! From a recipe's file to a job: reads it, finds its environment, opens what both name.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Job, Servers, Status,
    identity::digest,
    job::cores,
    own::{self, Own},
    status,
};
use crate::{
    backend::{Backends, Config, Mode, Program, aws::Session, call_aws, export::Export, files},
    build,
    capability::{
        Capability, Resources,
        grant::Grants,
        queue::Queue,
        storage::{Bucket, Sameness, Scan},
    },
    clock::System,
    environment::{Environment, LOCAL},
    error::{Error, Result},
    event::{Event, Events},
    ledger::{Ledger, Run, list::List},
    pipeline::Messages,
    recipe::{ExportAt, PluginAt, Recipe, Source},
    record::{Form, Shape},
    sandbox::{CodeCache, Engine, Flaw, Plugin},
};

/// How many of a plugin's complaints about its settings a person is shown.
const FLAWS_SHOWN: usize = 10;

/// A recipe with its environment. Nothing is opened yet.
pub struct Project {
    /// The recipe.
    pub recipe: Recipe,
    /// Its environment.
    pub environment: Environment,
    pub(super) backends: Backends,
    /// Where compiled plugins are kept; without it each start compiles.
    code_cache: Option<CodeCache>,
}

/// An error, and one more if there is one.
fn with(error: Error, more: Result<()>) -> Error {
    match more {
        Ok(()) => error,
        Err(more) => Error::joined([error, more]).err().unwrap_or_else(|| Error::bug("a mistake got lost")),
    }
}

/// A source, ready to be read.
struct Opened {
    source: Arc<dyn Scan>,
    messages: Option<Arc<Messages>>,
    form: Form,
    segments: u32,
}

impl Opened {
    fn scan(source: Arc<dyn Scan>, form: Form, segments: u32) -> Self {
        Self { source, messages: None, form, segments }
    }
}

impl Project {
    /// Reads a recipe and its environment; `variables` answers what replaces `${NAME}`.
    pub fn open(
        path: &Path,
        environment: Option<&str>,
        mode: Mode,
        variables: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        Self::open_in(None, path, environment, mode, variables)
    }

    /// The same for a person who works in a directory, whose state serves the recipes below it; see
    /// [`Environment::find`].
    pub fn open_in(
        home: Option<&Path>,
        path: &Path,
        environment: Option<&str>,
        mode: Mode,
        variables: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let recipe = Recipe::load(path, variables).map_err(|error| {
            let dir = path.parent().filter(|_| path.is_file());
            let find =
                |dir: &Path| Environment::find(dir, home.unwrap_or(dir), environment.unwrap_or(LOCAL), variables);
            with(error, dir.map_or(Ok(()), |dir| find(dir).map(|_| ())))
        })?;
        let name = environment.unwrap_or(&recipe.default_env);
        let environment = Environment::find(&recipe.dir, home.unwrap_or(&recipe.dir), name, variables)?;
        let backends = backends(&environment, mode);
        Ok(Self { recipe, environment, backends, code_cache: None })
    }

    /// Whether something it names is on AWS, so that [`Project::with_aws`] is needed.
    pub fn calls_aws(&self) -> bool {
        self.environment.calls_aws()
    }

    /// Calls AWS as this session.
    #[must_use]
    pub fn with_aws(self, session: Session) -> Self {
        let aws = &self.environment.aws;
        let session = session.within(aws.region.as_deref(), aws.endpoint.as_deref());
        Self { backends: self.backends.with_aws(session), ..self }
    }

    /// Lets images be decoded by this program.
    #[must_use]
    pub fn with_decoder(self, program: Program) -> Self {
        Self { backends: self.backends.with_decoder(program), ..self }
    }

    /// Keeps compiled plugins in a directory of the user.
    #[must_use]
    pub fn with_code_cache(self, cache: Option<CodeCache>) -> Self {
        Self { code_cache: cache, ..self }
    }

    /// Opens everything a run needs. A plugin's source is built, unless `may_build` forbids it.
    pub async fn job(&self, may_build: bool, events: &Events) -> Result<Job> {
        let recipe = &self.recipe;
        let file = self.plugin_file(may_build, events).await?;
        let grants = Grants::new(&recipe.grant);
        let plugin = load_plugin(self.code_cache.as_ref(), &self.plugin_name(), &file).await;
        let plugin = plugin.map_err(|error| match file.is_file() {
            true => error,
            false => error.with("recipe", self.recipe.place_of("plugin.file")),
        })?;
        self.look_at_plugin(&plugin, &grants).await?;
        let Opened { source, messages, form, segments } = self.source().await?;
        let mut pace = recipe.run.clone();
        if messages.is_some() {
            // What a queue is cut into says nothing of how many lines one process takes.
            pace.segments_at_once = if segments == 0 { cores() } else { segments };
        }
        let (key, version) = (recipe.source.key().clone(), recipe.source.version().clone());
        Ok(Job {
            name: recipe.name.clone(),
            plugin,
            settings: recipe.plugin.settings.clone(),
            grants,
            limits: recipe.limits.clone(),
            pace,
            source,
            messages,
            segments,
            shape: Shape {
                key,
                version,
                attributes: recipe.source.attributes().to_vec(),
                source: form,
                wants: recipe.plugin.items,
                max_bytes: self.max_bytes(),
            },
            definitions: self.definitions()?,
            prunes: recipe.prunes.clone(),
            servers: self.servers(),
            resources: self.resources()?,
            ledger: self.noted_ledger(events).await?,
            list: Some(self.list()?),
            state_directory: Some(self.environment.state.clone()),
            identity: self.identity(),
            clock: Arc::new(System),
        })
    }

    /// Whether the plugin can work with its grants and its settings; then, whether a file to read is there.
    async fn look_at_plugin(&self, plugin: &Plugin, grants: &Grants) -> Result<()> {
        let granted = Job::compare_grants(plugin, grants)
            .map_err(|error| error.with("recipe", self.place_of_grant(plugin, grants)));
        let set = self.look_at_settings(plugin).await;
        let Err(wrong) = Error::joined([granted, set].into_iter().filter_map(Result::err)) else { return Ok(()) };
        let is_file = matches!(self.recipe.source, Source::File { .. });
        Err(if is_file { with(wrong, self.source().await.map(|_| ())) } else { wrong })
    }

    /// Asks the plugin whether it can work with what the recipe says to it.
    async fn look_at_settings(&self, plugin: &Plugin) -> Result<()> {
        let flaws = plugin.check(&self.recipe.plugin.settings).await?;
        if flaws.is_empty() {
            return Ok(());
        }
        let key = |setting: &str| format!("plugin.settings.{setting}").trim_end_matches('.').to_owned();
        let mut flaws: Vec<_> = flaws.into_iter().map(|Flaw { setting, reason }| (key(&setting), reason)).collect();
        flaws.sort_by_key(|(key, _)| self.recipe.line_of(key));
        let error = Error::usage("the plugin refuses its settings").with("plugin", plugin.name());
        let named = flaws.iter().take(FLAWS_SHOWN).fold(error, |error, (key, reason)| {
            error.with("recipe", format!("{}: {reason}", self.recipe.place_of(key)))
        });
        Err(named.hint("mend it under [plugin.settings]; nothing was run"))
    }

    /// How far a run is, or the one that needs looking after.
    pub async fn status(&self, run: Option<&str>) -> Result<Option<Status>> {
        let status = status(&self.own_ledger()?, &self.recipe.name, run, &self.environment.state).await?;
        let Some(mut status) = status else { return Ok(None) };
        status.source_changed = self.how_source_changed(&status.run).await;
        Ok(Some(status))
    }

    /// How a source on this machine changed since a run began. One that cannot be looked at says so in the next run.
    async fn how_source_changed(&self, run: &Run) -> Option<String> {
        let is_here =
            matches!(self.recipe.source, Source::File { .. } | Source::Export { at: ExportAt::Directory(_), .. });
        let then = run.source.as_ref().filter(|_| is_here)?;
        match self.source().await.ok()?.source.compare(then).await.ok()? {
            Sameness::Changed(how) => Some(how),
            _ => None,
        }
    }

    /// The ledger with the runs of this recipe.
    pub(super) fn own_ledger(&self) -> Result<Own> {
        let home = self.environment.database.parent().unwrap_or(Path::new(""));
        Ok(Own::new(self.backends.ledger()?, own::place(home, &self.recipe.path)))
    }

    /// The ledger with the runs of this recipe; notes that it holds those of another one of this name.
    async fn noted_ledger(&self, events: &Events) -> Result<Arc<dyn Ledger>> {
        let (own, name) = (self.own_ledger()?, &self.recipe.name);
        if let Some(other) = own.other(name).await? {
            events.note(format!(
                "the ledger also holds runs of another recipe `{name}`, whose file is {other} as seen from the ledger; they are left alone"
            ));
        }
        Ok(Arc::new(own))
    }

    /// The recipe's list of ids.
    pub fn list(&self) -> Result<Arc<dyn List>> {
        self.backends.list(&self.recipe.name)
    }

    /// The component: as it is, or built from source.
    async fn plugin_file(&self, may_build: bool, events: &Events) -> Result<PathBuf> {
        let Some(source) = self.recipe.plugin_source()? else {
            return match &self.recipe.plugin.at {
                PluginAt::File(file) | PluginAt::Source(file) => Ok(file.clone()),
            };
        };
        if !may_build {
            return Err(Error::usage("the recipe names a plugin's source, and building is switched off")
                .with("recipe", self.recipe.place_of("plugin.source"))
                .hint(format!(
                    "`reindex plugin build {}` says where the .wasm is; name it with `file` under `[plugin]`",
                    source.display()
                )));
        }
        let events = events.clone();
        let built = tokio::task::spawn_blocking(move || {
            build::plugin(&source, &mut |line| {
                events.send(Event::Waiting { reason: format!("cargo builds the plugin: {line}") });
            })
        });
        Ok(built.await.map_err(|error| Error::bug("the build gave up").because(error))??.wasm)
    }

    /// Where the recipe grants the like of what the plugin misses.
    fn place_of_grant(&self, plugin: &Plugin, grants: &Grants) -> String {
        let missing = grants.missing(&plugin.description().asks);
        let key = missing.first().map(|grant| format!("grant.{}.{}", grant.access.word(), grant.capability.word()));
        self.recipe.place_of(key.as_deref().unwrap_or("grant"))
    }

    /// What the plugin is called: its directory's or its file's name.
    fn plugin_name(&self) -> String {
        let (PluginAt::Source(path) | PluginAt::File(path)) = &self.recipe.plugin.at;
        let stem = path.canonicalize().ok().and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
        stem.unwrap_or_else(|| self.recipe.name.clone())
    }

    pub(super) fn max_bytes(&self) -> usize {
        usize::try_from(self.recipe.limits.item.as_u64()).unwrap_or(usize::MAX)
    }

    async fn source(&self) -> Result<Opened> {
        let max_bytes = self.max_bytes();
        let at = |key: &str, error: Error| error.with("recipe", self.recipe.place_of(key));
        match &self.recipe.source {
            Source::Scan { table, segments, options, .. } => {
                let config = self.environment.backend(table)?;
                let form = self.backends.form(table, Some(config)).await?;
                Ok(Opened::scan(self.backends.scan(table, Some(config), options)?, form, *segments))
            }
            Source::File { path, form, .. } => {
                let lines = files::JsonLines::open(path, *form, max_bytes).map_err(|error| {
                    let error = at("source.file.path", error);
                    let hint =
                        "`path` under `[source.file]` is relative to the recipe: put the file there, or mend the path";
                    if path.exists() { error } else { error.hint(hint) }
                })?;
                Ok(Opened::scan(Arc::new(lines), *form, 1))
            }
            Source::Export { at: place, .. } => {
                let (bucket, prefix, key) = self.export(place)?;
                let export = Export::open(bucket, prefix, max_bytes).await.map_err(|error| at(key, error))?;
                Ok(Opened::scan(Arc::new(export), Form::DynamodbJson, 0))
            }
            Source::Requests { segments, .. } => {
                let requests = self.requests()?;
                Ok(Opened::scan(requests, Form::Plain, *segments))
            }
            Source::Queue { queue: name, table, form, consumers, consuming, .. } => {
                let queue = self.queue(name)?;
                let table = match table {
                    Some(table) => Some(self.backends.table(table, Some(self.environment.backend(table)?))?),
                    None => None,
                };
                let form = if let Some(table) = &table { table.info().await?.form } else { *form };
                let messages = Arc::new(Messages::new(name, queue, table, form, *consuming));
                Ok(Opened { source: messages.clone(), messages: Some(messages), form, segments: *consumers })
            }
        }
    }

    /// The queue that the recipe reads, be it of messages or of a bucket's events; none if it reads none.
    pub fn source_queue(&self) -> Result<Option<Arc<dyn Queue>>> {
        self.recipe.source.queue().map(|name| self.queue(name)).transpose()
    }

    /// A queue by the recipe's name for it, which the environment has to bind.
    pub(super) fn queue(&self, name: &str) -> Result<Arc<dyn Queue>> {
        self.backends.queue(name, Some(self.environment.backend(name)?))
    }

    /// The bucket of an export, what its keys begin with there, and the recipe's key that says so.
    fn export<'a>(&self, at: &'a ExportAt) -> Result<(Arc<dyn Bucket>, &'a str, &'static str)> {
        match at {
            ExportAt::Directory(directory) => {
                Ok((Arc::new(files::Bucket::open(directory)), "", "source.export.directory"))
            }
            ExportAt::Bucket { bucket, prefix } => {
                let bound = self.environment.backends.get(bucket);
                if bound.is_none() {
                    self.environment.backend(bucket)?;
                }
                Ok((self.backends.bucket(bucket, bound)?, prefix, "source.export.bucket"))
            }
        }
    }

    pub(super) fn resources(&self) -> Result<Resources> {
        let mut resources = Resources::default();
        if !self.recipe.grant.read.image.is_empty() {
            resources.images = Some(self.backends.images(&self.recipe.image)?);
        }
        for resource in self.recipe.resources() {
            let name = &resource.name;
            let config = Some(self.environment.backend(name)?);
            match resource.capability {
                Capability::Storage => self.storage(name, &mut resources)?,
                Capability::Image => {
                    let bound = self.environment.backends.get(name);
                    resources.buckets.insert(name.clone(), self.backends.bucket(name, bound)?);
                }
                Capability::Queue => drop(resources.queues.insert(name.clone(), self.backends.queue(name, config)?)),
                Capability::Index => drop(resources.indexes.insert(name.clone(), self.backends.index(name, config)?)),
            }
        }
        Ok(resources)
    }

    /// A name that no file binds is the plugin's to use as a table or as a bucket: neither exists until it is written.
    fn storage(&self, name: &str, resources: &mut Resources) -> Result<()> {
        let bound = self.environment.backends.get(name);
        if !matches!(bound, Some(Config::Files(_) | Config::S3(_))) {
            let table = self.backends.table(name, Some(self.environment.backend(name)?))?;
            resources.tables.insert(name.to_owned(), table);
        }
        if matches!(bound, None | Some(Config::Files(_) | Config::S3(_))) {
            resources.buckets.insert(name.to_owned(), self.backends.bucket(name, bound)?);
        }
        Ok(())
    }

    pub(super) fn servers(&self) -> Servers {
        let Environment { file, aws, backends, .. } = &self.environment;
        let clusters = backends.iter().filter_map(|(name, config)| Some((name.clone(), config.cluster()?.to_owned())));
        let resources = self.recipe.resources();
        // A recipe that needs nothing of AWS needs no credentials either.
        let named = resources.iter().filter_map(|resource| backends.get(&resource.name));
        let calls_aws = self.environment.ledger.is_some() || call_aws(named);
        let source = match &self.recipe.source {
            Source::Scan { table, .. } => backends.get(table).and_then(Config::region),
            _ => None,
        };
        Servers {
            file: file.clone(),
            session: self.backends.session().filter(|_| calls_aws).cloned(),
            account: aws.account.clone(),
            region: source.or(aws.region.as_deref()).map(str::to_owned),
            clusters: clusters.collect(),
        }
    }

    fn definitions(&self) -> Result<BTreeMap<String, String>> {
        let read = |(name, file): (&String, &PathBuf)| {
            let text = fs::read_to_string(file).map_err(|error| {
                Error::usage(format!("the definition of index `{name}` cannot be read"))
                    .with("file", file.display().to_string())
                    .because(error)
            })?;
            Ok((name.clone(), text))
        };
        self.recipe.indexes.iter().map(read).collect()
    }

    fn identity(&self) -> BTreeMap<String, String> {
        let mut identity = self.recipe.identity().clone();
        identity.insert("environment".into(), self.environment.name.clone());
        for resource in self.recipe.resources() {
            if let Some(config) = self.environment.backends.get(&resource.name) {
                let digest = digest(&format!("{config:?}"));
                identity.insert(format!("backend of {}", resource.name), digest);
            }
        }
        identity
    }
}

/// Everything an environment names, ready to be opened.
pub fn backends(environment: &Environment, mode: Mode) -> Backends {
    Backends::new(&environment.dir, &environment.state, mode, Arc::new(System))
        .with_database(&environment.database)
        .with_ledger(environment.ledger.clone())
}

/// Loads a component from a file.
pub async fn load_plugin(cache: Option<&CodeCache>, name: &str, file: &Path) -> Result<Plugin> {
    let bytes = fs::read(file).map_err(|error| {
        Error::usage("the plugin cannot be read")
            .with("file", file.display().to_string())
            .because(error)
            .hint("mend `file` under `[plugin]`, or build the plugin first")
    })?;
    let loaded = match cache {
        Some(cache) => Plugin::load_cached(cache, name, &bytes).await,
        None => Plugin::load(&Engine::new()?, name, &bytes).await,
    };
    loaded.map_err(|error| error.with("file", file.display().to_string()))
}
