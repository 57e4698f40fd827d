//! A file of JSON lines, plain or compressed, as a source.
//!
//! A position is the text that users search for, `people.jsonl:17`, and the offset after an `@`. Both are valid only
//! while the file is unchanged, so each read checks that it is still the file that was described.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{blocking, explain};
use crate::{
    backend::lines::{Lines, Pages},
    capability::storage::{Page, Row, Sameness, Scan, Segment, SourceInfo},
    error::{Error, Result},
    record::Form,
};

/// A file of JSON lines.
#[derive(Debug, Clone)]
pub struct JsonLines(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    form: Form,
    pages: Pages,
    /// The state of the file when it was described last.
    described: Mutex<Option<Stand>>,
}

/// Shows, without reading the file, whether it was written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stand {
    size: u64,
    modified: (i64, i64),
    file: (u64, u64),
}

impl Stand {
    fn of(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        let modified = (found.mtime(), found.mtime_nsec());
        Ok(Self { size: found.len(), modified, file: (found.dev(), found.ino()) })
    }
}

impl JsonLines {
    /// Opens a file whose lines are in a form.
    ///
    /// *Units*: a line is returned up to one byte more than `max_bytes`, so that a caller which refuses items above
    /// `max_bytes` refuses it as too large, and the rest of it is never held in memory.
    /// *Errors*: a path that does not exist or is not a file.
    pub fn open(path: impl Into<PathBuf>, form: Form, max_bytes: usize) -> Result<Self> {
        let path = path.into();
        let found = fs::metadata(&path).map_err(|error| explain(error, &path))?;
        if !found.is_file() {
            return Err(Error::usage("this is not a file").with("file", path.display().to_string()));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let opened = path.clone();
        let pages = Pages::new(name, max_bytes, move |place| Lines::open(&opened, place));
        Ok(Self(Arc::new(Inner { path, form, pages, described: Mutex::default() })))
    }

    /// Reads on a thread that may block.
    async fn blocking<T: Send + 'static>(&self, read: impl FnOnce(&Inner) -> Result<T> + Send + 'static) -> Result<T> {
        let inner = self.0.clone();
        blocking(move || read(&inner)).await
    }
}

impl Inner {
    /// The size and the digest of the file. All later reads have to be of this file.
    fn fingerprint(&self) -> Result<(u64, String)> {
        let explain = |error| explain(error, &self.path);
        let before = Stand::of(&self.path).map_err(explain)?;
        let mut digest = blake3::Hasher::new();
        digest.update_reader(File::open(&self.path).map_err(explain)?).map_err(explain)?;
        *self.described.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        self.still()?;
        Ok((before.size, format!("{} bytes {}", before.size, digest.finalize().to_hex())))
    }

    /// Refuses a file that differs from the one that was described.
    fn still(&self) -> Result<()> {
        let Some(then) = *self.described.lock().unwrap_or_else(PoisonError::into_inner) else { return Ok(()) };
        let now = Stand::of(&self.path).map_err(|error| explain(error, &self.path))?;
        if now == then {
            return Ok(());
        }
        let how = if now.size == then.size { "it was written to".to_owned() } else { sizes(now.size, then.size) };
        Err(Error::usage(format!("the file changed while it was read: {how}"))
            .with("file", self.path.display().to_string())
            .hint(
                "write a new file beside it and rename it between two runs; put the old one back and run again to \
                 resume, or start over with `--fresh`",
            ))
    }
}

fn sizes(now: u64, then: u64) -> String {
    format!("it has {now} bytes and had {then}")
}

#[async_trait]
impl Scan for JsonLines {
    async fn info(&self) -> Result<SourceInfo> {
        self.blocking(|file| {
            Ok(SourceInfo {
                fingerprint: file.fingerprint()?.1,
                count: None,
                form: file.form,
                segments: None,
                max_segments: Some(1),
                key: None,
                passing: false,
            })
        })
        .await
    }

    /// Reads the whole file again: its times may be wrong.
    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        let then = fingerprint.to_owned();
        self.blocking(move |file| {
            let (size, now) = file.fingerprint()?;
            let was = then.split_once(" bytes ").and_then(|(size, _)| size.parse().ok());
            Ok(match was {
                _ if now == then => Sameness::Same,
                Some(was) if was != size => Sameness::Changed(sizes(size, was)),
                Some(_) => Sameness::Changed("it has as many bytes as before, but others".to_owned()),
                None => Sameness::of(&now, &then),
            })
        })
        .await
    }

    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        if segment.number > 0 {
            return Ok(Page::default());
        }
        let after = after.map(str::to_owned);
        self.blocking(move |file| {
            let page = file.pages.page(after.as_deref(), limit, |error| explain(error, &file.path));
            // An error of a page may be caused by a replaced file.
            file.still().and(page)
        })
        .await
    }

    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        let positions = positions.to_vec();
        self.blocking(move |file| {
            let rows = file.pages.reread(&positions, |error| explain(error, &file.path));
            file.still().and(rows)
        })
        .await
    }
}
