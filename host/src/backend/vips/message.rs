//! The protocol between this program and a worker process (`reindex-image-worker`): one line of JSON per message.
//!
//! A hostile image may control every message of such a process. Nothing in it is a path, and its sizes are checked
//! against the files.

use serde::{Deserialize, Serialize};

use crate::{
    capability::image::Header,
    record::{Format, Size, Step},
};

/// Sent to a process when it starts, before it sandboxes itself.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Settings {
    /// Bytes of memory it may use.
    pub memory: u64,
}

/// The first message of a process, before its first image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hello {
    /// The name and version of the decoder, such as `libvips 8.14.1`.
    pub maker: String,
    /// The actions that the sandbox should prevent and that succeeded in a test; empty if the kernel supports every
    /// part of it.
    pub open: Vec<String>,
}

/// A task for [`IMAGE`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// The limits of the task.
    pub limits: Limits,
    /// The task.
    pub task: Task,
}

/// The image of a request, in a process's own directory.
pub const IMAGE: &str = "in/image";
/// Where a process writes its output, in its own directory.
pub const MADE: &str = "out/made";

/// The limits of one image.
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
    /// Whether readers are used that are not tested against hostile files.
    pub untrusted_loaders: bool,
    /// Seconds of CPU time.
    pub cpu: u64,
    /// Bytes of the largest file that may be written.
    pub file: u64,
}

/// A task of a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Task {
    /// Describes a page. Its colour profile is written to [`MADE`].
    Describe {
        /// Which one.
        page: Page,
        /// Why it is described.
        purpose: Purpose,
    },
    /// Reads the blocks of metadata, at most this many bytes. Their data is written to [`MADE`], one after another.
    Blocks(u64),
    /// Makes a picture of a page, in [`MADE`].
    Render {
        /// Which one.
        page: Page,
        /// The steps, in this order.
        steps: Vec<Step>,
        /// The format of the file.
        format: Format,
    },
}

/// The purpose of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To return its header.
    Look,
    /// To make a picture of it: a page that no picture can be made of is refused.
    Render,
}

/// A page of an image.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Page {
    /// Counted from 0.
    pub number: u32,
    /// Dots per inch at which vector pages are rendered to pixels.
    pub density: Option<f64>,
}

/// The answer to a request.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// The description of the page.
    Described(Header),
    /// The blocks, in the order of the file.
    Blocks(Vec<Placed>),
    /// A picture was made.
    Rendered {
        /// The size of the page, as stored.
        picture: Size,
        /// The picture's own size.
        size: Size,
    },
    /// It failed.
    Failed(Failed),
    /// It is about to fail: if the process ends before the next line, this is the reason. A later answer replaces it.
    Failing(Failed),
}

/// The place of a block in its file, and the size of its data in [`MADE`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Placed {
    /// The block's name.
    pub name: String,
    /// Its offset in its file.
    pub offset: u64,
    /// The size of its data in bytes.
    pub length: u64,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failed {
    /// It exceeds a limit.
    Refused(String),
    /// It is broken, or not an image.
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
