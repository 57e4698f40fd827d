//! WebP: every chunk that is not pixels.

use std::io::{Read, Seek};

use super::bounded::{Bounded, Stop};

/// `RIFF`, the file's length, `WEBP`.
const BEGIN: u64 = 12;

pub(super) fn walk(file: &mut Bounded<impl Read + Seek>) -> Result<(), Stop> {
    let mut at = BEGIN;
    loop {
        let [name @ .., a, b, c, d]: [u8; 8] = file.array(at)?;
        let length = u64::from(u32::from_le_bytes([a, b, c, d]));
        match &name {
            b"VP8 " | b"VP8L" | b"ALPH" | b"ANMF" => {}
            name if name.iter().all(|letter| matches!(letter, b' '..=b'~')) => {
                file.take(format!("webp:{}", String::from_utf8_lossy(name)), at + 8, length)?;
            }
            _ => return Err(Stop::Ends),
        }
        // Chunks begin at even offsets.
        at += 8 + length.next_multiple_of(2);
    }
}
