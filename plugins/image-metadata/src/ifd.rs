//! TIFF structures: directories of tags, which point to other directories.

mod field;

use std::{collections::HashSet, iter::Peekable, vec::IntoIter};

pub(crate) use field::{Directory, Field, Kind};

use crate::{exif, found::Found, makernote, photoshop};

/// How deep a directory may lie in others.
const DEPTH: usize = 32;
/// So many entries of an unknown kind make a directory nonsense.
const UNKNOWN: usize = 6;

const ENTRY: usize = 12;
/// What an entry holds itself.
const INLINE: usize = 4;
/// The count before the entries of a directory, and the place of the next directory after them.
const AROUND: usize = 6;

const MAKE: u16 = 0x010F;
const SUB_DIRECTORIES: u16 = 0x014A;
const XMP: u16 = 0x02BC;
const IPTC: u16 = 0x83BB;
const PHOTOSHOP: u16 = 0x8649;
const EXIF: u16 = 0x8769;
const ICC: u16 = 0x8773;
const GPS: u16 = 0x8825;
const MAKERNOTE: u16 = 0x927C;
const INTEROPERABILITY: u16 = 0xA005;
/// It is a directory of another kind, in a form of its own.
const PRINT_IMAGE_MATCHING: u16 = 0xC4A5;

const IPTC_MARK: u8 = 0x1C;

/// Which directory it is, and how deep it lies in others.
#[derive(Clone, Copy, Debug)]
struct Spot {
    role: Role,
    depth: usize,
    /// Whether its tags are the ones of its role that count.
    is_kept: bool,
}

/// Which directory it is, as far as that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    First,
    /// The first one of a camera's raw file, whose tags have other meanings.
    FirstOfRaw,
    Sub,
    Other,
}

/// The structure is cut off, so nothing after this can be read.
struct Cut;

/// Reads a TIFF structure with what lies in it.
pub(crate) fn read(bytes: &[u8], found: &mut Found) {
    read_with(bytes, Vec::new(), found);
}

/// Reads a TIFF structure of which some tags of the first directory are kept elsewhere, in ascending order.
pub(crate) fn read_with(bytes: &[u8], kept: Vec<(u16, &[u8])>, found: &mut Found) {
    let is_big_endian = bytes.starts_with(b"MM");
    let kept = kept.into_iter().peekable();
    let mut walk = Walk { bytes, is_big_endian, visited: HashSet::new(), first: None, sub: None, kept, found };
    if is_big_endian || bytes.starts_with(b"II") {
        // A structure that is cut off has what was read before.
        let _ = walk.begin();
    }
    walk.read_kept(None);
    let Walk { first, sub, found, .. } = walk;
    if let Some(directory) = first {
        found.orientation = exif::orientation(&directory);
        found.exif = Some(exif::texts(&directory));
    }
    if let Some(directory) = sub {
        found.exif_sub = Some(exif::sub_texts(&directory));
    }
}

struct Walk<'a, 'f> {
    bytes: &'a [u8],
    is_big_endian: bool,
    visited: HashSet<usize>,
    first: Option<Directory<'a>>,
    sub: Option<Directory<'a>>,
    kept: Peekable<IntoIter<(u16, &'a [u8])>>,
    found: &'f mut Found,
}

impl<'a> Walk<'a, '_> {
    fn begin(&mut self) -> Result<(), Cut> {
        const AFTER_HEADER: usize = 8;
        let role = match self.short(2)? {
            // TIFF, and two kinds of raw files.
            0x002A | 0x4F52 | 0x5352 => Role::First,
            0x0055 => Role::FirstOfRaw,
            _ => return Ok(()),
        };
        // A structure that is cut off here has a first directory without tags.
        let mut at = self.place(4).unwrap_or(None);
        if at.is_some_and(|at| at + 1 >= self.bytes.len()) {
            at = Some(AFTER_HEADER);
        }
        self.chain(role, at, 0)
    }

    /// Walks through a directory and those that follow it.
    fn chain(&mut self, role: Role, at: Option<usize>, depth: usize) -> Result<(), Cut> {
        let mut next = self.directory(role, at, depth)?;
        // What follows the first directory are other pages, and thumbnails. Nothing follows a sub-directory.
        while let Some(follower) = next.filter(|_| role == Role::First) {
            next = self.directory(Role::Other, Some(follower), depth)?;
        }
        Ok(())
    }

    /// Walks through a directory. Returns where the next one is.
    fn directory(&mut self, role: Role, at: Option<usize>, depth: usize) -> Result<Option<usize>, Cut> {
        let is_kept = match role {
            Role::First => self.found.exif.is_none(),
            Role::Sub => self.found.exif_sub.is_none(),
            Role::FirstOfRaw | Role::Other => false,
        };
        let spot = Spot { role, depth, is_kept };
        // It takes its place before its tags are read, since directories of its role may lie in it.
        self.keep(spot, Directory::default());
        let Some(at) = at.filter(|_| depth < DEPTH) else { return Ok(None) };
        if !self.visited.insert(at) || at >= self.bytes.len() {
            return Ok(None);
        }
        let order = self.is_big_endian;
        let mut count = usize::from(self.short(at)?);
        // More than 255 entries in whole hundreds are some in the other order of bytes.
        if count > 0xFF && count & 0xFF == 0 {
            count >>= 8;
            self.is_big_endian = !self.is_big_endian;
        }
        let mut directory = Directory::default();
        let end = self.entries(spot, at, count, &mut directory);
        self.keep(spot, directory);
        self.is_big_endian = order;
        end
    }

    fn keep(&mut self, spot: Spot, directory: Directory<'a>) {
        match spot.role {
            Role::First if spot.is_kept => {
                self.found.exif.get_or_insert_default();
                self.first = Some(directory);
            }
            Role::Sub if spot.is_kept => {
                self.found.exif_sub.get_or_insert_default();
                self.sub = Some(directory);
            }
            _ => {}
        }
    }

    fn entries(
        &mut self,
        spot: Spot,
        at: usize,
        count: usize,
        directory: &mut Directory<'a>,
    ) -> Result<Option<usize>, Cut> {
        let length = AROUND + ENTRY * count;
        if at + length > self.bytes.len() || !self.found.budget.takes(length) {
            return Ok(None);
        }
        let mut unknown = 0;
        for entry in (at + 2..).step_by(ENTRY).take(count) {
            unknown += usize::from(!self.entry(spot, entry, directory)?);
            if unknown == UNKNOWN {
                return Ok(None);
            }
        }
        let next = self.place(at + length - 4)?;
        Ok(next.filter(|next| *next != 0 && *next < self.bytes.len() && *next >= at))
    }

    /// Reads an entry; false if its kind is unknown.
    fn entry(&mut self, spot: Spot, at: usize, directory: &mut Directory<'a>) -> Result<bool, Cut> {
        let (tag, code, count) = (self.short(at)?, self.short(at + 2)?, self.long(at + 4)? as usize);
        if spot.role == Role::First && spot.depth == 0 {
            self.read_kept(Some(tag));
        }
        let kind = Kind::of(code);
        let width = match (kind, code) {
            (Some((_, width)), _) => width,
            // Pointers have a kind of their own; kind zero is found in the notes of cameras.
            (None, 13) => 4,
            (None, 0) => 0,
            (None, _) => return Ok(false),
        };
        let Some(length) = count.checked_mul(width) else { return Ok(true) };
        let begin = if length > INLINE { self.long(at + 8)? as usize } else { at + 8 };
        let Some(data) = self.bytes.get(begin..).and_then(|data| data.get(..length)) else { return Ok(true) };
        if length > 0 && length == 4 * count && points(spot.role, tag) {
            self.follow(tag, begin, count, spot.depth)?;
        } else if !self.is_block(spot.role, tag, data, begin)
            && let Some((kind, _)) = kind
            && self.found.budget.takes(length)
        {
            let field = Field { kind, count, data, is_big_endian: self.is_big_endian };
            if tag == MAKE && spot.role == Role::First && spot.is_kept {
                self.found.make = exif::text(field);
            }
            directory.set(tag, field);
        }
        Ok(true)
    }

    fn follow(&mut self, tag: u16, begin: usize, count: usize, depth: usize) -> Result<(), Cut> {
        let role = if matches!(tag, SUB_DIRECTORIES | EXIF) { Role::Sub } else { Role::Other };
        if !self.found.budget.takes(4 * count) {
            return Ok(());
        }
        for pointer in (begin..).step_by(4).take(count) {
            let at = self.place(pointer)?;
            self.chain(role, at, depth + 1)?;
        }
        Ok(())
    }

    /// Reads the tags that are kept elsewhere, up to this one.
    fn read_kept(&mut self, end: Option<u16>) {
        while let Some((tag, data)) = self.kept.next_if(|(tag, _)| end.is_none_or(|end| *tag < end)) {
            self.is_block(Role::First, tag, data, 0);
        }
    }

    /// Reads the value of a tag that is a block of its own; false if it is an ordinary value.
    fn is_block(&mut self, role: Role, tag: u16, data: &[u8], begin: usize) -> bool {
        match (tag, role) {
            (ICC, _) => self.found.read_icc(data),
            (XMP, Role::First | Role::Sub) => {
                let end = data.iter().position(|byte| *byte == 0);
                self.found.read_xmp(&data[..end.unwrap_or(data.len())]);
            }
            (IPTC, Role::First) if data.first() == Some(&IPTC_MARK) => self.found.read_iptc(data),
            (PHOTOSHOP, Role::First) => self.found.nested(data, photoshop::read),
            (PRINT_IMAGE_MATCHING, _) => {}
            (MAKERNOTE, Role::Sub) => {
                return makernote::is_known(&self.bytes[begin..], self.is_big_endian, self.found.make.as_deref());
            }
            _ => return false,
        }
        true
    }

    fn short(&self, at: usize) -> Result<u16, Cut> {
        let bytes = self.array(at)?;
        Ok(if self.is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn long(&self, at: usize) -> Result<u32, Cut> {
        let bytes = self.array(at)?;
        Ok(if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// A place in the structure; none if it is negative.
    fn place(&self, at: usize) -> Result<Option<usize>, Cut> {
        Ok(i32::try_from(self.long(at)?).ok().map(|place| place as usize))
    }

    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Cut> {
        let bytes = self.bytes.get(at..).and_then(|bytes| bytes.first_chunk());
        bytes.copied().ok_or(Cut)
    }
}

/// Whether the values of a tag are the places of directories.
fn points(role: Role, tag: u16) -> bool {
    match tag {
        SUB_DIRECTORIES => true,
        EXIF | GPS => matches!(role, Role::First | Role::FirstOfRaw),
        INTEROPERABILITY => role == Role::Sub,
        _ => false,
    }
}
