//! HEIF and AVIF: the items that are EXIF or XMP.

use std::{
    collections::BTreeMap,
    io::{Read, Seek},
    ops::Range,
};

use super::bounded::{Bounded, Stop};

pub(super) fn walk(file: &mut Bounded<impl Read + Seek>) -> Result<(), Stop> {
    let mut meta = find(file, 0..file.size(), b"meta")?;
    // Its version.
    meta.start += 4;
    let described = find(file, meta.clone(), b"iinf")?;
    let items = items(file, described)?;
    let data = find(file, meta.clone(), b"idat").map_or(0, |data| data.start);
    let places = find(file, meta, b"iloc")?;
    Places { file, at: places.start, end: places.end }.take(&items, data)
}

/// The content of the next box at an offset, and its name.
fn open(file: &mut Bounded<impl Read + Seek>, at: u64, end: u64) -> Result<([u8; 4], Range<u64>), Stop> {
    let [a, b, c, d, name @ ..]: [u8; 8] = file.array(at)?;
    let (begin, length) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (at + 8, end - at),
        1 => (at + 16, u64::from_be_bytes(file.array(at + 8)?)),
        length => (at + 8, length.into()),
    };
    let content = begin..at.checked_add(length).ok_or(Stop::Ends)?;
    if content.start > content.end || content.end > end { Err(Stop::Ends) } else { Ok((name, content)) }
}

/// The content of the first box of a name among several.
fn find(file: &mut Bounded<impl Read + Seek>, within: Range<u64>, name: &[u8; 4]) -> Result<Range<u64>, Stop> {
    let mut at = within.start;
    while at < within.end {
        let (found, content) = open(file, at, within.end)?;
        if found == *name {
            return Ok(content);
        }
        at = content.end;
    }
    Err(Stop::Ends)
}

/// The items that are wanted, by their numbers.
fn items(file: &mut Bounded<impl Read + Seek>, within: Range<u64>) -> Result<BTreeMap<u64, &'static str>, Stop> {
    let [version] = file.array(within.start)?;
    let mut at = within.start + if version == 0 { 6 } else { 8 };
    let mut items = BTreeMap::new();
    while at < within.end {
        let (_, content) = open(file, at, within.end)?;
        at = content.end;
        let (item, kind) = item(file, content.start)?;
        let name = match &kind {
            b"Exif" => "heif:Exif",
            b"mime" => "heif:mime",
            _ => continue,
        };
        file.hold(size_of_val(&(item, name)) as u64)?;
        items.insert(item, name);
    }
    Ok(items)
}

/// The number and the kind of an item. Old versions have no kind.
fn item(file: &mut Bounded<impl Read + Seek>, at: u64) -> Result<(u64, [u8; 4]), Stop> {
    let [version] = file.array(at)?;
    Ok(match version {
        2 => (u16::from_be_bytes(file.array(at + 4)?).into(), file.array(at + 8)?),
        3 => (u32::from_be_bytes(file.array(at + 4)?).into(), file.array(at + 10)?),
        _ => (0, [0; 4]),
    })
}

/// The locations of items: consecutive numbers, whose widths are given at the beginning.
struct Places<'a, R> {
    file: &'a mut Bounded<R>,
    at: u64,
    end: u64,
}

/// How many bytes the numbers of a location have.
struct Widths {
    item: u8,
    method: u8,
    base: u8,
    index: u8,
    offset: u8,
    length: u8,
}

impl<R: Read + Seek> Places<'_, R> {
    /// Takes the wanted items. `data` is the location of items that are kept beside their description.
    fn take(&mut self, wanted: &BTreeMap<u64, &str>, data: u64) -> Result<(), Stop> {
        let widths = self.widths()?;
        for _ in 0..self.next(widths.item)? {
            let name = wanted.get(&self.next(widths.item)?);
            let method = self.next(widths.method)? & 0x0f;
            // The file it is in; always this one.
            self.next(2)?;
            let base = self.next(widths.base)?.checked_add(if method == 1 { data } else { 0 });
            let pieces = self.pieces(&widths, base.ok_or(Stop::Ends)?)?;
            if let (Some(name), 0 | 1) = (name, method) {
                self.join(name, &pieces)?;
            }
        }
        Ok(())
    }

    fn widths(&mut self) -> Result<Widths, Stop> {
        let version = self.next(1)?;
        self.next(3)?;
        let (offset, length) = self.halves()?;
        let (base, index) = self.halves()?;
        let (method, index) = if version == 0 { (0, 0) } else { (2, index) };
        Ok(Widths { item: if version < 2 { 2 } else { 4 }, method, base, index, offset, length })
    }

    /// The pieces of an item, where they begin and how long they are.
    fn pieces(&mut self, widths: &Widths, base: u64) -> Result<Vec<(u64, u64)>, Stop> {
        let count = self.next(2)?;
        let mut pieces = Vec::new();
        for _ in 0..count {
            self.file.hold(size_of::<(u64, u64)>() as u64)?;
            self.next(widths.index)?;
            let begin = base.checked_add(self.next(widths.offset)?).ok_or(Stop::Ends)?;
            pieces.push((begin, self.next(widths.length)?));
        }
        Ok(pieces)
    }

    /// Takes an item as one block, which begins where its first piece does.
    fn join(&mut self, name: &str, pieces: &[(u64, u64)]) -> Result<(), Stop> {
        let Some(&(begin, _)) = pieces.first() else { return Ok(()) };
        let mut joined = Vec::new();
        for &(begin, length) in pieces {
            joined.extend(self.file.bytes(begin, length)?);
        }
        self.file.put(name.to_owned(), begin, joined)
    }

    fn halves(&mut self) -> Result<(u8, u8), Stop> {
        let byte = self.next(1)? as u8;
        Ok((byte >> 4, byte & 0x0f))
    }

    /// Reads a number of this many bytes.
    fn next(&mut self, width: u8) -> Result<u64, Stop> {
        let begin = self.at;
        self.at += u64::from(width);
        if self.at > self.end {
            return Err(Stop::Ends);
        }
        (begin..self.at).try_fold(0, |number, at| Ok(number << 8 | u64::from(self.file.array::<1>(at)?[0])))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;

    fn boxed(name: &str, content: &[u8]) -> Vec<u8> {
        [&u32::try_from(content.len() + 8).unwrap().to_be_bytes(), name.as_bytes(), content].concat()
    }

    /// EXIF in two pieces of the file, XMP beside the description, and a picture.
    fn file() -> Vec<u8> {
        let item =
            |number: u8, kind: &str| boxed("infe", &[&[2, 0, 0, 0, 0, number, 0, 0], kind.as_bytes(), b"\0"].concat());
        let items = [b"\0\0\0\0\0\x03".to_vec(), item(1, "hvc1"), item(2, "Exif"), item(3, "mime")].concat();
        let mut places = b"\x01\0\0\0\x44\x40\0\x03".to_vec();
        places.extend(b"\0\x01\0\0\0\0\0\0\0\0\0\x01\0\0\0\x18\0\0\0\x01");
        // They count from the end of `ftyp` and the header of what follows.
        places.extend(b"\0\x02\0\0\0\0\0\0\0\x18\0\x02\0\0\0\0\0\0\0\x02\0\0\0\x04\0\0\0\x02");
        places.extend(b"\0\x03\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x03");
        let meta = [&[0; 4][..], &boxed("idat", b".xmp."), &boxed("iinf", &items), &boxed("iloc", &places)].concat();
        [boxed("ftyp", b"heic\0\0\0\0"), boxed("mdat", b"ex..if"), boxed("meta", &meta)].concat()
    }

    #[test]
    fn exif_and_xmp_are_found_where_they_lie() {
        let expected = [("heif:Exif", "exif"), ("heif:mime", "xmp")];
        assert_eq!(told(&file()), expected.map(|(name, data)| (name.to_owned(), data.to_owned())));
    }

    #[test]
    fn wherever_it_is_cut_off_it_ends_cleanly() {
        let file = file();
        for end in 0..file.len() {
            assert_eq!(told(&file[..end]), [], "cut off at {end}");
        }
    }
}
