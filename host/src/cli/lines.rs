//! The lines of a file or of standard input, in batches and with their numbers.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use serde::de::IgnoredAny;

use crate::{
    backend::lines::{self, Place},
    error::{Error, Result},
};

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
    file: PathBuf,
    lines: lines::Lines,
    /// The first line, if it was looked at and not handed out yet.
    first: Option<Line>,
}

impl Lines {
    /// Opens a file, or standard input by the name `-`.
    pub(super) fn open(file: &Path) -> Result<Self> {
        let opened = if file.as_os_str() == "-" {
            lines::Lines::read(io::stdin(), Place::default())
        } else {
            lines::Lines::open(file, Place::default())
        };
        let lines = opened.map_err(|error| match error.downcast::<Error>() {
            Ok(error) => error.with("file", named(file)),
            Err(error) => Error::usage("the file cannot be read").with("file", named(file)).because(error),
        })?;
        Ok(Self { file: file.to_owned(), lines, first: None })
    }

    /// What messages call the file.
    pub(super) fn name(&self) -> String {
        named(&self.file)
    }

    /// Whether the first line is one of a DynamoDB export.
    pub(super) fn starts_like_an_export(&mut self) -> Result<bool> {
        if self.first.is_none() {
            self.first = self.next()?;
        }
        let Some((_, Ok(line))) = &self.first else { return Ok(false) };
        let start = line.chars().filter(|letter| !letter.is_whitespace()).take(64).collect::<String>();
        Ok(start.starts_with("{\"Item\":{"))
    }

    /// Whether the first line is a record in DynamoDB's JSON: each attribute is a table of one type.
    pub(super) fn starts_typed(&mut self) -> Result<bool> {
        const TYPES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"];
        if self.first.is_none() {
            self.first = self.next()?;
        }
        let Some((_, Ok(line))) = &self.first else { return Ok(false) };
        let line = line.trim_start_matches('\u{FEFF}');
        let record = serde_json::from_str::<BTreeMap<String, BTreeMap<String, IgnoredAny>>>(line).unwrap_or_default();
        let is_typed = |value: &BTreeMap<String, IgnoredAny>| {
            value.len() == 1 && value.keys().all(|word| TYPES.contains(&word.as_str()))
        };
        Ok(!record.is_empty() && record.values().all(is_typed))
    }

    /// The next lines, without empty ones; none at the end.
    pub(super) fn batch(&mut self) -> Result<Vec<Line>> {
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while lines.len() < BATCH && bytes < BATCH_BYTES {
            let Some(line) = self.first.take().map_or_else(|| self.next(), |first| Ok(Some(first)))? else { break };
            bytes += line.1.as_ref().map_or(0, String::len);
            lines.push(line);
        }
        Ok(lines)
    }

    /// How many empty lines there were so far.
    pub(super) fn blank(&self) -> u64 {
        self.lines.empty()
    }

    fn next(&mut self) -> Result<Option<Line>> {
        let read = self.lines.next(LONGEST_LINE).map_err(|error| {
            let place = format!("{}, after line {}", self.name(), self.lines.place().line);
            Error::usage("the file cannot be read to its end")
                .with("file", place)
                .because(error)
                .hint("fetch the file again and repeat the command; what was loaded already stays as it is")
        })?;
        Ok(read.map(|(before, line)| {
            let text = match line.len() {
                0..=LONGEST_LINE => String::from_utf8(line).map_err(|_| "the line is not UTF-8".to_owned()),
                _ => Err(format!("the line is longer than {LONGEST_LINE} bytes")),
            };
            (before.line + 1, text)
        }))
    }
}

fn named(file: &Path) -> String {
    if file.as_os_str() == "-" { "standard input".to_owned() } else { file.display().to_string() }
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
        assert!(Lines::open(file.path()).and_then(|mut lines| lines.batch()).is_err());
    }

    #[test]
    fn an_export_is_recognised_by_its_first_line_which_is_handed_out_all_the_same() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all("\u{FEFF}\n {\"Item\": {\"id\":{\"S\":\"x\"}}}\nnext".as_bytes()).unwrap();
        let mut lines = Lines::open(file.path()).unwrap();
        assert!(lines.starts_like_an_export().unwrap() && lines.starts_like_an_export().unwrap());
        let numbers: Vec<_> = lines.batch().unwrap().into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [2, 3]);
    }
}
