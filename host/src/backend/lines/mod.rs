//! The lines of a plain or compressed text, in order, in bounded memory. Nothing is parsed here.
//!
//! Every line that the program reads comes through here: files, exports, lists of ids, standard input. A byte order
//! mark of UTF-8 is dropped, gzip is recognised by its first bytes, lines end in LF or CRLF, and empty ones are skipped
//! but counted.

mod pages;
mod pull;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read, Seek as _, SeekFrom},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

pub(super) use pages::Pages;
pub(super) use pull::Pull;

use crate::error::Error;

const BUFFER: usize = 256 << 10;

const GZIP: &[u8] = b"\x1F\x8B";
const UTF_8: &[u8] = b"\xEF\xBB\xBF";
/// The byte order marks of UTF-16; those of UTF-32 begin in the same way or look the same.
const UTF_16: [&[u8]; 3] = [b"\xFF\xFE", b"\xFE\xFF", b"\0\0\xFE"];

/// The longest of the marks above, in bytes.
const MARK: u64 = 3;

/// A place between two lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Bytes before it, uncompressed.
    pub(crate) offset: u64,
    /// Lines before it, empty ones included.
    pub(crate) line: u64,
}

/// An open text at a place.
pub(crate) struct Lines {
    reader: Box<dyn BufRead + Send>,
    place: Place,
    /// Bytes of a byte order mark that were read and are not counted in the place yet.
    mark: u64,
    empty: u64,
}

impl Lines {
    /// Opens a file at a place. In a compressed file everything before it is read and discarded.
    ///
    /// *Errors*: those of the file; a text in UTF-16, as an [`Error`] inside.
    pub(crate) fn open(path: &Path, place: Place) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if place.offset == 0 || head(&mut file)?.starts_with(GZIP) {
            file.rewind()?;
            return Self::read(file, place);
        }
        file.seek(SeekFrom::Start(place.offset))?;
        let reader = Box::new(BufReader::with_capacity(BUFFER, file));
        Ok(Self { reader, place, mark: 0, empty: 0 })
    }

    /// Reads from any source of bytes, at a place; everything before it is read and discarded.
    pub(crate) fn read(mut reader: impl Read + Send + 'static, place: Place) -> io::Result<Self> {
        let head = head(&mut reader)?;
        let is_packed = head.starts_with(GZIP);
        let whole = Cursor::new(head).chain(reader);
        let mut lines = if is_packed {
            Self::start(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, whole)))?
        } else {
            Self::start(whole)?
        };
        lines.skip_to(place)?;
        Ok(lines)
    }

    /// Starts a text that is not compressed.
    fn start(mut reader: impl Read + Send + 'static) -> io::Result<Self> {
        let mut head = head(&mut reader)?;
        if UTF_16.iter().any(|mark| head.starts_with(mark)) {
            return Err(io::Error::other(
                Error::usage("the text is in UTF-16 or UTF-32, not in UTF-8")
                    .hint("convert it, such as: iconv -f UTF-16 -t UTF-8 FILE > NEW"),
            ));
        }
        let is_marked = head == UTF_8;
        if is_marked {
            head.clear();
        }
        let reader = Box::new(BufReader::with_capacity(BUFFER, Cursor::new(head).chain(reader)));
        Ok(Self { reader, place: Place::default(), mark: if is_marked { MARK } else { 0 }, empty: 0 })
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// How many empty lines were skipped so far.
    pub(crate) fn empty(&self) -> u64 {
        self.empty
    }

    /// Skips to a later place.
    pub(crate) fn skip_to(&mut self, place: Place) -> io::Result<()> {
        if place.offset > self.place.offset {
            let ahead = place.offset - self.place.offset - std::mem::take(&mut self.mark);
            io::copy(&mut self.reader.by_ref().take(ahead), &mut io::sink())?;
            self.place = place;
        }
        Ok(())
    }

    /// Reads the next line that is not empty, with the place before it; none at the end of the file.
    ///
    /// Of a line longer than `max_bytes`, without its line end, one more byte is kept, and the rest is discarded.
    pub(crate) fn next(&mut self, max_bytes: usize) -> io::Result<Option<(Place, Vec<u8>)>> {
        loop {
            let before = self.place;
            let mut line = Vec::new();
            // Room for the line end.
            let limit = (max_bytes as u64).saturating_add(2);
            let mut read = self.reader.by_ref().take(limit).read_until(b'\n', &mut line)? as u64;
            if read == 0 {
                return Ok(None);
            }
            if read == limit && !line.ends_with(b"\n") {
                read += self.reader.skip_until(b'\n')? as u64;
            } else {
                line.truncate(line.trim_ascii_end().len());
            }
            line.truncate(max_bytes.saturating_add(1));
            read += std::mem::take(&mut self.mark);
            self.place = Place { offset: before.offset + read, line: before.line + 1 };
            if !line.is_empty() {
                return Ok(Some((before, line)));
            }
            self.empty += 1;
        }
    }
}

/// The first bytes, as many as are needed to recognise the format; fewer only at the end.
fn head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(MARK).read_to_end(&mut head)?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    /// Returns one byte at a time, as a slow pipe does.
    struct Slow(Cursor<Vec<u8>>);

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = into.len().min(1);
            self.0.read(&mut into[..most])
        }
    }

    fn zip(bytes: &[u8]) -> Vec<u8> {
        let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
        zip.write_all(bytes).unwrap();
        zip.finish().unwrap()
    }

    /// Every line with its number.
    fn lines(bytes: &[u8], max_bytes: usize) -> Vec<(u64, String)> {
        let mut lines = Lines::read(Slow(Cursor::new(bytes.to_vec())), Place::default()).unwrap();
        let mut found = Vec::new();
        while let Some((before, line)) = lines.next(max_bytes).unwrap() {
            found.push((before.line + 1, String::from_utf8(line).unwrap()));
        }
        found
    }

    #[test]
    fn marks_line_ends_and_empty_lines_are_no_part_of_a_line_in_any_packing() {
        let text = b"\xEF\xBB\xBFone\r\n\n \t\r\ntwo\nthree";
        let expected = [(1, "one"), (4, "two"), (5, "three")].map(|(number, line)| (number, line.to_owned()));
        assert_eq!(lines(text, 100), expected);
        assert_eq!(lines(&zip(text), 100), expected);
        assert_eq!(lines(b"\xEF\xBB\xBF", 100), []);
    }

    #[test]
    fn a_line_end_does_not_count_against_the_limit_and_a_byte_more_does() {
        for end in ["", "\n", "\r\n"] {
            let lengths = |length: usize| {
                let found = lines(format!("{}{end}", "x".repeat(length)).as_bytes(), 10);
                found.iter().map(|(_, line)| line.len()).collect::<Vec<_>>()
            };
            assert_eq!((lengths(10), lengths(11), lengths(12), lengths(99)), (vec![10], vec![11], vec![11], vec![11]));
        }
        let marked = format!("\u{FEFF}{}\r\nnext\r\n", "x".repeat(10));
        assert_eq!(lines(marked.as_bytes(), 10)[0].1.len(), 10, "a mark does not count either");
    }

    #[test]
    fn a_place_after_a_mark_is_found_again() {
        let text = "\u{FEFF}one\ntwo\n".as_bytes();
        for bytes in [text.to_vec(), zip(text)] {
            let mut all = Lines::read(Cursor::new(bytes.clone()), Place::default()).unwrap();
            all.next(9).unwrap();
            let mut again = Lines::read(Cursor::new(bytes), all.place()).unwrap();
            assert_eq!(again.next(9).unwrap(), all.next(9).unwrap());
        }
    }

    #[test]
    fn other_encodings_are_refused_by_name() {
        for mark in UTF_16 {
            let text = [mark, b"{\0}\0"].concat();
            for bytes in [text.clone(), zip(&text)] {
                let error = Lines::read(Cursor::new(bytes), Place::default()).err().unwrap().to_string();
                assert!(error.contains("UTF-16"), "{error}");
            }
        }
    }
}
