//! Which blocks of a TIFF carry metadata: tags of the first directory, and the rest of it as a small TIFF.

use crate::{
    block::{Block, named},
    found::Found,
    ifd,
};

pub(crate) fn read(blocks: &[Block], found: &mut Found) {
    let tag = |block: &Block| block.name.strip_prefix("tiff:")?.parse().ok();
    let mut tags: Vec<(u16, _)> = blocks.iter().filter_map(|block| Some((tag(block)?, block.data))).collect();
    tags.sort_by_key(|(tag, _)| *tag);
    ifd::read_with(named(blocks, "tiff:IFD0").next().unwrap_or_default(), tags, found);
}
