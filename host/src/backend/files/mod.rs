//! Local files: objects in a directory, and JSON lines and DynamoDB exports as sources.

mod config;

pub use config::Config;
