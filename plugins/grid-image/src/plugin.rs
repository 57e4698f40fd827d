//! The plugin: what it asks for, and its reads.
//!
//! An item is an image by its id; its body is not looked at. A batch is read for as a whole.

use reindex_guest::{
    Capability, Description, Flaw, Item, Outcome, Plugin,
    image::{self, Header, Object, Origin},
    settings,
    storage::{Bucket, ObjectInfo, StorageError, Table},
};

use crate::{
    Failure, ImageId, Settings,
    dates::DateTime,
    plan::{INDEX, ORIGINALS, Records, Seen, THUMBNAILS, outcome, plan},
};

/// The bucket of the crops.
const CROPS: &str = "crops";

/// The tables of the users' records, by the ids of the images. One that is not granted has no records.
const TABLES: [&str; 6] = ["edits", "leases", "collections", "usages", "syndication-rights", "soft-deletions"];

/// The plugin.
pub struct GridImages;

impl Plugin for GridImages {
    fn describe() -> Description {
        let description = Description::new("grid-images")
            .fills(INDEX, include_str!("../index.json"))
            .reads(Capability::Image, ORIGINALS)
            .reads(Capability::Image, THUMBNAILS)
            .reads(Capability::Storage, ORIGINALS)
            .reads(Capability::Storage, THUMBNAILS)
            .writes(Capability::Storage, ORIGINALS)
            .writes(Capability::Storage, THUMBNAILS);
        [CROPS]
            .iter()
            .chain(&TABLES)
            .fold(description, |description, store| description.reads(Capability::Storage, store).if_granted())
    }

    fn transform(batch: Vec<Item>) -> Vec<Outcome> {
        let settings = match Settings::read(&settings::get()) {
            Ok(settings) => settings,
            Err(reason) => return batch.iter().map(|_| Outcome::Invalid(reason.clone())).collect(),
        };
        let ids: Vec<_> = batch.iter().map(|item| ImageId::new(&item.id)).collect();
        let known: Vec<_> = ids.iter().flatten().cloned().collect();
        let mut outcomes = match outcomes(&known, &settings) {
            Ok(outcomes) => outcomes.into_iter(),
            Err(outcome) => vec![outcome; known.len()].into_iter(),
        };
        let mut next = || outcomes.next().unwrap_or_else(|| Outcome::Retry("it was not answered".to_owned()));
        ids.iter().map(|id| id.as_ref().map_or_else(outcome, |_| next())).collect()
    }

    fn check(settings: &str) -> Vec<Flaw> {
        let flaw = |reason| Flaw { setting: String::new(), reason };
        Settings::read(settings).err().map(flaw).into_iter().collect()
    }
}

/// The outcomes of images, in their order.
///
/// *Errors*: the outcome of all of them where a read was not answered.
fn outcomes(ids: &[ImageId], settings: &Settings) -> Result<Vec<Outcome>, Outcome> {
    let now = DateTime::from_millis(jiff::Timestamp::now().as_millisecond());
    let outcomes = ids.iter().zip(look(ids)?).map(|(id, seen)| {
        let planned = seen.and_then(|seen| plan(id, seen, now, settings).map_err(|failure| outcome(&failure)));
        planned.map_or_else(|outcome| outcome, Outcome::from)
    });
    Ok(outcomes.collect())
}

/// Reads what the stores hold of images. One without an original, or with a broken one, has its outcome.
fn look(ids: &[ImageId]) -> Result<Vec<Result<Seen, Outcome>>, Outcome> {
    let keys: Vec<_> = ids.iter().map(ImageId::key).collect();
    let optimised_keys: Vec<_> = ids.iter().map(ImageId::optimised_key).collect();
    let mut originals = Bucket::open(ORIGINALS)?.head_many(&keys)?.into_iter();
    let mut headers = image::describe_many(&origins(ORIGINALS, &keys))?.into_iter();
    let mut blocks = image::blocks_many(&origins(ORIGINALS, &keys))?.into_iter();
    let mut thumbnails = image::describe_many(&origins(THUMBNAILS, &keys))?.into_iter();
    let mut optimised = image::describe_many(&origins(ORIGINALS, &optimised_keys))?.into_iter();
    let mut crops = crops(ids)?.into_iter();
    let mut records = records(ids)?.into_iter();
    let seen = ids.iter().map(|id| {
        let original = next(&mut originals)?.ok_or_else(|| outcome(&Failure::NotFound { key: id.key() }))?;
        Ok(Seen {
            original,
            header: next(&mut headers)??,
            blocks: next(&mut blocks)??,
            thumbnail: stored("thumbnail", next(&mut thumbnails)?)?,
            optimised: stored("optimised PNG", next(&mut optimised)?)?,
            crops: next(&mut crops)?,
            records: next(&mut records)?,
        })
    });
    Ok(seen.collect())
}

/// The next answer of a read, which has one for each image.
fn next<T>(answers: &mut impl Iterator<Item = T>) -> Result<T, Outcome> {
    answers.next().ok_or_else(|| Outcome::Retry("it was not answered".to_owned()))
}

fn origins(bucket: &str, keys: &[String]) -> Vec<Origin> {
    keys.iter().map(|key| Origin::Object(Object { bucket: bucket.to_owned(), key: key.clone() })).collect()
}

/// A derived image that is stored, or none.
fn stored(which: &'static str, header: Result<Header, image::Flaw>) -> Result<Option<Header>, Outcome> {
    match header {
        Ok(header) => Ok(Some(header)),
        Err(image::Flaw::Missing) => Ok(None),
        Err(image::Flaw::Refused(found) | image::Flaw::Unreadable(found)) => {
            Err(outcome(&Failure::Derived { which, found }))
        }
        Err(image::Flaw::Other(reason)) => Err(Outcome::Retry(reason)),
    }
}

/// The objects of the crops of each image, with what was noted down with them; none where the bucket is not granted.
fn crops(ids: &[ImageId]) -> Result<Vec<Vec<ObjectInfo>>, Outcome> {
    let Some(bucket) = if_granted(Bucket::open(CROPS))? else { return Ok(vec![Vec::new(); ids.len()]) };
    let prefixes: Vec<_> = ids.iter().map(ImageId::crops_prefix).collect();
    let lists = bucket.list_many(&prefixes)?;
    let keys: Vec<_> = lists.iter().flatten().map(|object| object.key.clone()).collect();
    let mut objects = bucket.head_many(&keys)?.into_iter();
    Ok(lists.iter().map(|list| objects.by_ref().take(list.len()).flatten().collect()).collect())
}

/// The records of the users of each image.
fn records(ids: &[ImageId]) -> Result<Vec<Records>, Outcome> {
    let keys: Vec<_> = ids.iter().map(|id| id.as_str().to_owned()).collect();
    let tables = TABLES.iter().map(|name| match if_granted(Table::open(name))? {
        Some(table) => Ok(table.get_many(&keys)?.into_iter()),
        None => Ok(vec![None; keys.len()].into_iter()),
    });
    let mut tables = tables.collect::<Result<Vec<_>, Outcome>>()?.into_iter();
    let mut table = || tables.next().unwrap_or_default();
    let (mut edits, mut leases, mut collections) = (table(), table(), table());
    let (mut usages, mut syndication_rights, mut soft_deletions) = (table(), table(), table());
    let records = ids.iter().map(|_| {
        Ok(Records {
            edits: next(&mut edits)?,
            leases: next(&mut leases)?,
            collections: next(&mut collections)?,
            usages: next(&mut usages)?,
            syndication_rights: next(&mut syndication_rights)?,
            soft_deletions: next(&mut soft_deletions)?,
        })
    });
    records.collect()
}

/// A store that the recipe may leave out.
fn if_granted<T>(opened: Result<T, StorageError>) -> Result<Option<T>, Outcome> {
    match opened {
        Ok(store) => Ok(Some(store)),
        Err(StorageError::Denied(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

reindex_guest::export!(GridImages);
