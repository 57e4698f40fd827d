//! A record in a run: how it was read, and how it ended for its source.

use crate::{
    capability::storage::Row,
    ledger::{IdRow, State},
    sandbox::Failure,
};

/// An earlier try that left a row in the ledger.
#[derive(Debug, Clone, Copy)]
pub(in crate::pipeline) struct Before {
    /// The row's state.
    pub state: State,
    /// How often it was tried.
    pub attempts: u32,
}

impl From<&IdRow> for Before {
    fn from(row: &IdRow) -> Self {
        Self { state: row.state, attempts: row.attempts }
    }
}

/// Identifies an entry for the source that has to know how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pipeline) enum Receipt {
    /// A message, by its receipt.
    Message(String),
    /// A record of a source that is followed, by its position.
    Followed(String),
    /// An id of a list, and the reason it gets if it is done; its state is kept in the list, and in no row.
    Listed(String, String),
}

impl Receipt {
    /// The name under which the source returned it.
    pub fn name(&self) -> &str {
        match self {
            Self::Message(name) | Self::Followed(name) | Self::Listed(name, _) => name,
        }
    }
}

/// What is kept of a record from its source to the ledger.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct Origin {
    /// Resumes the line right after the record.
    pub cursor: String,
    /// Finds the record again.
    pub position: String,
    /// What the ledger has of earlier tries.
    pub before: Option<Before>,
    /// Identifies it for its source, if the source has to know how it ended.
    pub receipt: Option<Receipt>,
}

/// One record as it is read.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct Entry {
    /// Where it came from.
    pub origin: Origin,
    /// The id, where the source knows it without reading the record.
    pub id: Option<String>,
    /// The id that the record must have, if it was read before: another record may be in its place now.
    pub expected: Option<String>,
    /// The record's bytes; none if the source has no such record.
    pub body: Option<Vec<u8>>,
    /// Why the source itself refuses it.
    pub refused: Option<Failure>,
}

impl Entry {
    /// How many bytes it adds to a batch.
    pub fn size(&self) -> usize {
        self.body.as_ref().map_or(0, Vec::len)
    }
}

impl From<Row> for Entry {
    fn from(Row { cursor, position, body }: Row) -> Self {
        Self { origin: Origin { cursor, position, ..Origin::default() }, body: Some(body), ..Self::default() }
    }
}

/// How an entry ended, for its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pipeline) struct Ended {
    /// Which entry.
    pub receipt: Receipt,
    /// The state it is in.
    pub state: State,
    /// Why; for an id that is done, which documents to look for.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
}

impl Ended {
    /// All its effects were acknowledged.
    pub fn done(receipt: Receipt) -> Self {
        let reason = if let Receipt::Listed(_, handed) = &receipt { handed.clone() } else { String::new() };
        Self { receipt, state: State::Done, reason, attempts: 1 }
    }

    /// The plugin skipped it.
    pub fn skipped(receipt: Receipt, reason: String) -> Self {
        Self { receipt, state: State::Skipped, reason, attempts: 1 }
    }

    /// It left a row; an id of a list does not.
    pub fn open(receipt: Receipt, row: &IdRow) -> Self {
        Self { receipt, state: row.state, reason: row.reason.clone(), attempts: row.attempts }
    }
}
