//! A scan as a source: its segments, each once.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Entry, Line, Source};
use crate::{
    capability::storage::{Scan, Segment},
    error::Result,
    pipeline::lease::Held,
};

/// The segments of a scan.
pub(in crate::pipeline) struct Segments {
    /// What is scanned.
    pub scan: Arc<dyn Scan>,
    /// How many segments it is cut into.
    pub total: u32,
}

/// One segment of a scan.
#[derive(Clone)]
pub(in crate::pipeline) struct Scanned {
    scan: Arc<dyn Scan>,
    segment: Segment,
}

impl Segments {
    /// Returns each of them.
    pub fn all(self) -> impl Iterator<Item = Scanned> {
        (0..self.total).map(move |number| self.segment(number))
    }

    fn segment(&self, number: u32) -> Scanned {
        Scanned { scan: self.scan.clone(), segment: Segment { number, total: self.total } }
    }
}

impl Source for Segments {
    fn open(&self, line: u32, _: &Arc<Held>) -> Arc<dyn Line> {
        Arc::new(self.segment(line))
    }
}

#[async_trait]
impl Line for Scanned {
    async fn read(&self, after: Option<&str>, limit: usize) -> Result<(Vec<Entry>, Option<String>)> {
        let page = self.scan.read(self.segment, after, limit).await?;
        Ok((page.rows.into_iter().map(Entry::from).collect(), page.next))
    }
}
