//! Killing.
