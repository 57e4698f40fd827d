//! The rows of a run as a source: records that are tried again.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Before, Entry, Line, Origin};
use crate::{
    capability::storage::{Row, Scan},
    error::Result,
    ledger::{Filter, IdRow, Ledger},
};

/// The rows of a run that a filter selects, with the records that they name.
pub(in crate::pipeline) struct Rows {
    /// Where the records are.
    pub scan: Arc<dyn Scan>,
    /// Where the rows are.
    pub ledger: Arc<dyn Ledger>,
    /// The run's id.
    pub run: String,
    /// Which rows.
    pub filter: Filter,
}

#[async_trait]
impl Line for Rows {
    async fn read(&self, after: Option<&str>, limit: usize) -> Result<(Vec<Entry>, Option<String>)> {
        let rows = self.ledger.rows(&self.run, &self.filter, after, limit).await?;
        // Only the ledger knows the end; it returns no rows then.
        let next = rows.last().map(|row| row.position.clone());
        let positions: Vec<_> = rows.iter().map(|row| row.position.clone()).collect();
        let found = self.scan.reread(&positions).await?;
        Ok((rows.into_iter().zip(found).map(again).collect(), next))
    }
}

fn again((row, found): (IdRow, Option<Row>)) -> Entry {
    Entry {
        // The id in the row of a record that could not be read is its position.
        expected: Some(row.id.clone()).filter(|id| *id != row.position),
        origin: Origin {
            cursor: row.position.clone(),
            before: Some(Before::from(&row)),
            position: row.position,
            receipt: None,
        },
        id: Some(row.id),
        body: found.map(|row| row.body),
        refused: None,
    }
}
