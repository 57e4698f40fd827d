//! `reindex` rebuilds search indexes from the stores that hold the truth.

pub mod backend;
pub mod capability;
pub mod clock;
pub mod error;
pub mod event;
pub mod ledger;
pub mod pipeline;
pub mod record;
pub mod run;
pub mod sandbox;
