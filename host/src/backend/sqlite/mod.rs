//! The embedded default: tables, queues, indexes and the ledger in one SQLite file.
//!
//! SQL is used only here. One file may hold every resource of an environment; every SQL table has a readable name, so
//! that `sqlite3` shows its contents: `people$records`, `messages`, `persons_…$documents`, `ids`.

mod config;
mod database;
mod fault;
mod index;
mod lease;
mod ledger;
mod list;
mod query;
mod queue;
mod schema;
mod table;
mod text;
mod watched;
mod writer;

pub use config::Config;
pub use database::Database;
pub use index::Index;
pub use ledger::Ledger;
pub use list::List;
pub use queue::Queue;
pub(super) use schema::check_name;
pub use table::Table;
pub(super) use watched::Watched;
