//! `samples/<name>.json`: items, and what a plugin finds when it reads: records, documents, objects and images.

mod objects;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::value::RawValue;

use objects::{SaidImage, SaidObject};

use super::memory::{Album, Objects, Texts};
use crate::{
    capability::{Capability, grant::Grant},
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
    buckets: Named<SaidObject>,
    #[serde(default)]
    images: Named<SaidImage>,
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

/// What is found, by resource and key.
type Named<T> = BTreeMap<String, BTreeMap<String, T>>;

/// JSON texts by resource and key.
type Contents = Named<Box<RawValue>>;

/// What a file has to be like.
const SHAPE: &str = "a sample is {\"items\": [{\"id\": …, \"version\": …, \"body\": {…}}], \"tables\": {…}, \"indexes\": {…}, \
    \"buckets\": {…}, \"images\": {…}, \"settings\": {…}}; only `items` is needed, and `reindex plugin test --help` \
    tells the rest";

/// A sample, ready to run.
pub(super) struct Sample {
    /// The file.
    pub file: PathBuf,
    /// The items, in canonical form.
    pub items: Vec<Item>,
    /// Records by table and key.
    pub tables: BTreeMap<String, Texts>,
    /// Documents by index and id.
    pub indexes: BTreeMap<String, Texts>,
    /// Objects by bucket and key.
    pub buckets: BTreeMap<String, Objects>,
    /// Images in those buckets.
    pub images: Album,
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

    /// Whether it says anything of the resource of a grant.
    pub(super) fn names(&self, Grant { capability, name, .. }: &Grant) -> bool {
        match capability {
            Capability::Storage => self.tables.contains_key(name) || self.buckets.contains_key(name),
            Capability::Index => self.indexes.contains_key(name),
            Capability::Image => self.images.0.contains_key(name),
            Capability::Queue => false,
        }
    }

    /// The file with the outcomes this sample must have.
    pub(super) fn expected(&self) -> PathBuf {
        self.file.with_extension("expected.json")
    }

    fn read(file: PathBuf) -> Result<Self> {
        let broken = |message: String| Error::usage(message).with("sample", file.display().to_string());
        let text =
            fs::read_to_string(&file).map_err(|error| broken("the sample cannot be read".into()).because(error))?;
        let said: Said = serde_json::from_str(&text)
            .map_err(|error| broken("the file is not a sample".into()).because(error).hint(SHAPE))?;
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
        let buckets = said.buckets.into_iter().map(|(name, objects)| (name, bucket(objects))).collect();
        let images = album(said.images).map_err(|error| error.with("sample", file.display().to_string()))?;
        Ok(Self { items, tables, indexes, buckets, images, settings, file })
    }
}

fn bucket(objects: BTreeMap<String, SaidObject>) -> Objects {
    let object = |(key, said): (String, SaidObject)| (key.clone(), said.object(&key));
    Objects(objects.into_iter().map(object).collect())
}

fn album(images: Named<SaidImage>) -> Result<Album> {
    let picture = |bucket: &str, key: String, said: SaidImage| {
        let at = format!("`{key}` of `{bucket}`");
        Ok((key, said.picture().map_err(|error| error.with("image", at))?))
    };
    let pictures = |(bucket, images): (String, BTreeMap<String, SaidImage>)| {
        let pictures = images.into_iter().map(|(key, said)| picture(&bucket, key, said)).collect::<Result<_>>()?;
        Ok((bucket, pictures))
    };
    images.into_iter().map(pictures).collect::<Result<_>>().map(Album)
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
