//! GIF: comments and data of applications.

use std::io::{Read, Seek};

use super::bounded::{Bounded, Stop};

const EXTENSION: u8 = b'!';
const IMAGE: u8 = b',';
const COMMENT: u8 = 0xfe;
const APPLICATION: u8 = 0xff;
/// Signature, and the screen up to its table of colours.
const BEGIN: u64 = 13;

pub(super) fn walk(file: &mut Bounded<impl Read + Seek>) -> Result<(), Stop> {
    let [flags] = file.array(10)?;
    let mut at = BEGIN + colours(flags);
    loop {
        at = match file.array(at)? {
            [EXTENSION] => extension(file, at + 1)?,
            [IMAGE] => {
                let [flags] = file.array(at + 9)?;
                // After the table, one byte has the code size of the pixels.
                end(file, at + 11 + colours(flags))?
            }
            _ => return Ok(()),
        };
    }
}

/// Takes an extension that is metadata. Returns where it ends.
fn extension(file: &mut Bounded<impl Read + Seek>, at: u64) -> Result<u64, Stop> {
    let [label] = file.array(at)?;
    let begin = at + 1;
    let end = end(file, begin)?;
    match label {
        COMMENT => file.take("gif:comment".to_owned(), begin, end - begin)?,
        APPLICATION => file.take("gif:application".to_owned(), begin, end - begin)?,
        _ => {}
    }
    Ok(end)
}

/// Where a sequence of sub-blocks ends that each begin with their length; the last one is empty.
fn end(file: &mut Bounded<impl Read + Seek>, mut at: u64) -> Result<u64, Stop> {
    loop {
        let [length] = file.array(at)?;
        at += 1 + u64::from(length);
        if length == 0 {
            return Ok(at);
        }
    }
}

/// How many bytes a table of colours takes.
fn colours(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 0x07) + 1) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;

    #[test]
    fn xmp_stands_there_as_it_was_written() {
        let file = b"GIF89a\x01\0\x01\0\0\0\0!\xff\x0bXMP DataXMP\x04<x/>\x01\0\0!\xf9\x01x\0!\xfe\x02hi\0;";
        let expected = [("gif:application", r"\x0bXMP DataXMP\x04<x/>\x01\x00\x00"), ("gif:comment", r"\x02hi\x00")];
        assert_eq!(told(file), expected.map(|(name, data)| (name.to_owned(), data.to_owned())));
    }
}
