//! Photoshop image resource blocks.

use crate::{found::Found, ifd};

const SIGNATURE: &[u8] = b"8BIM";
const IPTC: u16 = 0x0404;
const ICC: u16 = 0x040F;
const EXIF: [u16; 2] = [0x0422, 0x0423];
const XMP: u16 = 0x0424;

/// Reads the resources one after another. A structural error ends the walk; what was read is kept.
pub(crate) fn read(bytes: &[u8], found: &mut Found) {
    let mut walk = Walk { bytes, at: 0 };
    while walk.at < bytes.len() {
        let Some(resource) = walk.next() else { return };
        if resource.signature != SIGNATURE {
            continue;
        }
        match resource.id {
            IPTC => found.read_iptc(resource.data),
            ICC => found.read_icc(resource.data),
            XMP => found.read_xmp(resource.data),
            id if EXIF.contains(&id) => found.nested(resource.data, ifd::read),
            _ => {}
        }
    }
}

struct Resource<'a> {
    signature: &'a [u8],
    id: u16,
    data: &'a [u8],
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn next(&mut self) -> Option<Resource<'a>> {
        let signature = self.take(SIGNATURE.len())?;
        let id = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        let name = usize::from(self.take(1)?[0]);
        self.take(name)?;
        self.pad()?;
        let length = i32::from_be_bytes(self.take(4)?.try_into().ok()?);
        let data = self.take(usize::try_from(length).ok()?)?;
        // A last resource of odd length without its padding is an error as well.
        self.pad()?;
        Some(Resource { signature, id, data })
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..)?.get(..length)?;
        self.at += length;
        Some(taken)
    }

    /// Goes on to an even place.
    fn pad(&mut self) -> Option<()> {
        self.take(self.at % 2).map(|_| ())
    }
}
