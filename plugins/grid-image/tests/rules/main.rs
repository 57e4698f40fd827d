//! The rules of a projection: worked examples, and properties that hold for any input.

#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

mod cleaners;
mod dates;
mod derived;
mod files;
mod index;
mod merge;
mod metadata;
mod plan;
mod samples;
mod settings;
mod suppliers;
mod upload;
mod worked_example;
