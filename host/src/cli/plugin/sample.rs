//! `samples/<name>.json`: items, and the records and documents that a plugin finds when it reads.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    error::{Error, Result},
    record::{Item, canonical},
};

/// What a sample file says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    items: Vec<SaidItem>,
    #[serde(default)]
    tables: Contents,
    #[serde(default)]
    indexes: Contents,
    #[serde(default)]
    settings: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidItem {
    id: String,
    version: Option<u64>,
    body: Box<RawValue>,
}

/// JSON texts by resource and key.
type Contents = BTreeMap<String, BTreeMap<String, Box<RawValue>>>;

/// A sample, ready to run.
pub(super) struct Sample {
    /// The file.
    pub file: PathBuf,
    /// The items, in canonical form.
    pub items: Vec<Item>,
    /// Records by table and key.
    pub tables: BTreeMap<String, BTreeMap<String, String>>,
    /// Documents by index and id.
    pub indexes: BTreeMap<String, BTreeMap<String, String>>,
    /// The text of one JSON object.
    pub settings: String,
}

impl Sample {
    /// Every sample of a directory, by name.
    ///
    /// *Errors*: there is none, or one is not as a sample should be.
    pub(super) fn all(directory: &Path) -> Result<Vec<Self>> {
        let mut files: Vec<_> = fs::read_dir(directory)
            .map_err(|error| none(directory).because(error))?
            .filter_map(|file| Some(file.ok()?.path()))
            .filter(|file| is_sample(file))
            .collect();
        files.sort();
        if files.is_empty() {
            return Err(none(directory));
        }
        files.into_iter().map(Self::read).collect()
    }

    /// The file with the outcomes this sample must have.
    pub(super) fn expected(&self) -> PathBuf {
        self.file.with_extension("expected.json")
    }

    fn read(file: PathBuf) -> Result<Self> {
        let broken = |message: String| Error::usage(message).with("sample", file.display().to_string());
        let text =
            fs::read_to_string(&file).map_err(|error| broken("the sample cannot be read".into()).because(error))?;
        let said: Said = serde_json::from_str(&text).map_err(|error| {
            broken("the file is not a sample".into()).because(error).hint(
                "a sample is {\"items\": [{\"id\": …, \"version\": …, \"body\": {…}}], \"tables\": {…}, \"indexes\": {…}, \"settings\": {…}}; only `items` is needed",
            )
        })?;
        let canonical = |what: &str, raw: &RawValue| {
            canonical(raw.get()).map_err(|reason| broken(format!("{what} of the sample {reason}")))
        };
        let item = |item: SaidItem| {
            let body = canonical(&format!("item `{}`", item.id), &item.body)?;
            Ok(Item { id: item.id, version: item.version, body })
        };
        let contents = |what: &str, contents: Contents| {
            let texts = |(name, texts): (String, BTreeMap<String, Box<RawValue>>)| {
                let text = |(key, raw): (String, Box<RawValue>)| {
                    let text = canonical(&format!("{what} `{name}`, `{key}`"), &raw)?;
                    Ok((key, text))
                };
                Ok((name.clone(), texts.into_iter().map(text).collect::<Result<_>>()?))
            };
            contents.into_iter().map(texts).collect::<Result<BTreeMap<_, _>>>()
        };
        let items = said.items.into_iter().map(item).collect::<Result<_>>()?;
        let (tables, indexes) = (contents("table", said.tables)?, contents("index", said.indexes)?);
        let settings = said.settings.map_or(Ok("{}".to_owned()), |settings| canonical("settings", &settings))?;
        Ok(Self { items, tables, indexes, settings, file })
    }
}

fn is_sample(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".json") && !name.ends_with(".expected.json")
}

fn none(directory: &Path) -> Error {
    Error::usage("there are no samples to test the plugin with")
        .with("directory", directory.display().to_string())
        .hint("write samples/<name>.json with {\"items\": [{\"id\": \"…\", \"body\": {…}}]}, then run with --accept")
}
