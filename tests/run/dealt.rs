//! A small source dealt out to segments one record at a time: real tables deal hundreds at a time, so that a few would
//! all lie in one segment.

use std::sync::Arc;

use async_trait::async_trait;
use reindex::{
    capability::storage::{Page, Row, Sameness, Scan, Segment, SourceInfo},
    error::Result,
};

pub struct Dealt(pub Arc<dyn Scan>);

#[async_trait]
impl Scan for Dealt {
    async fn info(&self) -> Result<SourceInfo> {
        self.0.info().await
    }

    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        self.0.compare(fingerprint).await
    }

    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        let mut page = self.0.read(Segment { number: 0, total: 1 }, after, limit).await?;
        let number = |row: &Row| row.cursor.bytes().fold(0u32, |sum, byte| sum + u32::from(byte));
        page.rows.retain(|row| number(row) % segment.total == segment.number);
        Ok(page)
    }

    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        self.0.reread(positions).await
    }
}
