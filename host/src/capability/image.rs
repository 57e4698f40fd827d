//! Images: what they say of themselves, and renditions made of them. Pixels stay with whoever makes them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use bytesize::ByteSize;
use jiff::fmt::serde::unsigned_duration::friendly::compact;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::storage::{Bucket, Chunks};
use crate::{
    error::Result,
    record::{Rendition, Size},
};

/// `[image]` of a recipe: what is opened at all, and what an image may cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whether kinds of files are opened whose readers are not tested against hostile ones: SVG, BMP, PDF, EPS, ….
    pub untrusted_loaders: bool,
    /// The most pixels of a page.
    pub max_pixels: u64,
    /// The most pages or frames of a file.
    pub max_pages: u32,
    /// The most numbers a pixel may have.
    pub max_bands: u32,
    /// The largest file that is opened.
    #[schemars(with = "String", regex(pattern = crate::document::SIZE))]
    pub max_bytes: ByteSize,
    /// The largest colour profile that is handed to a plugin.
    #[schemars(with = "String")]
    pub max_profile: ByteSize,
    /// Images that are decoded at a time, each in a process of its own; 0 means one a core.
    pub workers: u32,
    /// Threads for each of them.
    pub threads: u32,
    /// Time on the wall for an image.
    #[serde(with = "compact::required")]
    #[schemars(with = "String", regex(pattern = crate::document::TIME))]
    pub wall: Duration,
    /// CPU time for an image, of all its threads.
    #[serde(with = "compact::required")]
    #[schemars(with = "String", regex(pattern = crate::document::TIME))]
    pub cpu: Duration,
    /// Memory of a process.
    #[schemars(with = "String", regex(pattern = crate::document::SIZE))]
    pub memory: ByteSize,
    /// Room on the disk for what is being read and written, all together.
    #[schemars(with = "String", regex(pattern = crate::document::SIZE))]
    pub scratch: ByteSize,
    /// A process is replaced after so many images.
    pub renew_after: u32,
}

/// Where an image is.
#[derive(Clone)]
pub enum Origin {
    /// An object.
    Object {
        /// The bucket it is in.
        bucket: Arc<dyn Bucket>,
        /// The bucket's name in the recipe.
        name: String,
        /// Its key there.
        key: String,
    },
    /// In these bytes.
    Bytes(Bytes),
}

/// What an image says of itself before it is decoded. The fields mean what `wit/image.wit` says of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is documented once, in `wit/image.wit`")]
pub struct Header {
    pub format: String,
    pub size: u64,
    pub width: u32,
    pub height: u32,
    pub pages: u32,
    pub bands: u32,
    pub bits: u32,
    pub colour: String,
    pub alpha: bool,
    pub orientation: u8,
    #[serde(skip)]
    pub profile: Option<Bytes>,
}

/// A block of a file that is not pixels. The fields mean what `wit/image.wit` says of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is documented once, in `wit/image.wit`")]
pub struct Block {
    pub name: String,
    pub offset: u64,
    pub data: Bytes,
}

/// Why an image has no answer. It costs this image alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// There is no such object.
    Missing,
    /// The object is another than the one that was asked for; the one there now can be tried.
    Changed,
    /// It is more than [`Config`] allows, or of a kind that is not opened; the text says which key.
    Refused(String),
    /// It is broken, or no image.
    Unreadable(String),
    /// Whoever worked on it crashed, hung or ran out of something, twice.
    Fatal(String),
}

/// An answer about one image.
pub type Answer<T> = std::result::Result<T, Flaw>;

/// A rendition that was made, and lies on the disk until it is read.
pub struct Rendered {
    /// The size of the picture it was made of, as stored.
    pub picture: Size,
    /// Its own size.
    pub size: Size,
    /// How many bytes will come.
    pub bytes: u64,
    /// Its content.
    pub content: Chunks,
}

/// Who opens images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Its name and version, such as `libvips 8.14.1`.
    pub maker: String,
    /// What an image could do to this machine if it took over whoever opens it, such as `reach the network`; nothing
    /// where every fence stands.
    pub open: Vec<String>,
}

/// Opens images, away from this process: whatever is wrong with one costs only itself.
///
/// *Errors*: of each call, those of buckets, and whatever keeps all images from being worked on, such as a full disk.
#[async_trait]
pub trait Images: Send + Sync {
    /// Says who opens images here, after making sure that somebody does.
    async fn about(&self) -> Result<About>;

    /// Describes an image without decoding it.
    async fn describe(&self, origin: &Origin) -> Result<Answer<Header>>;

    /// Reads every block of metadata, in the order of the file; refuses more than `max_bytes` of them.
    async fn blocks(&self, origin: &Origin, max_bytes: u64) -> Result<Answer<Vec<Block>>>;

    /// Tells the exact size of a rendition without making it. `origin` is what its picture names.
    async fn measure(&self, origin: &Origin, rendition: &Rendition) -> Result<Answer<Size>>;

    /// Makes a rendition. `origin` is what its picture names.
    async fn render(&self, origin: &Origin, rendition: &Rendition) -> Result<Answer<Rendered>>;
}
