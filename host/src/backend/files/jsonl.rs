//! A file of JSON lines, plain or compressed, as a source.
//!
//! A cursor is the byte offset after a line and that line's number; a position is what people look for,
//! `people.jsonl:17`, and the offset behind an `@`. Offsets count uncompressed bytes. Nothing is parsed here.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{
    blocking, explain,
    lines::{Lines, Place},
};
use crate::{
    capability::storage::{Page, Row, Scan, Segment, SourceInfo},
    error::{Error, Kind, Result},
    record::Form,
};

/// How many bytes of lines a page holds before it is handed out, whatever was asked for.
const PAGE_BYTES: usize = 8 << 20;

/// A file of JSON lines.
#[derive(Debug, Clone)]
pub struct JsonLines(Arc<Inner>);

struct Inner {
    path: PathBuf,
    name: String,
    form: Form,
    max_bytes: usize,
    /// The reader where the last page ended, so that the next one goes on without opening or unpacking anew.
    kept: Mutex<Option<Lines>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("path", &self.path).field("form", &self.form).finish_non_exhaustive()
    }
}

impl JsonLines {
    /// Opens a file whose lines are in a form.
    ///
    /// *Units*: a line is handed out up to one byte more than `max_bytes`, so that whoever refuses items above
    /// `max_bytes` refuses it as too large, and the rest of it is never held in memory.
    /// *Errors*: a file that does not exist or is none.
    pub fn open(path: impl Into<PathBuf>, form: Form, max_bytes: usize) -> Result<Self> {
        let path = path.into();
        let found = fs::metadata(&path).map_err(|error| explain(error, &path))?;
        if !found.is_file() {
            return Err(Error::usage("this is not a file").with("file", path.display().to_string()));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let max_bytes = max_bytes.saturating_add(1);
        Ok(Self(Arc::new(Inner { path, name, form, max_bytes, kept: Mutex::new(None) })))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }
}

#[async_trait]
impl Scan for JsonLines {
    async fn info(&self) -> Result<SourceInfo> {
        let inner = self.0.clone();
        blocking(move || {
            let fingerprint = fingerprint(&inner.path).map_err(|error| explain(error, &inner.path))?;
            Ok(SourceInfo {
                fingerprint,
                count: None,
                form: inner.form,
                segments: None,
                max_segments: Some(1),
                key: None,
            })
        })
        .await
    }

    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        if segment.number > 0 {
            return Ok(Page::default());
        }
        let place = after.map_or(Ok(Place::default()), parse_cursor)?;
        let inner = self.0.clone();
        blocking(move || inner.page(place, limit).map_err(|(error, line)| inner.explain(error, line))).await
    }

    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        let places = positions.iter().map(|position| parse_position(position)).collect::<Result<Vec<_>>>()?;
        let inner = self.0.clone();
        blocking(move || inner.reread(&places).map_err(|error| explain(error, &inner.path))).await
    }
}

impl Inner {
    fn page(&self, place: Place, limit: usize) -> Result<Page, (io::Error, u64)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut lines = match kept.filter(|lines| lines.place() == place) {
            Some(lines) => lines,
            None => Lines::open(&self.path, place).map_err(|error| (error, place.line))?,
        };
        let mut page = Page::default();
        let mut bytes = 0;
        while page.rows.len() < limit && bytes < PAGE_BYTES {
            match lines.next(self.max_bytes) {
                Ok(Some((before, body))) => {
                    bytes += body.len();
                    page.rows.push(self.row(before, lines.place(), body));
                }
                Ok(None) => return Ok(page),
                // What was read so far counts; the next page meets the same fault and says so.
                Err(_) if !page.rows.is_empty() => break,
                Err(error) => return Err((error, lines.place().line)),
            }
        }
        page.next = page.rows.last().map(|row| row.cursor.clone());
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(lines);
        Ok(page)
    }

    fn row(&self, before: Place, after: Place, body: Vec<u8>) -> Row {
        Row {
            cursor: format!("{}:{}", after.offset, after.line),
            position: format!("{}:{}@{}", self.name, after.line, before.offset),
            body,
        }
    }

    /// Reads in the order of the file, so that a compressed one is unpacked once.
    fn reread(&self, places: &[Place]) -> io::Result<Vec<Option<Row>>> {
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by_key(|&n| places[n].offset);
        let mut rows = vec![None; places.len()];
        let mut lines: Option<Lines> = None;
        for n in order {
            let mut reader = match lines.take() {
                Some(mut lines) if lines.place().offset <= places[n].offset => {
                    lines.skip_to(places[n])?;
                    lines
                }
                _ => Lines::open(&self.path, places[n])?,
            };
            let read = reader.next(self.max_bytes)?;
            rows[n] = read
                .filter(|(before, _)| *before == places[n])
                .map(|(before, body)| self.row(before, reader.place(), body));
            lines = Some(reader);
        }
        Ok(rows)
    }

    fn explain(&self, error: io::Error, line: u64) -> Error {
        explain(error, &self.path).with("after", format!("line {line}"))
    }
}

fn fingerprint(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut digest = blake3::Hasher::new();
    digest.update_reader(file)?;
    Ok(format!("{size} bytes {}", digest.finalize().to_hex()))
}

fn parse_cursor(text: &str) -> Result<Place> {
    let place = text
        .split_once(':')
        .and_then(|(offset, line)| Some(Place { offset: offset.parse().ok()?, line: line.parse().ok()? }));
    place.ok_or_else(|| Error::bug(format!("`{text}` is no cursor of a file")))
}

/// The place before the line: its number counts itself.
fn parse_position(text: &str) -> Result<Place> {
    let place = text.rsplit_once('@').and_then(|(name, offset)| {
        let line: u64 = name.rsplit_once(':')?.1.parse().ok()?;
        Some(Place { offset: offset.parse().ok()?, line: line.checked_sub(1)? })
    });
    place.ok_or_else(|| {
        Error::new(Kind::Usage, format!("`{text}` is no position in a file")).hint(
            "the records of a file are named by where they stand, FILE:LINE@OFFSET, as `reindex status` shows them",
        )
    })
}
