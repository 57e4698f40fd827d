//! The buckets that a sample names, and the images in them, which nobody opens: the sample says what they are.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::read_only;
use crate::{
    capability::{
        image::{About, Answer, Block, Flaw, Header, Images, Origin, Rendered},
        storage::{Bucket, Chunks, Listing, ObjectInfo, Put, chunks},
    },
    error::Result,
    record::{Rendition, Size},
};

/// Pages are drawn at so many dots an inch, unless a rendition says otherwise.
const DENSITY: f64 = 72.0;

/// An object of a sample.
#[derive(Clone)]
pub(in crate::cli::plugin) struct Object {
    /// What its bucket knows of it.
    pub info: ObjectInfo,
    /// Its content.
    pub content: Bytes,
}

/// Objects by key.
#[derive(Clone, Default)]
pub(in crate::cli::plugin) struct Objects(pub BTreeMap<String, Object>);

#[async_trait]
impl Bucket for Objects {
    async fn head_many(&self, keys: &[String]) -> Result<Vec<Option<ObjectInfo>>> {
        Ok(keys.iter().map(|key| self.0.get(key).map(|object| object.info.clone())).collect())
    }

    async fn read(&self, key: &str) -> Result<Option<(ObjectInfo, Chunks)>> {
        Ok(self.0.get(key).map(|object| (object.info.clone(), chunks(object.content.clone()))))
    }

    async fn write(&self, _key: &str, _put: &Put, _content: Chunks) -> Result<Option<ObjectInfo>> {
        Err(read_only())
    }

    async fn delete(&self, _key: &str) -> Result<()> {
        Err(read_only())
    }

    async fn delete_if(&self, _key: &str, _etag: &str) -> Result<bool> {
        Err(read_only())
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Listing> {
        let later = self.0.iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
        let mut found = later.filter(|(key, _)| key.starts_with(prefix)).peekable();
        // A listing knows neither media types nor metadata, and a plugin must not count on them.
        let listed = |info: &ObjectInfo| ObjectInfo { content_type: None, metadata: BTreeMap::new(), ..info.clone() };
        let objects: Vec<_> = found.by_ref().take(limit.max(1)).map(|(_, object)| listed(&object.info)).collect();
        let next = found.peek().and_then(|_| objects.last()).map(|info| info.key.clone());
        Ok(Listing { objects, next, ..Listing::default() })
    }
}

/// An image of a sample.
#[derive(Clone)]
pub(in crate::cli::plugin) struct Picture {
    /// What it says of itself.
    pub header: Header,
    /// Its metadata, in the order of the file.
    pub blocks: Vec<Block>,
}

/// Images, or what is wrong with them, by bucket and key.
#[derive(Clone, Default)]
pub(in crate::cli::plugin) struct Album(pub BTreeMap<String, BTreeMap<String, Answer<Picture>>>);

impl Album {
    async fn picture(&self, origin: &Origin) -> Result<Answer<Picture>> {
        let Origin::Object { bucket, name, key } = origin else {
            return Ok(Err(Flaw::Unreadable("a sample tells of images in buckets only".to_owned())));
        };
        if let Some(picture) = self.0.get(name).and_then(|images| images.get(key)) {
            return Ok(picture.clone());
        }
        let there = bucket.head_many(std::slice::from_ref(key)).await?;
        let untold = || Flaw::Unreadable(format!("the sample does not tell what image `{key}` is"));
        Ok(Err(if there.iter().flatten().next().is_some() { untold() } else { Flaw::Missing }))
    }
}

#[async_trait]
impl Images for Album {
    async fn about(&self) -> Result<About> {
        Ok(About { maker: "a sample".to_owned(), ..About::default() })
    }

    async fn describe(&self, origin: &Origin) -> Result<Answer<Header>> {
        Ok(self.picture(origin).await?.map(|picture| picture.header))
    }

    async fn blocks(&self, origin: &Origin, _max_bytes: u64) -> Result<Answer<Vec<Block>>> {
        Ok(self.picture(origin).await?.map(|picture| picture.blocks))
    }

    async fn measure(&self, origin: &Origin, rendition: &Rendition) -> Result<Answer<Size>> {
        Ok(self.picture(origin).await?.map(|Picture { header, .. }| {
            let page = drawn(&header, rendition.picture.density);
            rendition.measure(page, header.orientation)
        }))
    }

    async fn render(&self, _origin: &Origin, _rendition: &Rendition) -> Result<Answer<Rendered>> {
        Err(read_only())
    }
}

/// The pixels of a page; the header tells those of a drawn one at the usual density.
fn drawn(Header { format, width, height, .. }: &Header, density: Option<f64>) -> Size {
    let factor = density.filter(|_| matches!(format.as_str(), "pdf" | "svg")).map_or(1.0, |dots| dots / DENSITY);
    // What is larger than any picture becomes the largest number.
    let side = |side: &u32| (f64::from(*side) * factor).round() as u32;
    Size { width: side(width), height: side(height) }
}
