//! The proxy between a client that counts every byte and servers that write down what they saw.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test says what failed by failing")]

mod client;
mod faults;
mod origin;
mod parted;
mod passing;
mod tcp;
