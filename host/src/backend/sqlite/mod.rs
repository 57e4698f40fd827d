//! The embedded default: tables, queues, indexes and the ledger in one SQLite file.

mod config;

pub use config::Config;
