//! Tags of a TIFF about a page's pixels that libvips ignores: it would read some pixels wrongly.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek},
};

use reindex::backend::vips::message::{Failed, IMAGE};

use super::blocks::bounded::{Bounded, Stop};

const BITS: u64 = 258;
const COMPRESSION: u64 = 259;
const PHOTOMETRIC: u64 = 262;
const SAMPLES: u64 = 277;
const INKS: u64 = 332;
const EXTRA: u64 = 338;
const NUMBERS: u64 = 339;

/// How many values of a tag are read: more than a pixel may have numbers.
const VALUES: u64 = 64;

/// The meaning of the numbers of a pixel after its colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extra {
    /// There are none, or the file does not define them; libvips then takes the first for transparency, as most
    /// programs do.
    Unsaid,
    /// The first is transparency.
    Alpha,
    /// None is transparency: masks, spot colours.
    Other,
}

/// Checks that libvips reads a page of the image correctly. Returns the meaning of the numbers after its colours.
///
/// *Errors*: [`Failed::Refused`] if it would be read wrongly.
pub(super) fn check(page: u32) -> Result<Extra, Failed> {
    let tags = match Tags::read(&mut File::open(IMAGE)?, page) {
        Ok(tags) => tags,
        Err(Stop::Failed(error)) => return Err(error.into()),
        // libvips reports what is wrong with it.
        Err(Stop::Ends | Stop::Full) => Tags::default(),
    };
    tags.flaw().map_or_else(|| tags.extra(), |flaw| Err(Failed::Refused(flaw)))
}

/// The first values of the tags of one directory that are whole numbers.
#[derive(Debug, Default)]
struct Tags(BTreeMap<u64, Vec<u64>>);

impl Tags {
    fn read(file: &mut (impl Read + Seek), page: u32) -> Result<Self, Stop> {
        let mut file = Bounded::open(file, 0)?;
        let [mark, _, a, b]: [u8; 4] = file.array(0)?;
        let mut directory = Directory { file: &mut file, is_little: mark == b'I', is_big: a.max(b) == 43 };
        let mut at = directory.pointer(if directory.is_big { 8 } else { 4 })?;
        for _ in 0..page {
            let (count, entries) = directory.begin(at)?;
            let end = count.checked_mul(directory.entry()).and_then(|length| entries.checked_add(length));
            at = directory.pointer(end.ok_or(Stop::Ends)?)?;
        }
        directory.tags(at).map(Self)
    }

    /// The first value of a tag.
    fn first(&self, tag: u64, otherwise: u64) -> u64 {
        self.all(tag).first().copied().unwrap_or(otherwise)
    }

    fn all(&self, tag: u64) -> &[u64] {
        self.0.get(&tag).map_or(&[], Vec::as_slice)
    }

    /// Why libvips would read the page wrongly, if it would.
    fn flaw(&self) -> Option<String> {
        let (photometric, bits) = (self.first(PHOTOMETRIC, 1), self.first(BITS, 1));
        let (samples, compression) = (self.first(SAMPLES, 1), self.first(COMPRESSION, 1));
        if self.all(BITS).iter().any(|other| *other != bits) {
            return Some("its pixels have numbers of several widths".to_owned());
        }
        // Unsigned, or undefined.
        if self.all(NUMBERS).iter().any(|kind| *kind != 1 && *kind != 4) {
            return Some("its pixels are signed or floating-point numbers, and only unsigned ones are read".to_owned());
        }
        if photometric == 5 && self.first(INKS, 1) != 1 {
            return Some("its inks are other than CMYK".to_owned());
        }
        // The format does not define whether they were inverted before or after they were premultiplied.
        if photometric == 0 && self.all(EXTRA).contains(&1) {
            return Some("its white is zero, and its colours are weighed with their transparency".to_owned());
        }
        // libvips removes the premultiplication of such colours as if they had 8 bits.
        if photometric == 5 && bits == 16 && self.all(EXTRA).contains(&1) {
            return Some("its 16-bit CMYK colours are weighed with their transparency".to_owned());
        }
        match photometric {
            0..=3 | 5 => None,
            // JPEG has its own colours, which its reader converts.
            6 if matches!(compression, 6 | 7) => None,
            6 => Some("its colours are YCbCr without JPEG".to_owned()),
            8 if bits == 8 && samples == 3 => None,
            8 => Some(format!(
                "its colours are CIELAB of {bits} bits with {samples} numbers, and only those of 8 bits with 3 are read"
            )),
            other => Some(format!("its colours are of the TIFF's kind {other}, which is not read")),
        }
    }

    fn extra(&self) -> Result<Extra, Failed> {
        match self.all(EXTRA) {
            [] => Ok(Extra::Unsaid),
            [1 | 2, ..] => Ok(Extra::Alpha),
            kinds if kinds.iter().any(|kind| *kind != 0) => Err(Failed::Refused(
                "its transparency does not come right after its colours, which is not read".to_owned(),
            )),
            _ => Ok(Extra::Other),
        }
    }
}

/// A directory, small or big, in either order of bytes.
struct Directory<'a, R> {
    file: &'a mut Bounded<R>,
    is_little: bool,
    is_big: bool,
}

impl<R: Read + Seek> Directory<'_, R> {
    /// Returns how many entries it has, and where they begin.
    fn begin(&mut self, at: u64) -> Result<(u64, u64), Stop> {
        let width = if self.is_big { 8 } else { 2 };
        Ok((self.number(at, width)?, at + width))
    }

    /// The size of an entry in bytes.
    fn entry(&self) -> u64 {
        if self.is_big { 20 } else { 12 }
    }

    fn pointer(&mut self, at: u64) -> Result<u64, Stop> {
        self.number(at, if self.is_big { 8 } else { 4 })
    }

    fn tags(&mut self, at: u64) -> Result<BTreeMap<u64, Vec<u64>>, Stop> {
        let (count, entries) = self.begin(at)?;
        let mut tags = BTreeMap::new();
        for n in 0..count.min(u64::from(u16::MAX)) {
            let at = entries + n * self.entry();
            let tag = self.number(at, 2)?;
            if [BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, INKS, EXTRA, NUMBERS].contains(&tag) {
                tags.insert(tag, self.values(at)?);
            }
        }
        Ok(tags)
    }

    /// The values of an entry; empty for a kind that is not a whole number.
    fn values(&mut self, at: u64) -> Result<Vec<u64>, Stop> {
        let width = match self.number(at + 2, 2)? {
            1 => 1,
            3 => 2,
            4 => 4,
            16 => 8,
            _ => return Ok(Vec::new()),
        };
        let count = self.pointer(at + 4)?.min(VALUES);
        let field = at + if self.is_big { 12 } else { 8 };
        let room = self.entry() - (field - at);
        let place = if count * width <= room { field } else { self.pointer(field)? };
        (0..count).map(|n| self.number(place.checked_add(n * width).ok_or(Stop::Ends)?, width)).collect()
    }

    fn number(&mut self, at: u64, width: u64) -> Result<u64, Stop> {
        let shift = |number, byte: &u8| number << 8 | u64::from(*byte);
        let mut bytes = Vec::new();
        for n in 0..width {
            let [byte] = self.file.array(at.checked_add(n).ok_or(Stop::Ends)?)?;
            bytes.push(byte);
        }
        Ok(if self.is_little { bytes.iter().rev().fold(0, shift) } else { bytes.iter().fold(0, shift) })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A TIFF of pages with these tags and values of 16 bits.
    fn tiff(pages: &[&[(u16, &[u16])]]) -> Vec<u8> {
        let mut file = b"MM\0\x2a\0\0\0\0".to_vec();
        let mut pointer = 4;
        for page in pages {
            let mut far = Vec::new();
            for (_, values) in page.iter().filter(|(_, values)| values.len() > 2) {
                far.push(file.len() as u32);
                values.iter().for_each(|value| file.extend(value.to_be_bytes()));
            }
            let here = (file.len() as u32).to_be_bytes();
            file[pointer..pointer + 4].copy_from_slice(&here);
            file.extend((page.len() as u16).to_be_bytes());
            let mut far = far.into_iter();
            for (tag, values) in *page {
                file.extend(tag.to_be_bytes());
                file.extend([0, 3]);
                file.extend((values.len() as u32).to_be_bytes());
                let mut field: Vec<u8> = values.iter().take(2).flat_map(|value| value.to_be_bytes()).collect();
                if values.len() > 2 {
                    field = far.next().unwrap().to_be_bytes().to_vec();
                }
                field.resize(4, 0);
                file.extend(field);
            }
            pointer = file.len();
            file.extend([0; 4]);
        }
        file
    }

    fn told(pages: &[&[(u16, &[u16])]], page: u32) -> Result<Extra, String> {
        let tags = Tags::read(&mut Cursor::new(tiff(pages)), page).unwrap_or_else(|_| panic!("no page {page}"));
        match tags.flaw() {
            Some(flaw) => Err(flaw),
            None => tags.extra().map_err(|why| format!("{why:?}")),
        }
    }

    #[test]
    fn what_libvips_reads_wrong_is_told_page_by_page() {
        let rgb: &[(u16, &[u16])] = &[(258, &[8, 8, 8]), (262, &[2]), (277, &[3])];
        let mask: &[(u16, &[u16])] = &[(258, &[8; 4]), (262, &[2]), (277, &[4]), (338, &[0])];
        let clear: &[(u16, &[u16])] = &[(258, &[8; 5]), (262, &[2]), (277, &[5]), (338, &[2, 0])];
        let late: &[(u16, &[u16])] = &[(258, &[8; 5]), (262, &[2]), (277, &[5]), (338, &[0, 2])];
        let signed: &[(u16, &[u16])] = &[(258, &[16]), (262, &[1]), (339, &[2])];
        let ycbcr: &[(u16, &[u16])] = &[(258, &[8, 8, 8]), (259, &[1]), (262, &[6]), (277, &[3])];
        let jpeg: &[(u16, &[u16])] = &[(258, &[8, 8, 8]), (259, &[7]), (262, &[6]), (277, &[3])];
        let deep: &[(u16, &[u16])] = &[(258, &[16, 16, 16]), (262, &[8]), (277, &[3])];
        let pages = [rgb, mask, clear, late, signed, ycbcr, jpeg, deep];
        assert_eq!(told(&pages, 0), Ok(Extra::Unsaid));
        assert_eq!(told(&pages, 1), Ok(Extra::Other));
        assert_eq!(told(&pages, 2), Ok(Extra::Alpha));
        assert!(told(&pages, 3).unwrap_err().contains("transparency"));
        assert!(told(&pages, 4).unwrap_err().contains("signed"));
        assert!(told(&pages, 5).unwrap_err().contains("YCbCr"));
        assert_eq!(told(&pages, 6), Ok(Extra::Unsaid));
        assert!(told(&pages, 7).unwrap_err().contains("CIELAB of 16 bits"));
        assert!(Tags::read(&mut Cursor::new(tiff(&pages)), 8).is_err());
    }

    #[test]
    fn a_tiff_that_makes_no_sense_ends() {
        let whole = tiff(&[&[(258, &[8, 8, 8]), (262, &[2])], &[(262, &[1])]]);
        for length in 0..whole.len() {
            let _ = Tags::read(&mut Cursor::new(&whole[..length]), 1);
        }
        let mut loops = whole.clone();
        let end = loops.len() - 4;
        loops[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
        loops[end..].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(Tags::read(&mut Cursor::new(&loops), 1000).is_err());
    }
}
