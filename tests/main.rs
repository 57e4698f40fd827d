//! The one binary of the tests that look at the project from outside.
#![allow(clippy::unwrap_used, reason = "a test's answer to the unexpected is to fail")]

mod house;
