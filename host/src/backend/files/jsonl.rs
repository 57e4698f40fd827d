//! A file of JSON lines, plain or compressed, as a source.
//!
//! A position is what people look for, `people.jsonl:17`, and the offset behind an `@`.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;

use super::{blocking, explain};
use crate::{
    backend::lines::{Lines, Pages},
    capability::storage::{Page, Row, Scan, Segment, SourceInfo},
    error::{Error, Result},
    record::Form,
};

/// A file of JSON lines.
#[derive(Debug, Clone)]
pub struct JsonLines {
    path: PathBuf,
    form: Form,
    pages: Arc<Pages>,
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
        let opened = path.clone();
        let pages = Arc::new(Pages::new(name, max_bytes, move |place| Lines::open(&opened, place)));
        Ok(Self { path, form, pages })
    }
}

#[async_trait]
impl Scan for JsonLines {
    async fn info(&self) -> Result<SourceInfo> {
        let (path, form) = (self.path.clone(), self.form);
        blocking(move || {
            let fingerprint = fingerprint(&path).map_err(|error| explain(error, &path))?;
            Ok(SourceInfo {
                fingerprint,
                count: None,
                form,
                segments: None,
                max_segments: Some(1),
                key: None,
                passing: false,
            })
        })
        .await
    }

    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        if segment.number > 0 {
            return Ok(Page::default());
        }
        let (pages, path, after) = (self.pages.clone(), self.path.clone(), after.map(str::to_owned));
        blocking(move || pages.page(after.as_deref(), limit, |error| explain(error, &path))).await
    }

    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        let (pages, path, positions) = (self.pages.clone(), self.path.clone(), positions.to_vec());
        blocking(move || pages.reread(&positions, |error| explain(error, &path))).await
    }
}

fn fingerprint(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut digest = blake3::Hasher::new();
    digest.update_reader(file)?;
    Ok(format!("{size} bytes {}", digest.finalize().to_hex()))
}
