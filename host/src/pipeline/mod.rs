//! Source → batch → plugin → sinks.

mod config;

pub use config::Config;
