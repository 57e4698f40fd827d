//! The metadata of an image file, block by block as it is in the file. Pure and without libvips, which keeps less of
//! it.
//!
//! The first bytes of a file decide its kind. Nothing in it is trusted: a length beyond the end of the file, or an
//! invalid structure, ends the walk, and the blocks before it are kept.

pub(super) mod bounded;
mod gif;
mod heif;
mod jpeg;
mod png;
#[cfg(test)]
mod tests;
mod tiff;
mod webp;

use std::io::{Read, Seek};

use bytesize::ByteSize;

use bounded::{Bounded, Stop};
use reindex::{backend::vips::message::Failed, capability::image::Block};

/// Reads every block of metadata of an image, in the order of its file. A file of an unknown kind has none.
///
/// *Errors*: [`Failed::Refused`] if reading and keeping them takes more than `max_bytes`; no more is ever allocated.
/// Those of reading the file.
pub(super) fn read(file: &mut (impl Read + Seek), max_bytes: u64) -> Result<Vec<Block>, Failed> {
    let mut file = Bounded::open(file, max_bytes)?;
    match walk(&mut file) {
        Ok(()) | Err(Stop::Ends) => {}
        Err(Stop::Full) => {
            let limit = ByteSize(max_bytes);
            let why = format!("its metadata is larger than {limit}; raise `host-memory` under `[limits]`");
            return Err(Failed::Refused(why));
        }
        Err(Stop::Failed(error)) => return Err(error.into()),
    }
    file.blocks.sort_by_key(|block| block.offset);
    Ok(file.blocks)
}

fn walk(file: &mut Bounded<impl Read + Seek>) -> Result<(), Stop> {
    match &file.array::<12>(0)? {
        [0xff, 0xd8, 0xff, ..] => jpeg::walk(file),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => png::walk(file),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => tiff::walk(file),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => webp::walk(file),
        [b'G', b'I', b'F', b'8', ..] => gif::walk(file),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => heif::walk(file),
        _ => Ok(()),
    }
}
