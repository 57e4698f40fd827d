//! Tables in DynamoDB.
//!
//! A scan hands out what is on the wire: no value of an item is ever taken apart and put together again.

mod answer;
mod budget;
mod config;
mod describe;
mod insist;
mod key;
mod ledger;
mod pace;
mod read;
mod scan;
mod table;
#[cfg(test)]
mod tests;
mod update;
mod value;
mod write;

pub use config::Config;
pub use ledger::{Config as LedgerConfig, Ids, Ledger, List};
pub use table::Table;
