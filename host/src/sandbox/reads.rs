//! What a batch has read so far. A part of a bisected batch gets the same answers as the whole batch did.
//!
//! Bounded by `[limits] host-memory`. [`Services`] reads from the backends.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::{context::Services, fault::Exceeded};
use crate::{
    capability::{
        Capability,
        grant::Access,
        image::{self, Block, Header},
        index::Document,
        storage::ObjectInfo,
    },
    error::{Error, Kind},
    record::{Rendition, Size},
};

/// How many keys are read at once; their memory is checked after each part.
const PART: usize = 100;
/// What remembering one answer costs in addition to its content, in bytes.
const OVERHEAD: usize = 128;

/// Why a read has no answer.
pub enum Refused {
    /// The grant is missing.
    Denied(String),
    /// The backend is unreachable.
    Unavailable(String),
    /// The answers are more than the host keeps for one call.
    TooLarge(String),
    /// Anything else.
    Other(String),
    /// The whole call ends here.
    Call(Exceeded),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let text = match error.hint_text() {
            Some(hint) => format!("{}; {hint}", error.message()),
            None => error.message().to_owned(),
        };
        match error.kind() {
            Kind::Denied => Self::Denied(text),
            Kind::Unavailable => Self::Unavailable(text),
            _ => Self::Other(text),
        }
    }
}

/// Answers by resource and key.
type Remembered<V> = HashMap<String, HashMap<String, V>>;

/// Everything one batch has read.
#[derive(Default)]
pub struct Reads {
    /// Whether one item alone is being worked on, so that reading less is not possible.
    pub alone: bool,
    /// The error of a store that cannot be read, once a call ended with it.
    pub place: Option<Error>,
    held: u64,
    records: Remembered<Option<String>>,
    objects: Remembered<Option<Vec<u8>>>,
    heads: Remembered<Option<ObjectInfo>>,
    documents: Remembered<Option<Document>>,
    depths: Remembered<u64>,
    lists: Remembered<Vec<ObjectInfo>>,
    headers: Remembered<image::Answer<Header>>,
    blocks: Remembered<image::Answer<Vec<Block>>>,
}

/// An image that a plugin opens.
#[derive(Clone)]
pub enum Picture {
    /// An object of a bucket.
    Object { bucket: String, key: String },
    /// These bytes.
    Bytes(Bytes),
}

impl Picture {
    /// The resource and key under which its answer is remembered: bytes by their digest, under no bucket name.
    fn remembered(&self) -> (String, String) {
        match self {
            Self::Object { bucket, key } => (bucket.clone(), key.clone()),
            Self::Bytes(bytes) => (String::new(), blake3::hash(bytes).to_hex().to_string()),
        }
    }
}

impl Reads {
    /// Reads records of a table.
    pub async fn records(
        &mut self,
        services: &Services,
        table: &str,
        keys: &[String],
    ) -> Result<Vec<Option<String>>, Refused> {
        services.check(Capability::Storage, table, Access::Read)?;
        for part in missing(&self.records, table, keys).chunks(PART) {
            let found = services.records(table, part).await.map_err(|error| self.failed(error))?;
            self.hold(services, part, &found, weigh_text)?;
            keep(&mut self.records, table, part, found);
        }
        self.answer(services, &self.records, table, keys, weigh_text)
    }

    /// Reads whole objects of a bucket. Their sizes are checked before their content is read.
    pub async fn objects(
        &mut self,
        services: &Services,
        bucket: &str,
        keys: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, Refused> {
        let weigh = |object: &Option<Vec<u8>>| object.as_ref().map_or(0, Vec::len);
        for part in missing(&self.objects, bucket, keys).chunks(PART) {
            let sizes = self.heads(services, bucket, part).await?;
            self.fits(services, self.held + sizes.iter().flatten().map(|head| head.size).sum::<u64>())?;
            let found = services
                .objects(bucket, part, services.context.limits.host_memory.as_u64())
                .await
                .map_err(|error| self.failed(error))?;
            self.hold(services, part, &found, weigh)?;
            keep(&mut self.objects, bucket, part, found);
        }
        services.check(Capability::Storage, bucket, Access::Read)?;
        self.answer(services, &self.objects, bucket, keys, weigh)
    }

    /// Describes objects of a bucket.
    pub async fn heads(
        &mut self,
        services: &Services,
        bucket: &str,
        keys: &[String],
    ) -> Result<Vec<Option<ObjectInfo>>, Refused> {
        let weigh = |head: &Option<ObjectInfo>| head.as_ref().map_or(0, |head| head.key.len() + head.etag.len());
        services.check(Capability::Storage, bucket, Access::Read)?;
        for part in missing(&self.heads, bucket, keys).chunks(PART) {
            let found = services.heads(bucket, part).await.map_err(|error| self.failed(error))?;
            self.hold(services, part, &found, weigh)?;
            keep(&mut self.heads, bucket, part, found);
        }
        self.answer(services, &self.heads, bucket, keys, weigh)
    }

    /// Reads documents of an index.
    pub async fn documents(
        &mut self,
        services: &Services,
        index: &str,
        ids: &[String],
    ) -> Result<Vec<Option<Document>>, Refused> {
        let weigh = |found: &Option<Document>| found.as_ref().map_or(0, |found| found.id.len() + found.body.len());
        services.check(Capability::Index, index, Access::Read)?;
        for part in missing(&self.documents, index, ids).chunks(PART) {
            let found = services.documents(index, part).await.map_err(|error| self.failed(error))?;
            self.hold(services, part, &found, weigh)?;
            keep(&mut self.documents, index, part, found);
        }
        self.answer(services, &self.documents, index, ids, weigh)
    }

    /// Lists the objects of a bucket under prefixes.
    pub async fn lists(
        &mut self,
        services: &Services,
        bucket: &str,
        prefixes: &[String],
    ) -> Result<Vec<Vec<ObjectInfo>>, Refused> {
        let weigh = |list: &Vec<ObjectInfo>| list.iter().map(weigh_info).sum();
        services.check(Capability::Storage, bucket, Access::Read)?;
        for prefix in missing(&self.lists, bucket, prefixes) {
            let found = services.list(bucket, &prefix).await.map_err(|error| self.failed(error))?;
            self.hold(services, std::slice::from_ref(&prefix), std::slice::from_ref(&found), weigh)?;
            keep(&mut self.lists, bucket, &[prefix], vec![found]);
        }
        self.answer(services, &self.lists, bucket, prefixes, weigh)
    }

    /// Describes images.
    pub async fn headers(
        &mut self,
        services: &Services,
        pictures: &[Picture],
    ) -> Result<Vec<image::Answer<Header>>, Refused> {
        let weigh = |header: &image::Answer<Header>| {
            header.as_ref().map_or(0, |header| header.profile.as_ref().map_or(0, Bytes::len))
        };
        may_open(services, pictures)?;
        let asked: Vec<_> = new(&self.headers, pictures);
        for (picture, header) in asked.iter().zip(services.headers(&asked).await) {
            let (name, key) = picture.remembered();
            let header = header.map_err(|error| self.failed(error))?;
            self.hold(services, std::slice::from_ref(&key), std::slice::from_ref(&header), weigh)?;
            keep(&mut self.headers, &name, &[key], vec![header]);
        }
        self.answers(services, &self.headers, pictures, weigh)
    }

    /// Reads the metadata of images.
    pub async fn blocks(
        &mut self,
        services: &Services,
        pictures: &[Picture],
    ) -> Result<Vec<image::Answer<Vec<Block>>>, Refused> {
        let weigh = |blocks: &image::Answer<Vec<Block>>| {
            blocks.as_ref().map_or(0, |blocks| blocks.iter().map(|block| block.data.len() + OVERHEAD).sum())
        };
        may_open(services, pictures)?;
        let asked: Vec<_> = new(&self.blocks, pictures);
        for (picture, blocks) in asked.iter().zip(services.blocks(&asked).await) {
            let (name, key) = picture.remembered();
            let blocks = blocks.map_err(|error| self.failed(error))?;
            self.hold(services, std::slice::from_ref(&key), std::slice::from_ref(&blocks), weigh)?;
            keep(&mut self.blocks, &name, &[key], vec![blocks]);
        }
        self.answers(services, &self.blocks, pictures, weigh)
    }

    /// Returns how large renditions will be.
    pub async fn sizes(
        &mut self,
        services: &Services,
        renditions: &[Rendition],
    ) -> Result<Vec<image::Answer<Size>>, Refused> {
        for rendition in renditions {
            services.check(Capability::Image, &rendition.picture.bucket, Access::Read)?;
        }
        // Not remembered: asking again is cheap, and the host keeps the files themselves.
        let sizes = services.sizes(renditions).await.into_iter();
        sizes.map(|size| size.map_err(|error| self.failed(error))).collect()
    }

    /// Counts the waiting messages of queues.
    pub async fn depths(&mut self, services: &Services, queues: &[String]) -> Result<Vec<u64>, Refused> {
        for queue in queues {
            services.check(Capability::Queue, queue, Access::Read)?;
        }
        for queue in missing(&self.depths, "", queues) {
            let depth = services.depth(&queue).await.map_err(|error| self.failed(error))?;
            keep(&mut self.depths, "", &[queue], vec![depth]);
        }
        self.answer(services, &self.depths, "", queues, |_| 0)
    }

    /// What a failed read means for the call. An error of the store ends it, and stops the run. If the error concerns
    /// one of several items, bisection finds that item; a call with one item gets the error.
    fn failed(&mut self, error: Error) -> Refused {
        if !error.concerns_item() {
            self.place = Some(error);
        } else if self.alone {
            return error.into();
        }
        Refused::Call(Exceeded::Read)
    }

    fn hold<V>(
        &mut self,
        services: &Services,
        keys: &[String],
        found: &[V],
        weigh: impl Fn(&V) -> usize,
    ) -> Result<(), Refused> {
        let keys: usize = keys.iter().map(|key| key.len() + OVERHEAD).sum();
        let bytes = (keys + found.iter().map(weigh).sum::<usize>()) as u64;
        self.fits(services, self.held + bytes)?;
        self.held += bytes;
        Ok(())
    }

    fn answer<V: Clone>(
        &self,
        services: &Services,
        remembered: &Remembered<V>,
        name: &str,
        keys: &[String],
        weigh: impl Fn(&V) -> usize,
    ) -> Result<Vec<V>, Refused> {
        let Some(known) = remembered.get(name) else { return Ok(Vec::new()) };
        let answers = || keys.iter().filter_map(|key| known.get(key));
        // A key may occur a million times in one list; each answer is a copy.
        self.fits(services, answers().map(|answer| weigh(answer) as u64).sum())?;
        Ok(answers().cloned().collect())
    }

    fn answers<V: Clone>(
        &self,
        services: &Services,
        remembered: &Remembered<V>,
        pictures: &[Picture],
        weigh: impl Fn(&V) -> usize,
    ) -> Result<Vec<V>, Refused> {
        let answers: Vec<_> = pictures.iter().filter_map(|picture| known(remembered, picture)).collect();
        self.fits(services, answers.iter().map(|answer| weigh(answer) as u64).sum())?;
        Ok(answers.into_iter().cloned().collect())
    }

    fn fits(&self, services: &Services, bytes: u64) -> Result<(), Refused> {
        let limit = services.context.limits.host_memory;
        if bytes <= limit.as_u64() {
            Ok(())
        } else if self.alone {
            Err(Refused::TooLarge(format!("the answers are larger than {limit}; raise `host-memory` under `[limits]`")))
        } else {
            Err(Refused::Call(Exceeded::HostMemory))
        }
    }
}

fn may_open(services: &Services, pictures: &[Picture]) -> Result<(), Refused> {
    for picture in pictures {
        if let Picture::Object { bucket, .. } = picture {
            services.check(Capability::Image, bucket, Access::Read)?;
        }
    }
    Ok(())
}

fn known<'a, V>(remembered: &'a Remembered<V>, picture: &Picture) -> Option<&'a V> {
    let (name, key) = picture.remembered();
    remembered.get(&name)?.get(&key)
}

/// The pictures that have no remembered answer yet, each once.
fn new<V>(remembered: &Remembered<V>, pictures: &[Picture]) -> Vec<Picture> {
    let mut seen = HashSet::new();
    let is_new = |picture: &&Picture| known(remembered, picture).is_none() && seen.insert(picture.remembered());
    pictures.iter().filter(is_new).cloned().collect()
}

fn weigh_info(info: &ObjectInfo) -> usize {
    info.key.len() + info.etag.len() + OVERHEAD
}

fn weigh_text(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}

fn missing<V>(remembered: &Remembered<V>, name: &str, keys: &[String]) -> Vec<String> {
    let known = remembered.get(name);
    let mut seen = HashSet::new();
    keys.iter()
        .filter(|key| !known.is_some_and(|known| known.contains_key(*key)) && seen.insert(*key))
        .cloned()
        .collect()
}

fn keep<V>(remembered: &mut Remembered<V>, name: &str, keys: &[String], found: Vec<V>) {
    remembered.entry(name.to_owned()).or_default().extend(keys.iter().cloned().zip(found));
}
