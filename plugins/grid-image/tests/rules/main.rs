//! The rules of a projection: worked examples, and properties that hold for any input.

mod cleaners;
mod dates;
mod derived;
mod files;
mod index;
mod merge;
mod metadata;
mod samples;
mod suppliers;
mod upload;
mod worked_example;
