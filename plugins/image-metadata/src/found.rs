//! What was found so far: the first directory of each kind, and every XMP packet.

use crate::{
    budget::Budget,
    metadata::Texts,
    xmp::Flat,
    {icc, iptc, xmp},
};

/// How deep blocks may lie in blocks: Photoshop resources in EXIF in Photoshop resources, ….
const DEPTH: usize = 4;

/// Directories by their kind. Only the first of a kind is kept, even if it is empty.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) iptc: Option<Texts>,
    pub(crate) exif: Option<Texts>,
    pub(crate) exif_sub: Option<Texts>,
    pub(crate) icc: Option<Texts>,
    /// One for each packet that could be parsed.
    pub(crate) xmp: Vec<Flat>,
    /// Tag 274 of the first directory of the EXIF data.
    pub(crate) orientation: Option<i32>,
    /// The camera's maker, of the same directory.
    pub(crate) make: Option<String>,
    pub(crate) budget: Budget,
    depth: usize,
}

impl Found {
    /// Nothing yet, of a file with so many bytes of blocks.
    pub(crate) fn new(size: usize) -> Self {
        Self {
            iptc: None,
            exif: None,
            exif_sub: None,
            icc: None,
            xmp: Vec::new(),
            orientation: None,
            make: None,
            budget: Budget::new(size),
            depth: 0,
        }
    }

    /// Reads an IPTC stream.
    pub(crate) fn read_iptc(&mut self, bytes: &[u8]) {
        if self.iptc.is_none() && self.budget.takes(bytes.len()) {
            self.iptc = Some(iptc::read(bytes));
        }
    }

    /// Reads a colour profile.
    pub(crate) fn read_icc(&mut self, bytes: &[u8]) {
        if self.icc.is_none() && self.budget.takes(bytes.len()) {
            self.icc = Some(icc::read(bytes));
        }
    }

    /// Reads an XMP packet.
    pub(crate) fn read_xmp(&mut self, bytes: &[u8]) {
        if self.budget.takes(bytes.len()) {
            self.xmp.extend(xmp::flat(bytes));
        }
    }

    /// Reads a block that may contain other blocks, unless it lies too deep.
    pub(crate) fn nested(&mut self, bytes: &[u8], read: fn(&[u8], &mut Self)) {
        if self.depth < DEPTH && self.budget.takes(bytes.len()) {
            self.depth += 1;
            read(bytes, self);
            self.depth -= 1;
        }
    }
}
