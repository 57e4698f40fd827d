//! Images: their headers, and renditions made of them. Pixels stay in the worker that decodes them.

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

/// `[image]` of a recipe: what is opened at all, and the limits of one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whether kinds of files are opened whose readers are not tested against hostile files: SVG, BMP, PDF, EPS, ….
    pub untrusted_loaders: bool,
    /// The most pixels of a page.
    pub max_pixels: u64,
    /// The most pages or frames of a file.
    pub max_pages: u32,
    /// The most bands (numbers per pixel).
    pub max_bands: u32,
    /// The largest file that is opened.
    #[schemars(with = "String", regex(pattern = crate::document::SIZE))]
    pub max_bytes: ByteSize,
    /// The largest colour profile that is handed to a plugin.
    #[schemars(with = "String")]
    pub max_profile: ByteSize,
    /// Images that are decoded at a time, each in a process of its own; 0 means one per core.
    pub workers: u32,
    /// Threads for each image.
    pub threads: u32,
    /// Wall-clock time for an image.
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
    /// Disk space for everything that is being read and written.
    #[schemars(with = "String", regex(pattern = crate::document::SIZE))]
    pub scratch: ByteSize,
    /// The number of images after which a worker process is replaced.
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

/// The header of an image, read before it is decoded. `wit/image.wit` documents the fields.
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

/// A block of a file that is not pixels. `wit/image.wit` documents the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is documented once, in `wit/image.wit`")]
pub struct Block {
    pub name: String,
    pub offset: u64,
    pub data: Bytes,
}

/// Why an image has no answer. Only this image is affected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// There is no such object.
    Missing,
    /// The object changed since it was asked for; the new one can be tried.
    Changed,
    /// It exceeds [`Config`], or is of a kind that is not opened; the text names the key.
    Refused(String),
    /// It is broken, or not an image.
    Unreadable(String),
    /// The worker crashed, hung or exceeded a limit, twice.
    Fatal(String),
}

/// An answer about one image.
pub type Answer<T> = std::result::Result<T, Flaw>;

/// A finished rendition, which is on the disk until it is read.
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

/// The library that opens images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Its name and version, such as `libvips 8.14.1`.
    pub maker: String,
    /// What a hostile image could do to this machine if it took over the worker, such as `reach the network`; empty if
    /// the worker's sandbox is complete.
    pub open: Vec<String>,
}

/// Opens images in other processes: a bad image affects only itself.
///
/// *Errors*: of each call, those of buckets, and everything that stops work on all images, such as a full disk.
#[async_trait]
pub trait Images: Send + Sync {
    /// Describes the library that opens images, after a check that a worker starts.
    async fn about(&self) -> Result<About>;

    /// Describes an image without decoding it.
    async fn describe(&self, origin: &Origin) -> Result<Answer<Header>>;

    /// Reads every block of metadata, in the order of the file; refuses more than `max_bytes` of them.
    async fn blocks(&self, origin: &Origin, max_bytes: u64) -> Result<Answer<Vec<Block>>>;

    /// Returns the exact size of a rendition without making it. `origin` is what its picture names.
    async fn measure(&self, origin: &Origin, rendition: &Rendition) -> Result<Answer<Size>>;

    /// Makes a rendition. `origin` is what its picture names.
    async fn render(&self, origin: &Origin, rendition: &Rendition) -> Result<Answer<Rendered>>;
}
