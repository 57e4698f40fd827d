//! Which blocks of a TIFF carry metadata: tags of the first directory, and the rest of it as a small TIFF.

use crate::{
    block::{Block, named},
    found::Found,
    ifd, photoshop,
};

const IPTC_MARK: u8 = 0x1C;

pub(crate) fn read(blocks: &[Block], found: &mut Found) {
    for directory in named(blocks, "tiff:IFD0") {
        found.nested(directory, ifd::read);
    }
    // The order of the tags, which is the order of a directory.
    for packet in named(blocks, "tiff:700") {
        let end = packet.iter().position(|byte| *byte == 0);
        found.read_xmp(&packet[..end.unwrap_or(packet.len())]);
    }
    for stream in named(blocks, "tiff:33723").filter(|stream| stream.first() == Some(&IPTC_MARK)) {
        found.read_iptc(stream);
    }
    for resources in named(blocks, "tiff:34377") {
        found.nested(resources, photoshop::read);
    }
    for profile in named(blocks, "tiff:34675") {
        found.read_icc(profile);
    }
}
