//! What is said between this program and a process that decodes (`reindex-image-worker`): one line of JSON each.
//!
//! Anything such a process says may have been made up by a hostile image. Nothing in it is a path, and its sizes are
//! held against what is really there.

use serde::{Deserialize, Serialize};

use crate::{
    capability::image::Header,
    record::{Format, Size, Step},
};

/// Told to a process when it starts, before it fences itself in.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Settings {
    /// Bytes of memory it may use.
    pub memory: u64,
}

/// What a process says of itself, before its first image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hello {
    /// What decodes, such as `libvips 8.14.1`.
    pub maker: String,
    /// What it can do although it should not be able to, tried out: nothing, where the kernel has every fence.
    pub open: Vec<String>,
}

/// Something to be done with [`IMAGE`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// What it may cost.
    pub limits: Limits,
    /// What it is.
    pub task: Task,
}

/// The image of a request, in a process's own directory.
pub const IMAGE: &str = "in/image";
/// Where a process writes what it made of an image, in its own directory.
pub const MADE: &str = "out/made";

/// What one image may cost.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Limits {
    /// Pixels of a page.
    pub max_pixels: u64,
    /// Pages of a file.
    pub max_pages: u32,
    /// Numbers of a pixel.
    pub max_bands: u32,
    /// Bytes of a colour profile that is described.
    pub max_profile: u64,
    /// Whether readers are used that nobody tests against hostile files.
    pub untrusted_loaders: bool,
    /// Seconds of CPU time.
    pub cpu: u64,
    /// Bytes of the largest file that may be written.
    pub file: u64,
}

/// What to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Task {
    /// Describes a page. Its colour profile comes in [`MADE`].
    Describe {
        /// Which one.
        page: Page,
        /// What for.
        purpose: Purpose,
    },
    /// Reads the blocks of metadata, at most so many bytes. Their data comes in [`MADE`], one after another.
    Blocks(u64),
    /// Makes a picture of a page, in [`MADE`].
    Render {
        /// Which one.
        page: Page,
        /// What is done with it, in this order.
        steps: Vec<Step>,
        /// What it is written as.
        format: Format,
    },
}

/// What a page is described for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To know what it is.
    Look,
    /// To make a picture of it: what no picture can be made of is refused.
    Render,
}

/// A page of an image.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Page {
    /// Counted from 0.
    pub number: u32,
    /// Dots an inch at which drawn pages become pixels.
    pub density: Option<f64>,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// What the page is.
    Described(Header),
    /// What blocks there are, in the order of the file.
    Blocks(Vec<Placed>),
    /// A picture was made.
    Rendered {
        /// The size of the page, as stored.
        picture: Size,
        /// The picture's own size.
        size: Size,
    },
    /// Nothing came of it.
    Failed(Failed),
    /// Nothing will come of it: if the process ends before the next line, this is why. Another answer takes its place.
    Failing(Failed),
}

/// Where a block stands in its file, and how much of [`MADE`] is its data.
#[derive(Debug, Serialize, Deserialize)]
pub struct Placed {
    /// What the block is called.
    pub name: String,
    /// Where it begins in its file.
    pub offset: u64,
    /// Bytes of its data.
    pub length: u64,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failed {
    /// A limit forbids it.
    Refused(String),
    /// It is broken, or no image.
    Unreadable(String),
    /// There was not enough memory.
    Memory(String),
    /// The disk is full.
    Full,
}

impl From<std::ffi::NulError> for Failed {
    fn from(_: std::ffi::NulError) -> Self {
        Self::Unreadable("a text in it has a zero".to_owned())
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            std::io::ErrorKind::OutOfMemory => Self::Memory(error.to_string()),
            _ => Self::Unreadable(error.to_string()),
        }
    }
}
