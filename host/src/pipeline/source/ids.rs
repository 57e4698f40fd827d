//! Chosen ids as a source: one range of them per line.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;

use super::{Entry, Line, Origin, Source};
use crate::{capability::storage::Scan, error::Result, pipeline::lease::Held};

/// Ids that were chosen, cut into ranges.
pub(in crate::pipeline) struct Ids {
    /// Where their records are.
    pub scan: Arc<dyn Scan>,
    /// The ids.
    pub ids: Arc<Vec<String>>,
    /// Into how many ranges they are cut.
    pub lines: u32,
}

/// A range of chosen ids. The cursor counts them from the start of the whole list.
#[derive(Clone)]
pub(in crate::pipeline) struct Chosen {
    scan: Arc<dyn Scan>,
    ids: Arc<Vec<String>>,
    range: Range<usize>,
}

impl Chosen {
    /// All of the ids.
    pub fn all(scan: Arc<dyn Scan>, ids: Arc<Vec<String>>) -> Self {
        let range = 0..ids.len();
        Self { scan, ids, range }
    }
}

impl Source for Ids {
    fn open(&self, line: u32, _: &Arc<Held>) -> Arc<dyn Line> {
        let range = range(self.ids.len(), line, self.lines);
        Arc::new(Chosen { scan: self.scan.clone(), ids: self.ids.clone(), range })
    }
}

#[async_trait]
impl Line for Chosen {
    async fn read(&self, after: Option<&str>, limit: usize) -> Result<(Vec<Entry>, Option<String>)> {
        let end = self.range.end;
        let from = after.and_then(|cursor| cursor.parse().ok()).unwrap_or(self.range.start).min(end);
        let to = (from + limit).min(end);
        let ids = &self.ids[from..to];
        let rows = self.scan.reread(ids).await?;
        let entries = ids.iter().zip(rows).enumerate().map(|(n, (id, row))| Entry {
            origin: Origin { cursor: (from + n + 1).to_string(), position: id.clone(), ..Origin::default() },
            id: Some(id.clone()),
            body: row.map(|row| row.body),
            ..Entry::default()
        });
        Ok((entries.collect(), (to < end).then(|| to.to_string())))
    }
}

/// One of `count` ranges of equal length, give or take one, that neither overlap nor skip.
fn range(ids: usize, number: u32, count: u32) -> Range<usize> {
    let (number, count) = (number as usize, count.max(1) as usize);
    number * ids / count..(number + 1) * ids / count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_alike_and_neither_overlap_nor_skip(ids in 0usize..5000, count in 1u32..100) {
            let ranges: Vec<_> = (0..count).map(|number| range(ids, number, count)).collect();
            prop_assert_eq!(ranges.iter().cloned().flatten().collect::<Vec<_>>(), (0..ids).collect::<Vec<_>>());
            let longest = ranges.iter().map(Range::len).max();
            prop_assert!(ranges.iter().all(|range| range.len() + 1 >= longest.unwrap_or(0)));
        }
    }
}
