//! JPEG: the segments up to the first scan.

use std::io::{Read, Seek};

use super::bounded::{Bounded, Stop};

const COMMENT: u8 = 0xfe;
const FILL: u8 = 0xff;

pub(super) fn walk(file: &mut Bounded<impl Read + Seek>) -> Result<(), Stop> {
    let mut at = 2;
    loop {
        let [0xff, marker] = file.array(at)? else { return Err(Stop::Ends) };
        at += match marker {
            FILL => 1,
            // A marker that stands alone.
            0x01 | 0xd0..=0xd8 => 2,
            // The scan, or the end of the picture.
            0x00 | 0xd9 | 0xda => return Ok(()),
            _ => 2 + segment(file, at, marker)?,
        };
    }
}

/// Takes a segment that is metadata. Returns its length, which counts itself.
fn segment(file: &mut Bounded<impl Read + Seek>, at: u64, marker: u8) -> Result<u64, Stop> {
    let length = u64::from(u16::from_be_bytes(file.array(at + 2)?));
    let data = length.checked_sub(2).ok_or(Stop::Ends)?;
    match marker {
        0xe0..=0xef => file.take(format!("jpeg:APP{}", marker & 0x0f), at + 4, data)?,
        COMMENT => file.take("jpeg:COM".to_owned(), at + 4, data)?,
        _ => {}
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;

    #[test]
    fn every_segment_of_a_kind_is_there_whatever_it_begins_with() {
        let file =
            b"\xff\xd8\xff\xe1\0\x08Exif\0\0\xff\xff\xff\xe1\0\x06XMP\0\xff\xe1\0\x06http\xff\xfe\0\x03!\xff\xda";
        let expected = [("APP1", r"Exif\x00\x00"), ("APP1", r"XMP\x00"), ("APP1", "http"), ("COM", "!")];
        assert_eq!(told(file), expected.map(|(name, data)| (format!("jpeg:{name}"), data.to_owned())));
    }

    #[test]
    fn structure_that_makes_no_sense_ends_it() {
        assert_eq!(told(b"\xff\xd8\xff\xe1\0\x03axx\xff\xe1\0\x03b").len(), 1);
        assert_eq!(told(b"\xff\xd8\xff\xe1\0\x01a\xff\xe1\0\x03b").len(), 0);
    }
}
