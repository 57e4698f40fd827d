//! DynamoDB's export to S3, as it lies in a directory after a download.
//!
//! The manifest decides which files belong to it and how many items each has; both are checked, so that a lost or
//! cut file is not a smaller table. Each data file is one segment's, whole.

use std::{
    fs,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use serde::Deserialize;

use super::{JsonLines, explain};
use crate::{
    capability::storage::{Page, Row, Scan, Segment, SourceInfo},
    error::{Error, Kind, Result},
    record::Form,
};

/// A full export of a table.
#[derive(Debug)]
pub struct Export {
    files: Vec<(JsonLines, u64)>,
    fingerprint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    output_format: String,
    #[serde(default)]
    export_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataFile {
    item_count: u64,
    data_file_s3_key: String,
}

impl Export {
    /// Opens an export by the directory that holds its `manifest-summary.json`; lines are bounded as in
    /// [`JsonLines::open`].
    ///
    /// *Errors*: a manifest or a data file that is missing, and exports that are not full or not in DynamoDB JSON.
    pub fn open(directory: impl Into<PathBuf>, max_bytes: usize) -> Result<Self> {
        let directory = directory.into();
        let summary: Summary = parse(&read(&directory, "manifest-summary.json")?, &directory)?;
        if summary.output_format != "DYNAMODB_JSON" || summary.export_type.as_deref() == Some("INCREMENTAL_EXPORT") {
            return Err(Error::usage("only full exports in DynamoDB JSON can be read")
                .with("export", directory.display().to_string())
                .hint("export the table with `--export-format DYNAMODB_JSON --export-type FULL_EXPORT`"));
        }
        let manifest = read(&directory, "manifest-files.json")?;
        let lines = manifest.lines().filter(|line| !line.trim().is_empty());
        let files = lines.map(|line| open(&directory, &parse(line, &directory)?, max_bytes)).collect::<Result<_>>()?;
        Ok(Self { files, fingerprint: blake3::hash(manifest.as_bytes()).to_hex().to_string() })
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.files.iter().position(|(file, _)| file.name() == name)
    }
}

fn read(directory: &Path, name: &str) -> Result<String> {
    let path = directory.join(name);
    fs::read_to_string(&path)
        .map_err(|error| explain(error, &path).hint("name the directory that holds the export's manifest-summary.json"))
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str, directory: &Path) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        Error::usage("the manifest of the export cannot be read")
            .with("export", directory.display().to_string())
            .because(error)
    })
}

/// Of a key in S3 only the last part counts: whatever the manifest says, no file outside the directory is read.
fn open(directory: &Path, file: &DataFile, max_bytes: usize) -> Result<(JsonLines, u64)> {
    let name = file.data_file_s3_key.rsplit('/').next().unwrap_or_default();
    if name.is_empty() || name == ".." {
        let text = format!("the manifest names a data file `{}`, which is none", file.data_file_s3_key);
        return Err(Error::usage(text).with("export", directory.display().to_string()));
    }
    let lines = JsonLines::open(directory.join("data").join(name), Form::DynamodbJson, max_bytes)
        .map_err(|error| error.hint("download the whole export again; its manifest names this file"))?;
    Ok((lines, file.item_count))
}

const WHOLE: Segment = Segment { number: 0, total: 1 };

#[async_trait]
impl Scan for Export {
    async fn info(&self) -> Result<SourceInfo> {
        Ok(SourceInfo {
            fingerprint: self.fingerprint.clone(),
            count: Some(self.files.iter().map(|(_, count)| count).sum()),
            form: Form::DynamodbJson,
            segments: None,
            max_segments: Some(u32::try_from(self.files.len().max(1)).unwrap_or(u32::MAX)),
            key: None,
        })
    }

    /// A cursor is the number of a file and the cursor within it.
    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        let (mut n, mut within) = match after {
            None => (segment.number as usize, None),
            Some(text) => parse_cursor(text).map(|(n, within)| (n, Some(within)))?,
        };
        while let Some((file, count)) = self.files.get(n) {
            let page = file.read(WHOLE, within, limit).await?;
            let ended = page.next.is_none();
            if ended {
                check_count(file, page.rows.last().map(|row| row.cursor.as_str()).or(within), *count)?;
            }
            if !page.rows.is_empty() {
                return Ok(self.numbered(page, n, segment));
            }
            (n, within) = (n + segment.total.max(1) as usize, None);
        }
        Ok(Page::default())
    }

    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        let mut rows = vec![None; positions.len()];
        for (n, (file, _)) in self.files.iter().enumerate() {
            let here =
                |position: &&String| position.rsplit_once(':').and_then(|(name, _)| self.index_of(name)) == Some(n);
            let asked: Vec<_> = positions.iter().enumerate().filter(|(_, position)| here(position)).collect();
            if asked.is_empty() {
                continue;
            }
            let within: Vec<_> = asked.iter().map(|(_, position)| (*position).clone()).collect();
            for ((at, _), row) in asked.into_iter().zip(file.reread(&within).await?) {
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

/// The last cursor of a file holds the number of its lines.
fn check_count(file: &JsonLines, last: Option<&str>, count: u64) -> Result<()> {
    let lines = last.and_then(|cursor| cursor.rsplit_once(':')).map_or("0", |(_, line)| line);
    if lines == count.to_string() {
        return Ok(());
    }
    Err(Error::new(Kind::Usage, format!("a data file has {lines} items where the manifest says {count}"))
        .with("file", file.path().display().to_string())
        .hint("download this file again"))
}
