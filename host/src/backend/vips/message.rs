//! What is said between this program and a process that decodes: one line of JSON each.
//!
//! Whatever such a process says may have been made up by a hostile image. Nothing in it is a path, and its sizes are
//! held against what is really there.

use serde::{Deserialize, Serialize};

use crate::{
    capability::image::Header,
    record::{Format, Size, Step},
};

/// Told to a process when it starts, before it fences itself in.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Settings {
    /// Bytes of memory it may use.
    pub memory: u64,
}

/// What a process says of itself, before its first image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Hello {
    /// The version of libvips.
    pub libvips: String,
    /// What it can do although it should not be able to, tried out: nothing, where the kernel has every fence.
    pub open: Vec<String>,
}

/// Something to be done with [`IMAGE`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Request {
    pub limits: Limits,
    pub task: Task,
}

/// The image of a request, in a process's own directory.
pub(super) const IMAGE: &str = "in/image";
/// Where a process writes what it made of an image, in its own directory.
pub(super) const MADE: &str = "out/made";

/// What one image may cost.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Limits {
    pub max_pixels: u64,
    pub max_pages: u32,
    pub max_bands: u32,
    /// Whether readers are used that nobody tests against hostile files.
    pub untrusted_loaders: bool,
    /// Seconds of CPU time.
    pub cpu: u64,
    /// Bytes of the largest file that may be written.
    pub file: u64,
}

/// What to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Task {
    /// Describes a page. Its colour profile comes in [`MADE`].
    Describe(Page),
    /// Reads the blocks of metadata, at most so many bytes. Their data comes in [`MADE`], one after another.
    Blocks(u64),
    /// Makes a picture of a page, in [`MADE`].
    Render { page: Page, steps: Vec<Step>, format: Format },
}

/// A page of an image.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Page {
    /// Counted from 0.
    pub number: u32,
    /// Dots an inch at which drawn pages become pixels.
    pub density: Option<f64>,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Described(Header),
    Blocks(Vec<Placed>),
    Rendered { picture: Size, size: Size },
    Failed(Failed),
}

/// Where a block stands in its file, and how much of [`MADE`] is its data.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Placed {
    pub name: String,
    pub offset: u64,
    pub length: u64,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Failed {
    /// A limit forbids it.
    Refused(String),
    /// It is broken, or no image.
    Unreadable(String),
    /// There was not enough memory.
    Memory(String),
    /// The disk is full.
    Full,
}

impl Failed {
    /// Tells what libvips means by what it says.
    pub fn said(said: &str) -> Self {
        let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let text = lines.join("; ").replace(&format!("\"{IMAGE}\""), "the file").replace(IMAGE, "the file");
        if text.contains("No space left on device") || text.contains("Disk quota exceeded") {
            return Self::Full;
        }
        if text.contains("out of memory") || text.contains("Cannot allocate memory") {
            return Self::Memory(text);
        }
        Self::Unreadable(if text.is_empty() { "libvips gives no reason".to_owned() } else { text })
    }
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
