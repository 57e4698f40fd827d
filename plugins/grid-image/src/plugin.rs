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

/// A record of an image's users.
type Field = fn(&mut Records) -> &mut Option<String>;

/// The tables of the users' records, by the ids of the images. One that is not granted has no records.
const TABLES: [(&str, Field); 6] = [
    ("edits", |records| &mut records.edits),
    ("leases", |records| &mut records.leases),
    ("collections", |records| &mut records.collections),
    ("usages", |records| &mut records.usages),
    ("syndication-rights", |records| &mut records.syndication_rights),
    ("soft-deletions", |records| &mut records.soft_deletions),
];

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
        let optional = [CROPS].into_iter().chain(TABLES.map(|(name, _)| name));
        optional.fold(description, |asked, store| asked.reads(Capability::Storage, store).if_granted())
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
    let originals = Bucket::open(ORIGINALS)?.head_many(&keys)?;
    let headers = image::describe_many(&origins(ORIGINALS, &keys))?;
    let blocks = image::blocks_many(&origins(ORIGINALS, &keys))?;
    let thumbnails = image::describe_many(&origins(THUMBNAILS, &keys))?;
    let optimised = image::describe_many(&origins(ORIGINALS, &optimised_keys))?;
    // Each image takes its answers from all reads, also one that fails by the first of them.
    let files = originals.into_iter().zip(headers).zip(blocks).zip(thumbnails.into_iter().zip(optimised));
    let users = crops(ids)?.into_iter().zip(records(ids)?);
    let seen = keys.into_iter().zip(files).zip(users).map(|((key, files), (crops, records))| {
        let (((original, header), blocks), (thumbnail, optimised)) = files;
        Ok(Seen {
            original: original.ok_or_else(|| outcome(&Failure::NotFound { key }))?,
            header: header.map_err(flawed)?,
            blocks: blocks.map_err(flawed)?,
            thumbnail: stored("thumbnail", thumbnail)?,
            optimised: stored("optimised PNG", optimised)?,
            crops,
            records,
        })
    });
    Ok(seen.collect())
}

fn origins(bucket: &str, keys: &[String]) -> Vec<Origin> {
    keys.iter().map(|key| Origin::Object(Object { bucket: bucket.to_owned(), key: key.clone() })).collect()
}

/// The outcome of an original with a flaw.
fn flawed(flaw: image::Flaw) -> Outcome {
    match flaw {
        image::Flaw::Unreadable(reason) => outcome(&Failure::Unreadable { reason }),
        flaw => flaw.into(),
    }
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
    let mut all = vec![Records::default(); ids.len()];
    for (name, field) in TABLES {
        if let Some(table) = if_granted(Table::open(name))? {
            for (records, record) in all.iter_mut().zip(table.get_many(&keys)?) {
                *field(records) = record;
            }
        }
    }
    Ok(all)
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
