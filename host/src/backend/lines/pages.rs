//! A text of lines, returned in pages and read again by position.
//!
//! A cursor is the byte offset after a line and that line's number; a position is the text's name, the line's number,
//! and the offset after an `@`. Offsets count uncompressed bytes.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use super::{Lines, Place};
use crate::{
    capability::storage::{Page, Row},
    error::{Error, Kind, Result},
};

/// The size in bytes at which a page ends, for every limit.
const PAGE_BYTES: usize = 8 << 20;

/// A text that can be opened at any place. Its calls block: run them on a blocking thread.
pub(in crate::backend) struct Pages {
    name: String,
    max_bytes: usize,
    open: Box<dyn Fn(Place) -> io::Result<Lines> + Send + Sync>,
    /// The reader at the end of the last page, so that the next one continues without opening or unpacking again.
    kept: Mutex<Option<Lines>>,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Pages {
    /// Sets the name of a text and how it is opened. A line is returned up to one byte more than `max_bytes`.
    pub(in crate::backend) fn new(
        name: String,
        max_bytes: usize,
        open: impl Fn(Place) -> io::Result<Lines> + Send + Sync + 'static,
    ) -> Self {
        Self { name, max_bytes, open: Box::new(open), kept: Mutex::default() }
    }

    /// The name that positions begin with.
    pub(in crate::backend) fn name(&self) -> &str {
        &self.name
    }

    /// Reads at most `limit` lines after a cursor; `explain` explains an error.
    pub(in crate::backend) fn page(
        &self,
        after: Option<&str>,
        limit: usize,
        explain: impl Fn(io::Error) -> Error,
    ) -> Result<Page> {
        let place = after.map_or(Ok(Place::default()), parse_cursor)?;
        let failed = |error, line: u64| explain(error).with("after", format!("line {line}"));
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut lines = match kept.filter(|lines| lines.place() == place) {
            Some(lines) => lines,
            None => (self.open)(place).map_err(|error| failed(error, place.line))?,
        };
        let mut page = Page::default();
        let mut bytes = 0;
        let mut whole = true;
        while page.rows.len() < limit && bytes < PAGE_BYTES {
            match lines.next(self.max_bytes) {
                Ok(Some((before, body))) => {
                    bytes += body.len();
                    page.rows.push(self.row(before, lines.place(), body));
                }
                Ok(None) => return Ok(page),
                // The lines read so far are returned; the next page opens the text again, gets the same error and
                // returns it.
                Err(_) if !page.rows.is_empty() => {
                    whole = false;
                    break;
                }
                Err(error) => return Err(failed(error, lines.place().line)),
            }
        }
        page.next = page.rows.last().map(|row| row.cursor.clone());
        // A reader that failed may take the error for the end.
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = whole.then_some(lines);
        Ok(page)
    }

    fn row(&self, before: Place, after: Place, body: Vec<u8>) -> Row {
        Row {
            cursor: format!("{}:{}", after.offset, after.line),
            position: format!("{}:{}@{}", self.name, after.line, before.offset),
            body,
        }
    }

    /// Reads lines again by position, in the order of the text, so that a compressed one is unpacked once.
    pub(in crate::backend) fn reread(
        &self,
        positions: &[String],
        explain: impl Fn(io::Error) -> Error,
    ) -> Result<Vec<Option<Row>>> {
        let places = positions.iter().map(|position| parse_position(position)).collect::<Result<Vec<_>>>()?;
        self.find(&places).map_err(explain)
    }

    fn find(&self, places: &[Place]) -> io::Result<Vec<Option<Row>>> {
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
                _ => (self.open)(places[n])?,
            };
            let read = reader.next(self.max_bytes)?;
            rows[n] = read
                .filter(|(before, _)| *before == places[n])
                .map(|(before, body)| self.row(before, reader.place(), body));
            lines = Some(reader);
        }
        Ok(rows)
    }
}

fn parse_cursor(text: &str) -> Result<Place> {
    let place = text
        .split_once(':')
        .and_then(|(offset, line)| Some(Place { offset: offset.parse().ok()?, line: line.parse().ok()? }));
    place.ok_or_else(|| Error::bug(format!("`{text}` is no cursor of a file")))
}

/// Returns the place before the line: the number in a position includes the line itself.
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
