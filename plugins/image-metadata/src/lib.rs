//! The metadata of an image as texts by name, from the blocks of its file that are not pixels.
//!
//! Names and texts are those of metadata-extractor 2.19 (IPTC, EXIF, ICC) and of Adobe's XMP Core 6.1 (XMP), so that a
//! document made with them equals one that was made with those libraries.
//!
//! ```
//! use image_metadata::{Block, Picture, orientation, read};
//!
//! let segment = b"\x1c\x02\x69\x00\x04Rain";
//! let blocks = [Block { name: "jpeg:APP13", data: segment }];
//! let metadata = read(&blocks, &Picture { interpretation: "srgb", alpha: false });
//! assert_eq!(metadata.iptc["Headline"], "Rain");
//! assert_eq!(metadata.colour_model.as_deref(), Some("RGB"));
//! assert_eq!(orientation(&blocks), None);
//! ```
//!
//! It reads and writes no files. Blocks are taken as untrusted bytes: nothing panics or loops, and time and memory are
//! bounded by the size of the blocks. What is broken is left out, and what was read before it is kept.

#![forbid(unsafe_code)]

mod block;
mod budget;
mod colour;
mod date;
mod exif;
mod found;
mod getty;
mod icc;
mod ifd;
mod iptc;
mod jpeg;
mod makernote;
mod metadata;
mod number;
mod orientation;
mod photoshop;
mod png;
mod redaction;
mod text;
mod tiff;
mod xmp;

pub use {
    block::{Block, Format},
    colour::Picture,
    date::clean_date,
    metadata::{FileMetadata, Texts, orientation, packets, read},
    orientation::{Orientation, Shape},
    redaction::REDACTED,
    xmp::{Flat, Json, flat, fold},
};
