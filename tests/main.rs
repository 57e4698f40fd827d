//! Everything that looks at the project from outside, in one binary, so that the library is linked once.
#![allow(clippy::unwrap_used, reason = "a test's answer to the unexpected is to fail")]

mod cases;
mod commands;
mod contract;
mod crash;
mod house;
mod place;
mod plugins;
mod run;
mod sandbox;
