//! Puts together what a checked recipe means: names filled in, paths joined to the recipe's directory.

use std::{collections::BTreeMap, path::Path};

use super::{Plugin, PluginAt, Recipe, Source, check::is_name, identity, said};
use crate::{document::Document, error::Result, pipeline::Consuming};

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
        indexes: said.index.into_iter().map(|(name, index)| (name, dir.join(index.definition))).collect(),
        limits: said.limits,
        run: said.run,
        lines: document.lines(),
        identity,
        dir,
    })
}

fn source(said: said::Source, dir: &Path) -> Source {
    match said {
        said::Source::Scan(said::Scan { table, key, version, segments }) => {
            Source::Scan { table, key, version, segments }
        }
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
        said::Source::Export(said::Export { directory, key, version }) => {
            Source::Export { directory: dir.join(directory), key, version }
        }
    }
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
