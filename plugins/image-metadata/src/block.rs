//! What the reader is given: named blocks of a file.

/// A block of an image file that is not pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// The container and the block's name in it, as the image capability calls it: `jpeg:APP1`, `png:iTXt`,
    /// `tiff:IFD0`, `tiff:700`, ….
    pub name: &'a str,
    /// Its bytes, as they stand in the file, without length and checksum.
    pub data: &'a [u8],
}

/// The container of an image, of which blocks are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Segments.
    Jpeg,
    /// Chunks.
    Png,
    /// Directories.
    Tiff,
}

impl Format {
    /// The container that blocks are of: that of the first one. None if it is another one, or without blocks.
    #[must_use]
    pub fn of(blocks: &[Block]) -> Option<Self> {
        let (container, _) = blocks.first()?.name.split_once(':')?;
        match container {
            "jpeg" => Some(Self::Jpeg),
            "png" => Some(Self::Png),
            "tiff" => Some(Self::Tiff),
            _ => None,
        }
    }
}

/// The bytes of the blocks of one name, in the order of the file.
pub(crate) fn named<'a>(blocks: &'a [Block<'a>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    blocks.iter().filter(move |block| block.name == name).map(|block| block.data)
}
