//! The context of a plugin: its grants, its limits, and the host functions behind its imports.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{self, Arc, PoisonError},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use tokio::sync::Mutex;

use crate::{
    capability::{
        Capability, Resources,
        grant::{Access, Grant, Grants},
        image::{self, Block, Header, Images, Origin},
        index::Document,
        storage::{Listing, ObjectInfo, Table},
    },
    error::{Error, Kind, Result},
    event::{Event, Events},
    record::{Form, Key, Refusal, Rendition, Shape, Size, Version},
    sandbox::{Limits, reads::Picture},
};

/// How long to wait before each further attempt of a read.
const PAUSES: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(800)];

/// How many objects a list has at most: the size of one answer of S3.
const MOST_LISTED: usize = 1000;

/// How many images are opened at a time.
const ABREAST: usize = 8;

/// How many random bytes an instance may read before they repeat.
const ENTROPY_BYTES: usize = 8192;

/// What one recipe's plugin may use.
#[derive(Clone)]
pub struct Context {
    /// What one call may use.
    pub limits: Limits,
    /// What is granted.
    pub grants: Grants,
    /// The resources by name.
    pub resources: Resources,
    /// The recipe's settings for the plugin: the text of one JSON object.
    pub settings: String,
    /// The time that a plugin sees; it does not advance.
    pub now: jiff::Timestamp,
    /// The seed of a plugin's random numbers.
    pub seed: u64,
    /// Receives logs and denials.
    pub events: Events,
    /// How many instances work at a time at most, and how many are kept for reuse.
    pub instances: usize,
}

/// Answers a plugin's reads: checks the grant, finds the backend, and retries.
pub(super) struct Services {
    pub context: Context,
    /// What was asked for and is not granted.
    refused: sync::Mutex<BTreeSet<Grant>>,
    /// How each table's records are read; cached, since it costs a request.
    shapes: Mutex<HashMap<String, Arc<Shape>>>,
    /// The random bytes that every instance reads, in the same order.
    pub entropy: Vec<u8>,
}

impl Services {
    pub fn new(context: Context) -> Self {
        let mut entropy = vec![0; ENTROPY_BYTES];
        blake3::Hasher::new().update(&context.seed.to_le_bytes()).finalize_xof().fill(&mut entropy);
        Self { context, refused: sync::Mutex::default(), shapes: Mutex::default(), entropy }
    }

    /// Checks a grant; sends an event if it is missing.
    pub fn check(&self, capability: Capability, name: &str, access: Access) -> Result<()> {
        self.context.grants.check(capability, name, access).inspect_err(|_| {
            let grant = Grant { capability, name: name.to_owned(), access };
            self.context.events.send(Event::Denied { grant: grant.to_string() });
            self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(grant);
        })
    }

    /// The error of a read that was not granted, if a plugin gives it as its reason to retry: no retry would succeed.
    pub fn not_granted(&self, reason: &str) -> Option<Error> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let mut errors = refused.iter().map(|grant| self.context.grants.denied(grant));
        errors.find(|error| reason.contains(error.message()))
    }

    /// Reads records as canonical plain JSON.
    pub async fn records(&self, name: &str, keys: &[String]) -> Result<Vec<Option<String>>> {
        let table = find(&self.context.resources.tables, "table", name)?;
        let shape = self.shape(name, table).await?;
        let found = patiently(|| table.get_many(keys)).await?;
        let record = |(key, body): (&String, Option<Vec<u8>>)| {
            body.map(|body| shape.item(&body).map(|item| item.body).map_err(|refusal| unreadable(key, &refusal)))
        };
        keys.iter().zip(same_length(keys, found)?).map(|pair| record(pair).transpose()).collect()
    }

    /// Reads whole objects of at most `max_bytes` each.
    pub async fn objects(&self, name: &str, keys: &[String], max_bytes: u64) -> Result<Vec<Option<Vec<u8>>>> {
        let bucket = find(&self.context.resources.buckets, "bucket", name)?;
        same_length(keys, patiently(|| bucket.get_many(keys, max_bytes)).await?)
    }

    /// Describes objects.
    pub async fn heads(&self, name: &str, keys: &[String]) -> Result<Vec<Option<ObjectInfo>>> {
        let bucket = find(&self.context.resources.buckets, "bucket", name)?;
        same_length(keys, patiently(|| bucket.head_many(keys)).await?)
    }

    /// Lists the first objects under a prefix.
    pub async fn list(&self, name: &str, prefix: &str) -> Result<Vec<ObjectInfo>> {
        let bucket = find(&self.context.resources.buckets, "bucket", name)?;
        let (mut found, mut after) = (Vec::new(), None);
        while found.len() < MOST_LISTED {
            let list = || bucket.list(prefix, after.as_deref(), MOST_LISTED - found.len());
            let Listing { objects, next, .. } = patiently(list).await?;
            found.extend(objects);
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        Ok(found)
    }

    /// Describes images, several at a time.
    pub async fn headers(&self, pictures: &[Picture]) -> Vec<Result<image::Answer<Header>>> {
        abreast(pictures.iter().map(|picture| self.header(picture)).collect()).await
    }

    async fn header(&self, picture: &Picture) -> Result<image::Answer<Header>> {
        let (images, origin) = (self.images()?, self.origin(picture)?);
        patiently(|| images.describe(&origin)).await
    }

    /// Reads the metadata of images, several at a time.
    pub async fn blocks(&self, pictures: &[Picture]) -> Vec<Result<image::Answer<Vec<Block>>>> {
        abreast(pictures.iter().map(|picture| self.blocks_of(picture)).collect()).await
    }

    async fn blocks_of(&self, picture: &Picture) -> Result<image::Answer<Vec<Block>>> {
        let max_bytes = self.context.limits.host_memory.as_u64();
        let (images, origin) = (self.images()?, self.origin(picture)?);
        patiently(|| images.blocks(&origin, max_bytes)).await
    }

    /// Returns how large renditions will be, several at a time.
    pub async fn sizes(&self, renditions: &[Rendition]) -> Vec<Result<image::Answer<Size>>> {
        abreast(renditions.iter().map(|rendition| self.size(rendition)).collect()).await
    }

    async fn size(&self, rendition: &Rendition) -> Result<image::Answer<Size>> {
        if let Some(flaw) = rendition.flaw() {
            return Ok(Err(image::Flaw::Refused(format!("the rendition {flaw}"))));
        }
        let (bucket, key) = (rendition.picture.bucket.clone(), rendition.picture.key.clone());
        let (images, origin) = (self.images()?, self.origin(&Picture::Object { bucket, key })?);
        patiently(|| images.measure(&origin, rendition)).await
    }

    fn images(&self) -> Result<&Arc<dyn Images>> {
        let absent = || Error::usage("nobody opens images here");
        self.context.resources.images.as_ref().ok_or_else(absent)
    }

    fn origin(&self, picture: &Picture) -> Result<Origin> {
        Ok(match picture {
            Picture::Object { bucket: name, key } => {
                let bucket = find(&self.context.resources.buckets, "bucket", name)?.clone();
                Origin::Object { bucket, name: name.clone(), key: key.clone() }
            }
            Picture::Bytes(bytes) => Origin::Bytes(bytes.clone()),
        })
    }

    /// Reads documents through an index's alias.
    pub async fn documents(&self, name: &str, ids: &[String]) -> Result<Vec<Option<Document>>> {
        let index = find(&self.context.resources.indexes, "index", name)?;
        same_length(ids, patiently(|| index.get_many(None, ids)).await?)
    }

    /// Counts the waiting messages of a queue.
    pub async fn depth(&self, name: &str) -> Result<u64> {
        let queue = find(&self.context.resources.queues, "queue", name)?;
        Ok(patiently(|| queue.depth()).await?.waiting)
    }

    async fn shape(&self, name: &str, table: &Arc<dyn Table>) -> Result<Arc<Shape>> {
        let mut shapes = self.shapes.lock().await;
        if let Some(shape) = shapes.get(name) {
            return Ok(Arc::clone(shape));
        }
        let key = patiently(|| table.key()).await?;
        let source = patiently(|| table.info()).await?.form;
        let key = if let [one] = key.as_slice() { Key::One(one.clone()) } else { Key::Many(key) };
        let max_bytes = usize::try_from(self.context.limits.item.as_u64()).unwrap_or(usize::MAX);
        let shape = Arc::new(Shape {
            key,
            version: Version::None,
            attributes: Vec::new(),
            source,
            wants: Form::Plain,
            max_bytes,
        });
        shapes.insert(name.to_owned(), Arc::clone(&shape));
        Ok(shape)
    }
}

/// Runs several futures at a time, and returns the answers in their order.
async fn abreast<T>(asked: Vec<impl Future<Output = T>>) -> Vec<T> {
    stream::iter(asked).buffered(ABREAST).collect().await
}

fn find<'a, T>(resources: &'a BTreeMap<String, T>, sort: &str, name: &str) -> Result<&'a T> {
    resources.get(name).ok_or_else(|| Error::new(Kind::NotFound, format!("there is no {sort} `{name}`")).of_item())
}

fn unreadable(key: &str, refusal: &Refusal) -> Error {
    let error = Error::usage(format!("the record `{key}` cannot be handed to the plugin: {}", refusal.reason));
    if refusal.too_big { error.hint("raise `item` under `[limits]`") } else { error }
}

fn same_length<T>(keys: &[String], answers: Vec<T>) -> Result<Vec<T>> {
    if keys.len() == answers.len() {
        Ok(answers)
    } else {
        Err(Error::bug(format!("a backend gave {} answers to {} keys", answers.len(), keys.len())))
    }
}

/// Retries, a few times, a read that may succeed later.
async fn patiently<T, F: Future<Output = Result<T>>>(attempt: impl Fn() -> F) -> Result<T> {
    for pause in PAUSES {
        match attempt().await {
            Err(error) if error.may_retry() => tokio::time::sleep(pause).await,
            answer => return answer,
        }
    }
    attempt().await
}
