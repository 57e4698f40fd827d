//! The first records of a source, for runs with a limit.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    capability::storage::{Page, Row, Sameness, Scan, Segment, SourceInfo},
    error::Result,
};

/// A source that ends after so many records. Its cursor is how many it gave and the inner cursor.
pub(super) struct First {
    inner: Arc<dyn Scan>,
    limit: u64,
}

impl First {
    /// Ends a source early.
    pub fn new(inner: Arc<dyn Scan>, limit: u64) -> Self {
        Self { inner, limit }
    }
}

#[async_trait]
impl Scan for First {
    async fn info(&self) -> Result<SourceInfo> {
        self.inner.info().await
    }

    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        self.inner.compare(fingerprint).await
    }

    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        let (given, after) = after.map_or((0, None), split);
        let left = usize::try_from(self.limit.saturating_sub(given)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(Page::default());
        }
        let mut page = self.inner.read(segment, after, limit.min(left)).await?;
        page.rows.truncate(left);
        for (row, number) in page.rows.iter_mut().zip(given + 1..) {
            row.cursor = format!("{number} {}", row.cursor);
        }
        let given = given + page.rows.len() as u64;
        page.next = page.next.filter(|_| given < self.limit).map(|next| format!("{given} {next}"));
        Ok(page)
    }

    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        self.inner.reread(positions).await
    }

    fn share(&self, workers: u32) {
        self.inner.share(workers);
    }
}

fn split(cursor: &str) -> (u64, Option<&str>) {
    let (given, inner) = cursor.split_once(' ').unwrap_or((cursor, ""));
    (given.parse().unwrap_or(0), Some(inner))
}
