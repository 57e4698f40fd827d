//! `reindex` rebuilds search indexes from the stores that hold the truth.

pub mod capability;
pub mod clock;
pub mod error;
pub mod event;
pub mod ledger;
pub mod record;
