//! The projection of a Grid image document: how an image would look if it were uploaded today, and then edited as its
//! users have edited it.
//!
//! Pure: the file's metadata and what the stores answered come in, the document goes out. Does not read anything, and
//! makes no image.

pub mod asset;
pub mod cleaners;
pub mod dates;
pub mod derived;
pub mod document;
mod failure;
mod file_metadata;
pub mod image_metadata;
mod keys;
pub mod merge;
mod mime;
pub mod plan;
mod plugin;
pub mod processors;
pub mod projection;
mod record;
pub mod settings;
pub mod suppliers;
mod text;
mod upload;
pub mod usage_rights;

pub use document::Document;
pub use failure::Failure;
pub use file_metadata::{FileMetadata, Json, Texts};
pub use image_metadata::ImageMetadata;
pub use keys::{ImageId, address};
pub use mime::MimeType;
pub use plugin::GridImages;
pub use projection::{Input, project};
pub use settings::{Parity, Settings};
pub use upload::Upload;
pub use usage_rights::UsageRights;
