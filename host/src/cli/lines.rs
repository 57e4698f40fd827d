//! The lines of a file or of standard input, plain or gzip, in batches and with their numbers.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};

/// How many records are put at a time.
const BATCH: usize = 1000;
/// How many bytes of records are put at a time, at most; a larger record goes alone.
const BATCH_BYTES: usize = 4 << 20;
/// The longest line; DynamoDB's own records are far below.
const LONGEST_LINE: usize = 64 << 20;
/// A line by its number, or why it cannot be a record.
pub(super) type Line = (u64, Result<String, String>);

/// A stream of lines, plain or gzip.
pub(super) struct Lines {
    name: String,
    from: Box<dyn BufRead + Send>,
    number: u64,
    blank: u64,
}

impl Lines {
    pub(super) fn open(file: &Path) -> Result<Self> {
        let name = file.display().to_string();
        let cannot = |error| Error::usage("the file cannot be read").with("file", name.clone()).because(error);
        let raw: Box<dyn Read + Send> =
            if name == "-" { Box::new(io::stdin()) } else { Box::new(File::open(file).map_err(cannot)?) };
        let mut raw = BufReader::with_capacity(1 << 18, raw);
        let is_gzip = raw.fill_buf().map_err(cannot)?.starts_with(&[0x1f, 0x8b]);
        let from: Box<dyn BufRead + Send> =
            if is_gzip { Box::new(BufReader::with_capacity(1 << 18, MultiGzDecoder::new(raw))) } else { Box::new(raw) };
        Ok(Self { name, from, number: 0, blank: 0 })
    }

    pub(super) fn starts_like_an_export(&mut self) -> Result<bool> {
        let name = self.name.clone();
        let start = self.from.fill_buf().map_err(|error| damaged(&name, 1, error))?;
        let start = String::from_utf8_lossy(&start[..start.len().min(64)]);
        let compact: String = start.split_whitespace().collect();
        Ok(compact.starts_with("{\"Item\":{"))
    }

    /// The next lines, without empty ones; none at the end.
    pub(super) fn batch(&mut self) -> Result<Vec<Line>> {
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while lines.len() < BATCH && bytes < BATCH_BYTES {
            let Some(line) = self.next()? else { break };
            if line.as_ref().is_ok_and(|line| line.trim().is_empty()) {
                self.blank += 1;
                continue;
            }
            bytes += line.as_ref().map_or(0, String::len);
            lines.push((self.number, line));
        }
        Ok(lines)
    }

    /// How many empty lines there were so far.
    pub(super) fn blank(&self) -> u64 {
        self.blank
    }

    fn next(&mut self) -> Result<Option<Result<String, String>>> {
        self.number += 1;
        let mut line = Vec::new();
        let most = LONGEST_LINE as u64 + 1;
        let read = (&mut self.from).take(most).read_until(b'\n', &mut line);
        read.map_err(|error| damaged(&self.name, self.number, error))?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.len() as u64 == most && line.last() != Some(&b'\n') {
            self.from.skip_until(b'\n').map_err(|error| damaged(&self.name, self.number, error))?;
            return Ok(Some(Err(format!("the line is longer than {LONGEST_LINE} bytes"))));
        }
        Ok(Some(String::from_utf8(line).map_err(|_| "the line is not UTF-8".to_owned())))
    }
}

fn damaged(name: &str, line: u64, error: io::Error) -> Error {
    Error::usage("the file cannot be read to its end")
        .with("file", format!("{name}, after line {}", line - 1))
        .because(error)
        .hint("what was read before is loaded; fetch the file again and load it once more")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Line> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        Lines::open(file.path()).unwrap().batch().unwrap()
    }

    #[test]
    fn lines_keep_their_numbers_whatever_is_empty_or_broken_between_them() {
        let read = lines(b"{}\n\n\xff\n{\"a\":1}");
        let numbers: Vec<_> = read.iter().map(|(number, line)| (*number, line.is_ok())).collect();
        assert_eq!(numbers, [(1, true), (3, false), (4, true)]);
    }

    #[test]
    fn gzip_is_recognised_and_a_cut_off_file_is_an_error() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all("{\"a\":1}\n".repeat(100).as_bytes()).unwrap();
        let bytes = encoder.finish().unwrap();
        assert_eq!(lines(&bytes).len(), 100);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes[..bytes.len() - 12]).unwrap();
        assert!(Lines::open(file.path()).unwrap().batch().is_err());
    }

    #[test]
    fn an_export_is_recognised_by_its_first_line() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b" {\"Item\": {\"id\":{\"S\":\"x\"}}}").unwrap();
        assert!(Lines::open(file.path()).unwrap().starts_like_an_export().unwrap());
    }
}
