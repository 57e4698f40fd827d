//! DynamoDB's export to S3, read from any bucket: S3 itself, or the directory it was downloaded to. Uses none of the
//! table's capacity.
//!
//! The manifest decides which files belong to it, how many items each has, and its checksum; all are checked, so that a
//! lost or cut file is detected. Each data file belongs to one segment as a whole.

mod checked;
mod manifest;

use std::{collections::BTreeMap, io, path::Path, sync::Arc};

use async_trait::async_trait;
use tokio::runtime::Handle;

use super::{
    files::{blocking, explain},
    lines::{Lines, Pages, Place, Pull},
};
use crate::{
    capability::storage::{Bucket, Listing, Page, Row, Sameness, Scan, Segment, SourceInfo},
    error::{Error, Kind, Result},
    record::Form,
};

use checked::Checked;
use manifest::{DataFile, Manifest};

/// A full export of a table.
pub struct Export {
    bucket: Arc<dyn Bucket>,
    /// The prefix of the export's keys; empty, or ends in a slash.
    under: String,
    files: Vec<File>,
    fingerprint: String,
}

#[derive(Debug)]
struct File {
    key: String,
    /// Its etag when the export was opened.
    etag: String,
    pages: Arc<Pages>,
    count: u64,
}

/// More bytes than the manifest of the largest export has.
const MANIFEST_BYTES: u64 = 256 << 20;

/// How many keys are listed at a time.
const LISTED: usize = 1000;

impl Export {
    /// Opens an export by the prefix of its manifests' keys, such as `AWSDynamoDB/01693685827463-2d8752fd/`.
    ///
    /// *Units*: lines are bounded by `max_bytes` as in [`super::files::JsonLines::open`].
    /// *Errors*: a manifest or a data file that is missing, and exports that are not full or not in DynamoDB JSON.
    pub async fn open(bucket: Arc<dyn Bucket>, prefix: &str, max_bytes: usize) -> Result<Self> {
        let at = |error: Error| if prefix.is_empty() { error } else { error.with("export", prefix) };
        let under = if prefix.is_empty() || prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
        let manifest = manifest(&*bucket, &under).await.map_err(at)?;
        let etags = etags(&*bucket, &under).await.map_err(at)?;
        let open = |file: &DataFile| {
            let key = format!("{under}data/{}", file.name()?);
            let etag = etags.get(&key).ok_or_else(|| {
                Error::new(Kind::NotFound, "a data file of the export is missing")
                    .with("file", key.clone())
                    .hint("fetch the whole export again; its manifest names this file")
            })?;
            File::open(&bucket, key, etag.clone(), file, max_bytes)
        };
        let files = manifest.files.iter().map(open).collect::<Result<Vec<_>>>().map_err(at)?;
        Ok(Self { bucket, under, files, fingerprint: manifest.fingerprint })
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.files.iter().position(|file| file.pages.name() == name)
    }
}

async fn text(bucket: &dyn Bucket, under: &str, name: &str) -> Result<String> {
    let key = [format!("{under}{name}")];
    let found = bucket.get_many(&key, MANIFEST_BYTES).await?.pop().flatten();
    let bytes = found.ok_or_else(|| {
        Error::new(Kind::NotFound, format!("there is no `{name}`"))
            .hint("name the directory, or the bucket and prefix, that hold the export's manifest-summary.json")
    })?;
    String::from_utf8(bytes).map_err(|error| Error::usage(format!("`{name}` is not UTF-8")).because(error))
}

async fn manifest(bucket: &dyn Bucket, under: &str) -> Result<Manifest> {
    let summary = text(bucket, under, "manifest-summary.json").await?;
    let files = text(bucket, under, "manifest-files.json").await?;
    Manifest::parse(&summary, &files)
}

/// The etag of each existing data file, by its key.
async fn etags(bucket: &dyn Bucket, under: &str) -> Result<BTreeMap<String, String>> {
    let (prefix, mut etags, mut after) = (format!("{under}data/"), BTreeMap::new(), None);
    loop {
        let Listing { objects, next, .. } = bucket.list(&prefix, after.as_deref(), LISTED).await?;
        etags.extend(objects.into_iter().map(|info| (info.key, info.etag)));
        if next.is_none() {
            return Ok(etags);
        }
        after = next;
    }
}

impl File {
    fn open(bucket: &Arc<dyn Bucket>, key: String, etag: String, said: &DataFile, max_bytes: usize) -> Result<Self> {
        let (bucket, at, md5, then) = (bucket.clone(), key.clone(), said.md5.clone(), etag.clone());
        let open = move |place: Place| {
            let found = Handle::current().block_on(bucket.read(&at)).map_err(io::Error::other)?;
            let (info, content) = found.ok_or(io::ErrorKind::NotFound)?;
            if info.etag != then {
                return Err(io::Error::other(changed()));
            }
            match md5.clone() {
                Some(md5) => Lines::read(Checked::new(Pull::new(content), md5), place),
                None => Lines::read(Pull::new(content), place),
            }
        };
        let pages = Arc::new(Pages::new(said.name()?.to_owned(), max_bytes, open));
        Ok(Self { key, etag, pages, count: said.item_count })
    }

    async fn page(&self, after: Option<&str>, limit: usize) -> Result<Page> {
        let (pages, key, after) = (self.pages.clone(), self.key.clone(), after.map(str::to_owned));
        blocking(move || pages.page(after.as_deref(), limit, |error| explain(error, Path::new(&key)))).await
    }

    async fn reread(&self, positions: Vec<String>) -> Result<Vec<Option<Row>>> {
        let (pages, key) = (self.pages.clone(), self.key.clone());
        blocking(move || pages.reread(&positions, |error| explain(error, Path::new(&key)))).await
    }

    /// The last cursor of a file contains the number of its lines.
    fn check_count(&self, last: Option<&str>) -> Result<()> {
        let lines = last.and_then(|cursor| cursor.rsplit_once(':')).map_or("0", |(_, line)| line);
        if lines == self.count.to_string() {
            return Ok(());
        }
        Err(Error::usage(format!("a data file has {lines} items where the manifest says {}", self.count))
            .with("file", self.key.clone())
            .hint("fetch this file again"))
    }
}

fn changed() -> Error {
    Error::usage("a data file of the export changed since the export was opened").hint(
        "leave an export as it is while it is read; put the old file back and run again to resume, or start over \
         with `--fresh`",
    )
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").field("under", &self.under).field("files", &self.files).finish_non_exhaustive()
    }
}

#[async_trait]
impl Scan for Export {
    async fn info(&self) -> Result<SourceInfo> {
        Ok(SourceInfo {
            fingerprint: self.fingerprint.clone(),
            count: Some(self.files.iter().map(|file| file.count).sum()),
            form: Form::DynamodbJson,
            segments: None,
            max_segments: Some(u32::try_from(self.files.len().max(1)).unwrap_or(u32::MAX)),
            key: None,
            passing: false,
        })
    }

    /// Checks the manifest and the etag of each data file, since what was read of a file had that etag.
    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        let manifest = manifest(&*self.bucket, &self.under).await?;
        if manifest.fingerprint != fingerprint {
            return Ok(Sameness::Changed("its manifest is another".to_owned()));
        }
        let etags = etags(&*self.bucket, &self.under).await?;
        let other = self.files.iter().find(|file| etags.get(&file.key) != Some(&file.etag));
        Ok(other.map_or(Sameness::Same, |file| Sameness::Changed(format!("data file {} is another", file.key))))
    }

    /// A cursor is the number of a file and the cursor within it.
    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        let (mut n, mut within) = match after {
            None => (segment.number as usize, None),
            Some(text) => parse_cursor(text).map(|(n, within)| (n, Some(within)))?,
        };
        while let Some(file) = self.files.get(n) {
            let page = file.page(within, limit).await?;
            if page.next.is_none() {
                file.check_count(page.rows.last().map(|row| row.cursor.as_str()).or(within))?;
            }
            if !page.rows.is_empty() {
                return Ok(self.numbered(page, n, segment));
            }
            match page.next {
                // The file continues although this page of it is empty.
                Some(_) => return Err(Error::bug("a page of a file is empty and not the last")),
                None => (n, within) = (n + segment.total.max(1) as usize, None),
            }
        }
        Ok(Page::default())
    }

    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        let mut rows = vec![None; positions.len()];
        for (n, file) in self.files.iter().enumerate() {
            let here =
                |position: &&String| position.rsplit_once(':').and_then(|(name, _)| self.index_of(name)) == Some(n);
            let (at, asked): (Vec<_>, Vec<_>) =
                positions.iter().cloned().enumerate().filter(|(_, position)| here(&position)).unzip();
            if asked.is_empty() {
                continue;
            }
            for (at, row) in at.into_iter().zip(file.reread(asked).await?) {
                rows[at] = row.map(|row| Row { cursor: format!("{n}/{}", row.cursor), ..row });
            }
        }
        Ok(rows)
    }
}

impl Export {
    fn numbered(&self, mut page: Page, n: usize, segment: Segment) -> Page {
        for row in &mut page.rows {
            row.cursor = format!("{n}/{}", row.cursor);
        }
        let more = page.next.is_some() || n + (segment.total.max(1) as usize) < self.files.len();
        page.next = page.rows.last().filter(|_| more).map(|row| row.cursor.clone());
        page
    }
}

fn parse_cursor(text: &str) -> Result<(usize, &str)> {
    let parts = text.split_once('/').and_then(|(n, within)| Some((n.parse().ok()?, within)));
    parts.ok_or_else(|| Error::bug(format!("`{text}` is no cursor of an export")))
}
