//! Puts together what a checked recipe means: names filled in, paths joined to the recipe's directory.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    ExportAt, Intake, Plugin, PluginAt, Prune, Recipe, Schedule, Source, check::is_name, identity, json::json, said,
};
use crate::{
    capability::storage::{Rate, ScanOptions},
    document::Document,
    error::Result,
    pipeline::Consuming,
    record::{Key, Version},
};

/// Puts together what is meant.
pub(super) fn meant(
    document: &Document,
    said: said::Recipe,
    path: &Path,
    identity: BTreeMap<String, String>,
) -> Result<Recipe> {
    let dir = path.parent().unwrap_or(Path::new("")).to_owned();
    let settings = identity::settings(&said)?;
    let at = match (said.plugin.source, said.plugin.file) {
        (Some(source), _) => PluginAt::Source(dir.join(source)),
        (None, file) => PluginAt::File(dir.join(file.unwrap_or_default())),
    };
    Ok(Recipe {
        name: match said.name {
            Some(name) => name,
            None => stem(document, path)?,
        },
        path: path.to_owned(),
        default_env: said.default_env,
        plugin: Plugin { at, items: said.plugin.items, settings },
        source: source(said.source, &dir),
        grant: said.grant,
        indexes: definitions(&said.index, &dir),
        prunes: prunes(document, said.index)?,
        schedule: said
            .schedule
            .map(|said| Schedule::parse(&said.cron, &said.zone))
            .transpose()
            .map_err(|(key, reason)| document.error_at(key, reason))?,
        image: said.image,
        limits: said.limits,
        run: said.run,
        lines: document.lines(),
        identity,
        dir,
    })
}

fn definitions(said: &BTreeMap<String, said::Index>, dir: &Path) -> BTreeMap<String, PathBuf> {
    said.iter().filter_map(|(name, index)| Some((name.clone(), dir.join(index.definition.as_ref()?)))).collect()
}

fn prunes(document: &Document, said: BTreeMap<String, said::Index>) -> Result<BTreeMap<String, Prune>> {
    let mut prunes = BTreeMap::new();
    for (name, index) in said {
        let Some(said::Prune { max_share, query }) = index.prune else { continue };
        let key = format!("index.{name}.prune.query");
        let text = |query| json(&toml::Value::Table(query), &key).map(|value| value.to_string());
        let query = query.map(text).transpose().map_err(|(key, reason)| {
            document.error_at(&key, format!("`{key}` {reason}")).hint("write it as a text, in quotes")
        })?;
        prunes.insert(name, Prune { max_share, query });
    }
    Ok(prunes)
}

fn source(said: said::Source, dir: &Path) -> Source {
    match said {
        said::Source::Scan(said) => scan(said),
        said::Source::File(said::File { path, key, version, form }) => {
            Source::File { path: dir.join(path), key, version, form }
        }
        said::Source::Queue(said) => Source::Queue {
            consuming: Consuming { lease: said.lease, idle: said.idle, max_deliveries: said.max_deliveries },
            queue: said.queue,
            table: said.table,
            key: said.key,
            version: said.version,
            form: said.form,
            consumers: said.consumers,
        },
        said::Source::Requests(said) => requests(said),
        said::Source::Export(said::Export { directory, bucket, prefix, key, version }) => {
            let at = match bucket {
                Some(bucket) => ExportAt::Bucket { bucket, prefix: prefix.unwrap_or_default() },
                None => ExportAt::Directory(dir.join(directory.unwrap_or_default())),
            };
            Source::Export { at, key, version }
        }
    }
}

fn requests(said: said::Requests) -> Source {
    let said::Requests { bucket, prefix, objects, prefixes, endings, queue, watch, poll, segments } = said;
    let intake = match queue {
        Some(queue) => Some(Intake::Queue(queue)),
        None => watch.then_some(Intake::Watch),
    };
    let key = Key::Many(["bucket", "key"].map(str::to_owned).into());
    Source::Requests { bucket, prefix, objects, prefixes, endings, intake, poll, segments, key, version: Version::None }
}

fn scan(said: said::Scan) -> Source {
    let said::Scan { table, key, version, segments, mut attributes, consistent, read_share, max_rcu } = said;
    if !attributes.is_empty() {
        let version = match &version {
            Version::Attribute(name) => Some(name),
            Version::None => None,
        };
        attributes.extend(key.attributes().iter().chain(version).cloned());
        attributes.sort_unstable();
        attributes.dedup();
    }
    let rate = read_share.map(Rate::Share).or(max_rcu.map(Rate::Units));
    Source::Scan { table, key, version, segments, options: ScanOptions { attributes, consistent, rate } }
}

/// The name of a recipe that does not say one.
fn stem(document: &Document, path: &Path) -> Result<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if is_name(stem) {
        return Ok(stem.to_owned());
    }
    Err(document
        .error_at("name", format!("the file's name {stem:?} cannot be the name of the recipe"))
        .hint("add, above the first table: name = \"parcels\" (a small letter or digit, then also `-` and `_`)"))
}
