//! TIFF, small and big: some tags of the first directory as blocks of their own, and its other tags as a small TIFF
//! without pictures, since the bytes of a tag do not contain their meaning.

#[cfg(test)]
mod tests;

use std::io::{Read, Seek};

use super::bounded::{Bounded, Stop};

/// XMP, IPTC, Photoshop, ICC: tags with a format of their own.
const BLOCKS: [u16; 4] = [700, 33723, 34377, 34675];
/// Sub-directories, EXIF, GPS, interoperability: where other directories are.
const POINTERS: [u16; 4] = [330, 34665, 34853, 40965];
/// How deep directories may be nested in the first one. This also ends loops.
const DEPTH: u32 = 2;

/// The size of a directory without its entries, of an entry, and of an entry of a big TIFF.
const AROUND: usize = 6;
const ENTRY: usize = 12;
const BIG_ENTRY: usize = 20;
/// How many bytes of a value an entry holds itself.
const INLINE: usize = 4;

/// Kinds of values: numbers of 32 and 64 bits, and pointers of as many.
const LONG: u16 = 4;
const IFD: u16 = 13;
const LONG8: u16 = 16;
const IFD8: u16 = 18;

pub(super) fn walk(file: &mut Bounded<impl Read + Seek>) -> Result<(), Stop> {
    let [mark, _, a, b]: [u8; 4] = file.array(0)?;
    let (is_little, is_big) = (mark == b'I', a.max(b) == 43);
    let mut tiff = Tiff { file, is_little, is_big, small: Vec::new() };
    let first = if is_big { tiff.number::<8>(8)? } else { tiff.number::<4>(4)? };
    tiff.grow(8)?;
    tiff.small[..2].fill(mark);
    tiff.write(2, 42, 2)?;
    let begin = tiff.copy(first, 0)?;
    tiff.write(4, begin, 4)?;
    let small = tiff.small;
    file.put("tiff:IFD0".to_owned(), first, small)
}

/// A TIFF, and the small one that is made of it in the same byte order.
struct Tiff<'a, R> {
    file: &'a mut Bounded<R>,
    is_little: bool,
    is_big: bool,
    small: Vec<u8>,
}

/// A value in the small TIFF.
struct Value {
    tag: u64,
    kind: u16,
    data: Vec<u8>,
}

impl<R: Read + Seek> Tiff<'_, R> {
    /// Copies a directory and those it points to. Returns where it begins in the small TIFF.
    fn copy(&mut self, at: u64, depth: u32) -> Result<u64, Stop> {
        let (at, count) = if self.is_big { (at + 8, self.number::<8>(at)?) } else { (at + 2, self.number::<2>(at)?) };
        let width = if self.is_big { BIG_ENTRY } else { ENTRY };
        let table = self.file.bytes(at, count.checked_mul(width as u64).ok_or(Stop::Ends)?)?;
        let begin = self.grow(AROUND + table.len() / width * ENTRY)?;
        let mut kept = 0;
        for (at, raw) in (at..).step_by(width).zip(table.chunks_exact(width)) {
            match self.value(at, raw, depth) {
                Ok(Some(value)) => {
                    self.enter(begin + 2 + kept * ENTRY as u64, &value)?;
                    kept += 1;
                }
                // A value beyond the end of the file affects only itself.
                Ok(None) | Err(Stop::Ends) => {}
                Err(stop) => return Err(stop),
            }
        }
        self.write(begin, kept, 2)?;
        Ok(begin)
    }

    /// Reads the value of an entry at an offset of the file; none if it is a block or has no meaning.
    fn value(&mut self, at: u64, raw: &[u8], depth: u32) -> Result<Option<Value>, Stop> {
        let (tag, kind) = (self.decode(&raw[..2]), self.decode(&raw[2..4]) as u16);
        let (count, field) = raw[4..].split_at(if self.is_big { 8 } else { 4 });
        let length = self.decode(count).checked_mul(width(kind)).ok_or(Stop::Ends)?;
        let is_inline = length <= field.len() as u64;
        let offset = if is_inline { at + (raw.len() - field.len()) as u64 } else { self.decode(field) };
        if depth == 0 && length > 0 && BLOCKS.contains(&(tag as u16)) {
            return self.file.take(format!("tiff:{tag}"), offset, length).map(|()| None);
        }
        let data = self.file.bytes(offset, length)?;
        let (kind, data) = match kind {
            LONG | IFD | LONG8 | IFD8 if POINTERS.contains(&(tag as u16)) => (LONG, self.follow(kind, &data, depth)?),
            LONG8 | IFD8 => (LONG, self.narrowed(&data)?),
            _ => (kind, data),
        };
        Ok(Some(Value { tag, kind, data }).filter(|value| !value.data.is_empty()))
    }

    /// Copies the directories that a value points to. Returns the value that points to the copies.
    fn follow(&mut self, kind: u16, data: &[u8], depth: u32) -> Result<Vec<u8>, Stop> {
        let mut begins = Vec::new();
        for pointer in data.chunks_exact(width(kind) as usize).take_while(|_| depth < DEPTH) {
            match self.copy(self.decode(pointer), depth + 1) {
                Ok(begin) => begins.extend(self.encode(begin, 4)?),
                Err(Stop::Ends) => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(begins)
    }

    /// Numbers of 64 bits in 32, if they fit.
    fn narrowed(&self, data: &[u8]) -> Result<Vec<u8>, Stop> {
        let narrow = |number: &[u8]| u32::try_from(self.decode(number)).map_err(|_| Stop::Ends);
        let numbers = data.chunks_exact(8).map(|number| self.encode(narrow(number)?.into(), 4));
        Ok(numbers.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// Writes an entry at an offset of the small TIFF, and its value there or at the end.
    fn enter(&mut self, at: u64, value: &Value) -> Result<(), Stop> {
        self.write(at, value.tag, 2)?;
        self.write(at + 2, value.kind.into(), 2)?;
        self.write(at + 4, value.data.len() as u64 / width(value.kind), 4)?;
        let mut place = at + 8;
        if value.data.len() > INLINE {
            place = self.grow(value.data.len())?;
            self.write(at + 8, place, 4)?;
        }
        self.small[place as usize..][..value.data.len()].copy_from_slice(&value.data);
        Ok(())
    }

    /// Makes room at the end of the small TIFF. Returns where it begins, an even place.
    fn grow(&mut self, length: usize) -> Result<u64, Stop> {
        let begin = self.small.len().next_multiple_of(2);
        self.file.hold((begin + length - self.small.len()) as u64)?;
        self.small.resize(begin + length, 0);
        Ok(begin as u64)
    }

    fn write(&mut self, at: u64, number: u64, width: usize) -> Result<(), Stop> {
        let bytes = self.encode(number, width)?;
        self.small[at as usize..][..width].copy_from_slice(&bytes);
        Ok(())
    }

    /// Reads a number of the file.
    fn number<const N: usize>(&mut self, at: u64) -> Result<u64, Stop> {
        let bytes: [u8; N] = self.file.array(at)?;
        Ok(self.decode(&bytes))
    }

    fn decode(&self, bytes: &[u8]) -> u64 {
        let shift = |number, byte: &u8| number << 8 | u64::from(*byte);
        if self.is_little { bytes.iter().rev().fold(0, shift) } else { bytes.iter().fold(0, shift) }
    }

    /// Encodes a number in `width` bytes. If it does not fit, the small TIFF would be too large.
    fn encode(&self, number: u64, width: usize) -> Result<Vec<u8>, Stop> {
        if number >> (8 * width) > 0 {
            return Err(Stop::Full);
        }
        let bytes = if self.is_little { number.to_le_bytes() } else { number.to_be_bytes() };
        let begin = if self.is_little { 0 } else { bytes.len() - width };
        Ok(bytes[begin..][..width].to_vec())
    }
}

/// The bytes of one value of a kind; 0 for an unknown kind.
fn width(kind: u16) -> u64 {
    match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        LONG | 9 | 11 | IFD => 4,
        5 | 10 | 12 | LONG8 | IFD8 => 8,
        _ => 0,
    }
}
