//! Tables in DynamoDB.
//!
//! A scan returns the text it received: no value of an item is parsed and written again.

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
