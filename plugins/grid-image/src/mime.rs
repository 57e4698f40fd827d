//! What kind of image a file is, by its bytes.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::Failure;

/// The tag by which a TIFF says that it is a DNG.
const DNG_VERSION: u16 = 0xC612;

/// The tags of a directory of a TIFF have so many bytes each.
const ENTRY_BYTES: usize = 12;

/// How files begin that are no supported images, and what they are. Those of a camera that are TIFFs come before TIFF.
const OTHERS: [(&[u8], &str); 12] = [
    (b"II*\0\x10\0\0\0CR", "image/x-canon-cr2"),
    (b"II\x1a\0\0\0HEAPCCDR", "image/x-canon-crw"),
    (b"IIRO\x08\0", "image/x-olympus-orf"),
    (b"IIRS\x08\0", "image/x-olympus-orf"),
    (b"MMOR\0\0", "image/x-olympus-orf"),
    (b"FUJIFILMCCD-RAW", "image/x-fuji-raf"),
    (b"IIU\0", "image/x-panasonic-rw2"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"BM", "image/bmp"),
    (b"%PDF-", "application/pdf"),
];

/// A kind of image that has projections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MimeType {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// TIFF.
    Tiff,
}

impl MimeType {
    /// Looks at the first bytes of a file, and at the first directory of a TIFF.
    ///
    /// `directory` is any TIFF structure whose first directory has the tags of the file's: the whole file, or what a host
    /// copied of it. For other files it is not looked at.
    ///
    /// *Errors*: [`Failure::UnsupportedType`] for anything else, camera raw files included.
    pub fn detect(head: &[u8], directory: &[u8]) -> Result<Self, Failure> {
        let unsupported = |found: &str| Err(Failure::UnsupportedType { found: found.to_owned() });
        if let Some((_, found)) = OTHERS.iter().find(|(start, _)| head.starts_with(start)) {
            return unsupported(found);
        }
        match head {
            [0xFF, 0xD8, 0xFF, ..] => Ok(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Ok(Self::Png),
            [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Self::Tiff.unless_raw(directory),
            _ => unsupported("unknown"),
        }
    }

    /// Refuses a TIFF whose first directory says that it is camera raw.
    ///
    /// *Errors*: [`Failure::UnsupportedType`] for a DNG.
    pub fn unless_raw(self, directory: &[u8]) -> Result<Self, Failure> {
        if self == Self::Tiff && first_directory_has(directory, DNG_VERSION) {
            Err(Failure::UnsupportedType { found: "image/dng".to_owned() })
        } else {
            Ok(self)
        }
    }

    /// Takes a media type as a store says it, in any case; old crops say `jpg` and `png`.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "image/jpeg" | "jpg" => Some(Self::Jpeg),
            "image/png" | "png" => Some(Self::Png),
            "image/tiff" => Some(Self::Tiff),
            _ => None,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Tiff => "image/tiff",
        }
    }
}

/// Whether the first directory of a TIFF has a tag. What ends early has only the tags before.
fn first_directory_has(tiff: &[u8], tag: u16) -> bool {
    let is_little = tiff.starts_with(b"II");
    let short = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk()?;
        Some(if is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let has = || {
        let bytes = *tiff.get(4..)?.first_chunk()?;
        let start = if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
        let start = usize::try_from(start).ok()?;
        let mut entries = 0..usize::from(short(start)?);
        Some(entries.any(|n| start.checked_add(2 + n * ENTRY_BYTES).and_then(short) == Some(tag)))
    };
    has().unwrap_or(false)
}

impl fmt::Display for MimeType {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for MimeType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
