//! PNG: every chunk that is not pixels, before and after them.

use std::io::{Read, Seek};

use super::bounded::{Bounded, Stop};

/// Signature of the file.
const BEGIN: u64 = 8;
/// Length and name before a chunk's data, and the checksum after it.
const AROUND: u64 = 12;

pub(super) fn walk(file: &mut Bounded<impl Read + Seek>) -> Result<(), Stop> {
    let mut at = BEGIN;
    loop {
        let [a, b, c, d, name @ ..]: [u8; 8] = file.array(at)?;
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        match &name {
            b"IEND" => return Ok(()),
            b"IDAT" | b"fdAT" => {}
            name if name.iter().all(u8::is_ascii_alphabetic) => {
                file.take(format!("png:{}", name.escape_ascii()), at + 8, length)?;
            }
            _ => return Err(Stop::Ends),
        }
        at += AROUND + length;
    }
}
