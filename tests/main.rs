//! Everything that looks at the project from outside, in one binary, so that the library is linked once.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test says what failed by failing")]

mod cases;
mod commands;
mod contract;
mod counts;
mod crash;
mod embedded;
mod formats;
mod house;
mod place;
mod plugins;
#[cfg(feature = "vips")]
mod pyramid;
mod run;
mod sandbox;
mod schema;
mod serve;
