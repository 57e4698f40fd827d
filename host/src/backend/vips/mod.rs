//! Images, by the system's libvips.

pub mod blocks;
