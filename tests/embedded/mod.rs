//! The contract suites run by what is embedded, and what only it can suffer: other processes, damaged files, full disks.

mod files;
mod requests;
mod sqlite;
#[cfg(feature = "vips")]
mod vips;
mod watch;
