//! From what a recipe says to what it means: ranges, names, contradictions. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{FORMAT, json::json, said};
use crate::{
    capability::{Capability, grant, queue::LONGEST_LEASE},
    document::{self, Document},
    error::{Error, Result},
    record::{Key, Version},
};

/// The most parts a table can be cut into: DynamoDB's own limit.
const MAX_SEGMENTS: u32 = 1_000_000;

/// The most plugin calls at a time that make sense on one machine.
const MAX_WORKERS: u32 = 1024;

/// The most records in one batch.
const MAX_BATCH: u32 = 1_000_000;

/// The most tries of an operation.
const MAX_ATTEMPTS: u32 = 1000;

/// The shortest lease that services keep: they count seconds.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

/// Refuses a format this program does not know, before its keys are looked at.
pub(super) fn format(document: &Document, table: &DeTable) -> Result<()> {
    match table.get("recipe").map(Spanned::get_ref) {
        Some(DeValue::Integer(number)) => document.format("recipe", &number.to_string(), FORMAT),
        _ => Ok(()),
    }
}

/// Refuses what belongs into an environment, with the place to put it.
pub(super) fn belongs_here(document: &Document, table: &DeTable) -> Result<()> {
    if table.contains_key("environment") && !table.contains_key("recipe") {
        return Err(document.error_at_key("environment", "this is an environment, not a recipe"));
    }
    match ["backend", "ledger"].into_iter().find(|key| table.contains_key(*key)) {
        Some(key) => Err(document
            .error_at_key(key, format!("a recipe holds no `{key}`: it names resources, never servers"))
            .hint(format!("move `[{key}…]` to `environments/<name>.toml` beside the recipe or above it"))),
        None => Ok(()),
    }
}

/// Where `${NAME}` may stand: never in what is written into logs, the ledger or the identity of a run.
pub(super) fn may_be_variable(key: &str) -> Result<(), &'static str> {
    const PATHS: [&str; 4] = ["plugin.source", "plugin.file", "source.file.path", "source.export.directory"];
    let definition = key.starts_with("index.") && key.ends_with(".definition");
    if definition || PATHS.contains(&key) || key.starts_with("plugin.settings.") {
        return Ok(());
    }
    Err("write it out: variables are for `[plugin.settings]` and for paths; what differs from place to place \
         belongs into an environment")
}

/// Checks everything that the shape of the keys cannot say. Sees variables as written, never their values.
///
/// *Errors*: every mistake, joined.
pub(super) fn check(document: &Document, said: &said::Recipe) -> Result<()> {
    let check = Check { document };
    all([
        check.plugin(&said.plugin),
        check.source(&said.source),
        said.name.as_ref().map_or(Ok(()), |name| check.name("name", name)),
        check.name("default-env", &said.default_env),
        check.names(said),
        check.image(said),
        check.limits(said),
        check.run(said),
    ])
}

/// Every mistake of some checks, joined.
pub(super) fn all(checks: impl IntoIterator<Item = Result<()>>) -> Result<()> {
    Error::joined(checks.into_iter().filter_map(Result::err))
}

/// Names become names of indexes and files.
pub(super) fn is_name(text: &str) -> bool {
    let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= MAX_NAME
        && text.bytes().next().is_some_and(small)
        && text.bytes().all(|byte| small(byte) || matches!(byte, b'-' | b'_'))
}

/// A name that a recipe could give to what a server calls like this, such as `Orders` or `prod.orders`.
fn own_name(server: &str) -> Option<String> {
    let plain = !server.is_empty() && server.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let own = server.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    (plain && is_name(&own)).then_some(own)
}

/// The longest name, in bytes: room is left for what an index name adds.
const MAX_NAME: usize = 100;

/// Every grant: name, capability, and the key it stands under.
pub(super) fn granted(config: &grant::Config) -> impl Iterator<Item = (&String, Capability, String)> {
    let sides = [("read", &config.read), ("write", &config.write)];
    sides.into_iter().flat_map(|(access, names)| {
        names.each().into_iter().flat_map(move |(capability, names)| {
            let key = move |n| format!("grant.{access}.{}[{n}]", capability.word());
            names.iter().enumerate().map(move |(n, name)| (name, capability, key(n)))
        })
    })
}

pub(super) struct Check<'a> {
    pub(super) document: &'a Document<'a>,
}

impl Check<'_> {
    fn plugin(&self, plugin: &said::Plugin) -> Result<()> {
        match (&plugin.source, &plugin.file) {
            (Some(_), Some(_)) => Err(self
                .document
                .error_at_key("plugin.file", "the plugin is both a `source` directory and a compiled `file`")
                .hint("keep the one that is to run")),
            (None, None) => Err(self
                .document
                .error_at_key("plugin", "the plugin is neither a `source` directory nor a compiled `file`")
                .hint("add under `[plugin]`: source = \"../plugins/parcels\", or file = \"parcels.wasm\"")),
            (Some(source), None) if source.is_absolute() => Err(self
                .document
                .error_at("plugin.source", "the plugin's source has to be inside the recipe's workspace")
                .hint("write its path relative to the recipe")),
            (Some(path), None) => self.path("plugin.source", path),
            (None, Some(path)) => self.path("plugin.file", path),
        }?;
        let settings = toml::Value::Table(plugin.settings.clone());
        let json = json(&settings, "plugin.settings");
        json.map(|_| ()).map_err(|(key, reason)| {
            self.document.error_at(&key, format!("`{key}` {reason}")).hint("write it as a text, in quotes")
        })
    }

    fn source(&self, source: &said::Source) -> Result<()> {
        match source {
            said::Source::Scan(scan) => {
                const AT_BEST: &str = "0 means as many as suit the store";
                all([
                    self.name("source.scan.table", &scan.table),
                    self.most("source.scan.segments", scan.segments, MAX_SEGMENTS, AT_BEST),
                    self.attributes(&scan.attributes),
                    self.rate(scan.read_share, scan.max_rcu),
                    self.record("source.scan", &scan.key, &scan.version),
                ])
            }
            said::Source::File(file) => {
                all([self.path("source.file.path", &file.path), self.record("source.file", &file.key, &file.version)])
            }
            said::Source::Export(export) => {
                all([self.export(export), self.record("source.export", &export.key, &export.version)])
            }
            said::Source::Queue(queue) => self.queue(queue),
            said::Source::Requests(requests) => self.requests(requests),
        }
    }

    fn requests(&self, said: &said::Requests) -> Result<()> {
        all([
            self.name("source.requests.bucket", &said.bucket),
            self.name("source.requests.objects", &said.objects),
            self.most("source.requests.segments", said.segments, MAX_SEGMENTS, "0 means one per core"),
            self.above_zero("source.requests.poll", said.poll > Duration::ZERO),
            self.time("source.requests.poll", said.poll),
            self.intake(said),
        ])
    }

    fn intake(&self, said: &said::Requests) -> Result<()> {
        if let Some(queue) = &said.queue {
            self.name("source.requests.queue", queue)?;
            if said.watch {
                return Err(self
                    .document
                    .error_at_key("source.requests.watch", "new objects are both told of by a `queue` and watched for")
                    .hint("keep `queue` for a bucket that sends notifications, or `watch` for a folder"));
            }
        }
        let inside = |prefix: &str| said.prefix.starts_with(prefix);
        if said.bucket == said.objects && (said.prefixes.is_empty() || said.prefixes.iter().any(|one| inside(one))) {
            return Err(self
                .document
                .error_at("source.requests.bucket", "requests would lie among the objects that they name")
                .hint("name another bucket, or keep the objects under `prefixes` of their own"));
        }
        Ok(())
    }

    fn export(&self, export: &said::Export) -> Result<()> {
        match (&export.directory, &export.bucket) {
            (Some(_), Some(_)) => Err(self
                .document
                .error_at_key("source.export.bucket", "the export is both in a `directory` and in a `bucket`")
                .hint("keep the one that is to be read")),
            (None, None) => Err(self
                .document
                .error_at_key("source.export", "the export is neither in a `directory` nor in a `bucket`")
                .hint("add under `[source.export]`: bucket = \"exports\", or directory = \"export/\"")),
            (Some(_), None) if export.prefix.is_some() => Err(self
                .document
                .error_at_key("source.export.prefix", "a `prefix` is a bucket's, and the export is in a `directory`")
                .hint("name the directory that holds the export's manifest-summary.json itself")),
            (Some(directory), None) => self.path("source.export.directory", directory),
            (None, Some(bucket)) => self.name("source.export.bucket", bucket),
        }
    }

    fn attributes(&self, attributes: &[String]) -> Result<()> {
        let mut seen = BTreeSet::new();
        let wrong = attributes.iter().enumerate().find(|(_, name)| name.is_empty() || !seen.insert(*name));
        wrong.map_or(Ok(()), |(n, name)| {
            let what = if name.is_empty() { "is empty".to_owned() } else { format!("names `{name}` again") };
            let key = format!("source.scan.attributes[{n}]");
            Err(self
                .document
                .error_at(&key, format!("`{key}` {what}"))
                .hint("write each attribute once, or leave `attributes` out to read all of them"))
        })
    }

    fn rate(&self, share: Option<f64>, units: Option<u32>) -> Result<()> {
        let (of_share, of_units) = ("source.scan.read-share", "source.scan.max-rcu");
        match (share, units) {
            (Some(_), Some(_)) => Err(self
                .document
                .error_at_key(of_units, format!("both `{of_share}` and `{of_units}` say how much the scan may take"))
                .hint("keep `read-share` for a table with provisioned capacity, else `max-rcu`")),
            (Some(share), None) if !(share > 0.0 && share <= 1.0) => Err(self
                .document
                .error_at(of_share, format!("`{of_share}` is {share}, but has to be above 0 and at most 1"))
                .hint("half of the table's capacity is 0.5")),
            (None, Some(0)) => self.above_zero(of_units, false),
            _ => Ok(()),
        }
    }

    fn queue(&self, queue: &said::Queue) -> Result<()> {
        all([
            self.name("source.queue.queue", &queue.queue),
            queue.table.as_ref().map_or(Ok(()), |table| self.name("source.queue.table", table)),
            self.record("source.queue", &queue.key, &queue.version),
            self.most("source.queue.consumers", queue.consumers, MAX_WORKERS, "0 means one per core"),
            self.above_zero("source.queue.max-deliveries", queue.max_deliveries > 0),
            self.time("source.queue.idle", queue.idle),
            self.consuming(queue),
        ])
    }

    fn consuming(&self, queue: &said::Queue) -> Result<()> {
        let refuse = |key: &str, reason: &str| self.document.error_at(key, format!("`{key}` {reason}"));
        if !(SHORTEST_LEASE..=LONGEST_LEASE).contains(&queue.lease) {
            return Err(refuse("source.queue.lease", "is outside of one second to twelve hours")
                .hint("a lease is begun anew while a message is worked on, so a minute is long enough"));
        }
        if queue.version == Version::None && queue.consumers != 1 {
            return Err(refuse("source.queue.consumers", "is more than one, and records carry no version")
                .hint("name the attribute with the version, or one line of work could undo what another did"));
        }
        Ok(())
    }

    fn record(&self, under: &str, key: &Key, version: &Version) -> Result<()> {
        let at = format!("{under}.key");
        let refuse = |reason: &str| {
            self.document
                .error_at(&at, format!("`{at}` {reason}"))
                .hint("write it like: key = \"id\", or key = [\"pk\", \"sk\"]")
        };
        let attributes = key.attributes();
        if attributes.is_empty() {
            return Err(refuse("names no attribute"));
        }
        if attributes.iter().any(String::is_empty) {
            return Err(refuse("has an empty name"));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = attributes.iter().find(|name| !seen.insert(*name)) {
            return Err(refuse(&format!("names `{twice}` twice")));
        }
        match version {
            Version::Attribute(name) if name.is_empty() => Err(self
                .document
                .error_at(&format!("{under}.version"), format!("`{under}.version` is empty"))
                .hint("name the attribute that holds the version, or write \"none\" if records carry none")),
            _ => Ok(()),
        }
    }

    /// Every resource has a good name, which means one thing.
    fn names(&self, said: &said::Recipe) -> Result<()> {
        let mut seen: BTreeMap<&str, (Capability, String)> = BTreeMap::new();
        match &said.source {
            said::Source::Scan(scan) => {
                seen.insert(&scan.table, (Capability::Storage, "source.scan.table".to_owned()));
            }
            said::Source::Export(said::Export { bucket: Some(bucket), .. }) => {
                seen.insert(bucket, (Capability::Storage, "source.export.bucket".to_owned()));
            }
            said::Source::Queue(source) => {
                let queue = (Capability::Queue, "source.queue.queue".to_owned());
                seen.insert(&source.queue, queue.clone());
                if source.table.as_ref() == Some(&source.queue) {
                    let table = (Capability::Storage, "source.queue.table");
                    return Err(self.ambiguous(&source.queue, (queue.0, &queue.1), table));
                }
                seen.extend(
                    source.table.iter().map(|table| (&**table, (Capability::Storage, "source.queue.table".to_owned()))),
                );
            }
            said::Source::Requests(said) => {
                seen.insert(&said.bucket, (Capability::Image, "source.requests.bucket".to_owned()));
                seen.insert(&said.objects, (Capability::Image, "source.requests.objects".to_owned()));
                if let Some(queue) = &said.queue {
                    let at = (Capability::Queue, "source.requests.queue");
                    if let Some((first, key)) = seen.insert(queue, (at.0, at.1.to_owned())) {
                        return Err(self.ambiguous(queue, (first, &key), at));
                    }
                }
            }
            said::Source::File(_) | said::Source::Export(_) => {}
        }
        let mut wrong = Vec::new();
        for (name, capability, key) in granted(&said.grant) {
            wrong.extend(self.name(&key, name).err());
            let (first, at) = seen.entry(name).or_insert_with(|| (capability, key.clone()));
            // Objects and images are in buckets both.
            let sort = |capability| if capability == Capability::Image { Capability::Storage } else { capability };
            if sort(*first) != sort(capability) {
                wrong.push(self.ambiguous(name, (*first, at), (capability, &key)));
            }
        }
        wrong.extend(said.index.keys().filter_map(|name| self.index(name, said).err()));
        Error::joined(wrong)
    }

    fn ambiguous(&self, name: &str, first: (Capability, &str), second: (Capability, &str)) -> Error {
        let (a, b) = (first.0.word(), second.0.word());
        let line = self.document.lines().get(first.1).map_or(String::new(), |line| format!(" (line {line})"));
        self.document
            .error_at(second.1, format!("`{name}` names both {a} and {b}"))
            .with("first", format!("`{}`{line}", first.1))
            .hint("an environment binds each name to one server: give one of them another name")
    }

    fn index(&self, name: &str, said: &said::Recipe) -> Result<()> {
        let key = document::join("index", name);
        if !said.grant.write.index.iter().any(|granted| granted == name) {
            let error =
                self.document.error_at_key(&key, format!("`[{key}]` defines an index that the plugin may not write"));
            return Err(match document::nearest(name, said.grant.write.index.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `[index.{near}]`, which it may write?")),
                None => error.hint(format!("add \"{name}\" to `index` under `[grant.write]`")),
            });
        }
        let index = &said.index[name];
        if let Some(definition) = &index.definition {
            self.path(&format!("{key}.definition"), definition)?;
        }
        match &index.prune {
            Some(prune) if !(0.0..=1.0).contains(&prune.max_share) => {
                Err(self.share(&format!("{key}.prune.max-share"), prune.max_share))
            }
            Some(_)
                if matches!(
                    said.source,
                    said::Source::File(_) | said::Source::Export(_) | said::Source::Requests(_)
                ) =>
            {
                Err(self
                    .document
                    .error_at_key(&format!("{key}.prune"), "only a table can be asked which items are gone")
                    .hint("scan the table itself: [source.scan]; or take `prune` away"))
            }
            _ => Ok(()),
        }
    }

    fn name(&self, key: &str, name: &str) -> Result<()> {
        if is_name(name) {
            return Ok(());
        }
        let shown: String = name.chars().take(MAX_NAME).collect();
        let error = self.document.error_at(key, format!("`{key}` cannot be {shown:?}"));
        if let Some(own) = own_name(name) {
            return Err(error.hint(format!(
                "a recipe has names of its own: write \"{own}\" here, and what the server calls it under `[backend.{own}.<kind>]` of an environment"
            )));
        }
        Err(error.hint(format!(
            "a name begins with a small letter or a digit, goes on with those, `-` and `_`, and has {MAX_NAME} characters at most"
        )))
    }

    fn path(&self, key: &str, path: &Path) -> Result<()> {
        if !path.as_os_str().is_empty() {
            return Ok(());
        }
        Err(self.document.error_at(key, format!("`{key}` is empty")).hint("write a path relative to the recipe"))
    }

    fn image(&self, said: &said::Recipe) -> Result<()> {
        let image = &said.image;
        if let Some(bucket) = said.grant.write.image.first() {
            return Err(self
                .document
                .error_at("grant.write.image[0]", "an image is opened for reading, and stored as an object")
                .hint(format!("write \"{bucket}\" to `storage` under `[grant.write]` instead")));
        }
        all([
            self.above_zero("image.max-pixels", image.max_pixels > 0),
            self.above_zero("image.max-pages", image.max_pages > 0),
            self.above_zero("image.max-bands", image.max_bands > 0),
            self.size("image.max-bytes", image.max_bytes),
            self.most_size("image.max-profile", image.max_profile),
            self.most("image.workers", image.workers, MAX_WORKERS, "0 means one per core"),
            self.most("image.threads", image.threads, MAX_WORKERS, "1 suits many images at a time"),
            self.above_zero("image.threads", image.threads > 0),
            self.above_zero("image.wall", image.wall > Duration::ZERO),
            self.time("image.wall", image.wall),
            self.above_zero("image.cpu", image.cpu > Duration::ZERO),
            self.time("image.cpu", image.cpu),
            self.size("image.memory", image.memory),
            self.size("image.scratch", image.scratch),
            self.above_zero("image.renew-after", image.renew_after > 0),
        ])
    }

    fn limits(&self, said: &said::Recipe) -> Result<()> {
        let limits = &said.limits;
        all([
            self.above_zero("limits.cpu", limits.cpu > Duration::ZERO),
            self.time("limits.cpu", limits.cpu),
            self.time("limits.cpu-per-record", limits.cpu_per_record),
            self.above_zero("limits.wall", limits.wall > Duration::ZERO),
            self.time("limits.wall", limits.wall),
            self.size("limits.memory", limits.memory),
            self.size("limits.host-memory", limits.host_memory),
            self.size("limits.output", limits.output),
            self.size("limits.item", limits.item),
            self.above_zero("limits.poison-in-a-row", limits.poison_in_a_row > 0),
        ])
    }

    fn run(&self, said: &said::Recipe) -> Result<()> {
        const FEW: &str = "a batch is held in memory, and a few hundred records are fast already";
        let run = &said.run;
        let share = run.stop_after_failure_share;
        all([
            self.most("run.workers", run.workers, MAX_WORKERS, "0 means one per core"),
            self.most("run.segments-at-once", run.segments_at_once, MAX_SEGMENTS, "0 means as many as suit the ledger"),
            self.above_zero("run.batch-records", run.batch_records > 0),
            self.most("run.batch-records", run.batch_records, MAX_BATCH, FEW),
            self.size("run.batch-bytes", run.batch_bytes),
            self.time("run.batch-age", run.batch_age),
            self.above_zero("run.attempts", run.attempts > 0),
            self.most("run.attempts", run.attempts, MAX_ATTEMPTS, "the pauses between them grow"),
            self.above_zero("run.lease", run.lease > Duration::ZERO),
            self.time("run.lease", run.lease),
            if (0.0..=1.0).contains(&share) { Ok(()) } else { Err(self.share("run.stop-after-failure-share", share)) },
        ])
    }
}
