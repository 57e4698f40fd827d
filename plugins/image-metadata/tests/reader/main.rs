//! What the reader finds in images: worked examples, any bytes, and the libraries whose texts it has.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test says what failed by failing")]

mod any_bytes;
mod container;
mod examples;
mod images;
mod reference;
mod samples;
mod seed;
