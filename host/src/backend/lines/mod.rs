//! The lines of a plain or compressed text, one after another, in bounded memory. Nothing is parsed here.

mod pages;
mod pull;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

pub(super) use pages::Pages;
pub(super) use pull::Pull;

const BUFFER: usize = 256 << 10;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A place between two lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::backend) struct Place {
    /// Bytes before it, uncompressed.
    pub(in crate::backend) offset: u64,
    /// Lines before it, empty ones included.
    pub(in crate::backend) line: u64,
}

/// An open text at a place.
pub(in crate::backend) struct Lines {
    reader: Box<dyn BufRead + Send>,
    place: Place,
}

impl Lines {
    /// Opens a file at a place. In a compressed file everything before it is read and thrown away.
    pub(in crate::backend) fn open(path: &Path, place: Place) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
        if is_compressed(&mut file)? {
            return Self::unpack(file, place);
        }
        file.seek(SeekFrom::Start(place.offset))?;
        Ok(Self { reader: Box::new(file), place })
    }

    /// Reads from wherever bytes come, at a place; everything before it is read and thrown away.
    pub(in crate::backend) fn read(reader: impl Read + Send + 'static, place: Place) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(BUFFER, reader);
        if is_compressed(&mut reader)? {
            return Self::unpack(reader, place);
        }
        Self { reader: Box::new(reader), place: Place::default() }.at(place)
    }

    fn unpack(packed: impl BufRead + Send + 'static, place: Place) -> io::Result<Self> {
        let reader = BufReader::with_capacity(BUFFER, MultiGzDecoder::new(packed));
        Self { reader: Box::new(reader), place: Place::default() }.at(place)
    }

    fn at(mut self, place: Place) -> io::Result<Self> {
        self.skip_to(place)?;
        Ok(self)
    }

    pub(in crate::backend) fn place(&self) -> Place {
        self.place
    }

    /// Goes on to a later place.
    pub(in crate::backend) fn skip_to(&mut self, place: Place) -> io::Result<()> {
        let ahead = place.offset.saturating_sub(self.place.offset);
        io::copy(&mut self.reader.by_ref().take(ahead), &mut io::sink())?;
        self.place = place;
        Ok(())
    }

    /// Reads the next line that is not empty, with the place before it; none at the end of the file.
    ///
    /// Of a line longer than `max_bytes` its first `max_bytes` bytes are kept, and the rest is thrown away.
    pub(in crate::backend) fn next(&mut self, max_bytes: usize) -> io::Result<Option<(Place, Vec<u8>)>> {
        loop {
            let before = self.place;
            let mut line = Vec::new();
            let limit = max_bytes as u64;
            let mut read = self.reader.by_ref().take(limit).read_until(b'\n', &mut line)? as u64;
            if read == 0 {
                return Ok(None);
            }
            let cut = read == limit && !line.ends_with(b"\n");
            if cut {
                read += self.reader.skip_until(b'\n')? as u64;
            } else {
                trim(&mut line, before.offset == 0);
            }
            self.place = Place { offset: before.offset + read, line: before.line + 1 };
            if !line.is_empty() {
                return Ok(Some((before, line)));
            }
        }
    }
}

fn is_compressed(reader: &mut impl BufRead) -> io::Result<bool> {
    Ok(reader.fill_buf()?.starts_with(&[0x1F, 0x8B]))
}

fn trim(line: &mut Vec<u8>, first: bool) {
    let end = line.trim_ascii_end().len();
    line.truncate(end);
    if first && line.starts_with(BYTE_ORDER_MARK) {
        line.drain(..BYTE_ORDER_MARK.len());
    }
}
