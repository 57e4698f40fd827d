//! `reindex` rebuilds search indexes from the stores that hold the truth.

pub mod backend;
pub mod build;
pub mod capability;
pub mod clock;
mod document;
pub mod environment;
pub mod error;
pub mod event;
pub mod ledger;
pub mod observe;
pub mod pipeline;
pub mod recipe;
pub mod record;
pub mod sandbox;
