//! The proxy between a client that counts every byte and servers that write down what they saw.

#![allow(missing_docs)]

mod client;
mod faults;
mod origin;
mod parted;
mod passing;
mod tcp;
