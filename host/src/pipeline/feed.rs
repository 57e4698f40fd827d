//! Where entries come from: a segment of a scan, once or for ever, a list of ids, the ledger's rows that are to be
//! retried, or a queue.

use std::{ops::Range, sync::Arc};

use crate::{
    capability::storage::{Row, Scan, Segment},
    error::Result,
    ledger::{Filter, IdRow, Ledger},
};

use super::{
    consumer::Consumer,
    entry::{Before, Ended, Entry},
    follow::Follower,
    lease::Held,
    loaded::Hand,
};

/// A stream of entries that can be resumed after any of them.
#[derive(Clone)]
pub(super) enum Feed {
    /// A segment of the source.
    Segment { scan: Arc<dyn Scan>, segment: Segment },
    /// A segment of a source that is followed; its cursor says nothing, since what is done went away.
    Following(Arc<Follower>),
    /// A range of chosen ids of the source; the cursor counts them from the start of the whole list.
    Ids { scan: Arc<dyn Scan>, ids: Arc<Vec<String>>, range: Range<usize> },
    /// The rows of a run that are to be tried again.
    Rows { scan: Arc<dyn Scan>, ledger: Arc<dyn Ledger>, run: String, filter: Filter },
    /// A queue; its cursor says nothing, since the queue itself knows what was acknowledged.
    Messages(Arc<Consumer>),
    /// The ready ids of a list, which says itself what is done.
    Loaded(Arc<Hand>),
}

impl Feed {
    /// The same feed for whoever holds a line from now on.
    pub fn begun(self, held: &Arc<Held>) -> Self {
        match self {
            Self::Loaded(hand) => Self::Loaded(Arc::new(hand.of(held))),
            Self::Following(follower) => Self::Following(Arc::new(follower.of(held))),
            feed => feed,
        }
    }

    /// Gives back what was taken and came to no end.
    pub async fn give_back(&self) {
        if let Self::Loaded(hand) = self {
            hand.put_all_back().await;
        }
    }

    /// Reads at most `limit` entries after a cursor, and says where to go on, if anywhere.
    pub async fn read(&self, after: Option<&str>, limit: usize) -> Result<(Vec<Entry>, Option<String>)> {
        match self {
            Self::Segment { scan, segment } => {
                let page = scan.read(*segment, after, limit).await?;
                Ok((page.rows.into_iter().map(Entry::from).collect(), page.next))
            }
            Self::Ids { scan, ids, range } => {
                let after = after.and_then(|cursor| cursor.parse().ok());
                let from = after.unwrap_or(range.start).min(range.end);
                let to = (from + limit).min(range.end);
                let rows = scan.reread(&ids[from..to]).await?;
                let entries = ids[from..to].iter().zip(rows).enumerate().map(|(n, (id, row))| Entry {
                    cursor: (from + n + 1).to_string(),
                    position: id.clone(),
                    id: Some(id.clone()),
                    expected: None,
                    before: None,
                    body: row.map(|row| row.body),
                    refused: None,
                    receipt: None,
                });
                Ok((entries.collect(), (to < range.end).then(|| to.to_string())))
            }
            Self::Rows { scan, ledger, run, filter } => {
                let rows = ledger.rows(run, filter, after, limit).await?;
                // Only the ledger knows the end, and says so by handing out none.
                let next = rows.last().map(|row| row.position.clone());
                let positions: Vec<_> = rows.iter().map(|row| row.position.clone()).collect();
                let found = scan.reread(&positions).await?;
                Ok((rows.into_iter().zip(found).map(again).collect(), next))
            }
            Self::Following(follower) => Ok((follower.read(limit).await?, Some(String::new()))),
            Self::Messages(consumer) => {
                let (entries, goes_on) = consumer.read(limit).await?;
                Ok((entries, goes_on.then(String::new)))
            }
            Self::Loaded(hand) => {
                let (entries, goes_on) = hand.read(limit).await?;
                Ok((entries, goes_on.then(String::new)))
            }
        }
    }

    /// Ends entries where they came from, once the ledger knows what came of them.
    pub async fn acknowledge(&self, ends: &[Ended]) -> Result<()> {
        match self {
            Self::Messages(consumer) => {
                let receipts: Vec<_> = ends.iter().map(|end| end.receipt.name().to_owned()).collect();
                consumer.acknowledge(&receipts).await
            }
            Self::Loaded(hand) => hand.settle(ends).await,
            Self::Following(follower) => {
                follower.end(ends);
                Ok(())
            }
            Self::Segment { .. } | Self::Ids { .. } | Self::Rows { .. } => Ok(()),
        }
    }
}

/// Cuts so many entries into ranges of equal length, give or take one, that neither overlap nor skip.
pub(super) fn ranges(entries: usize, count: u32) -> impl Iterator<Item = Range<usize>> {
    let count = count.max(1) as usize;
    (0..count).map(move |n| n * entries / count..(n + 1) * entries / count)
}

fn again((row, found): (IdRow, Option<Row>)) -> Entry {
    // A record that could not be read goes by its position.
    let expected = Some(row.id.clone()).filter(|id| *id != row.position);
    Entry {
        expected,
        cursor: row.position.clone(),
        position: row.position,
        id: Some(row.id),
        before: Some(Before { state: row.state, attempts: row.attempts }),
        body: found.map(|row| row.body),
        refused: None,
        receipt: None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_alike_and_neither_overlap_nor_skip(entries in 0usize..5000, count in 1u32..100) {
            let ranges: Vec<_> = ranges(entries, count).collect();
            prop_assert_eq!(ranges.len(), count as usize);
            prop_assert_eq!(ranges.iter().cloned().flatten().collect::<Vec<_>>(), (0..entries).collect::<Vec<_>>());
            let longest = ranges.iter().map(Range::len).max();
            prop_assert!(ranges.iter().all(|range| range.len() + 1 >= longest.unwrap_or(0)));
        }
    }
}
