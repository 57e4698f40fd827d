//! The bounds of numbers, times and sizes in a recipe.

use std::time::Duration;

use bytesize::ByteSize;

use super::check::{Check, all};
use crate::error::{Error, Result};

/// The longest time.
const LONGEST_TIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The largest size.
const LARGEST_SIZE: ByteSize = ByteSize::pib(1);

impl Check<'_> {
    /// A time that clocks can be moved by.
    pub(super) fn time(&self, key: &str, time: Duration) -> Result<()> {
        if time <= LONGEST_TIME {
            return Ok(());
        }
        Err(self
            .document
            .error_at(key, format!("`{key}` is longer than a year"))
            .hint("write at most \"8760h\", or leave the key out for the default"))
    }

    /// A size above zero that a machine can have.
    pub(super) fn size(&self, key: &str, size: ByteSize) -> Result<()> {
        all([self.above_zero(key, size.0 > 0), self.most_size(key, size)])
    }

    pub(super) fn most_size(&self, key: &str, size: ByteSize) -> Result<()> {
        if size <= LARGEST_SIZE {
            return Ok(());
        }
        Err(self
            .document
            .error_at(key, format!("`{key}` is more than a pebibyte"))
            .hint("write at most \"1PiB\", or leave the key out for the default"))
    }

    pub(super) fn share(&self, key: &str, share: f64) -> Error {
        self.document
            .error_at(key, format!("`{key}` is {share}, but a share goes from 0 to 1"))
            .hint("one per cent is 0.01")
    }

    pub(super) fn above_zero(&self, key: &str, holds: bool) -> Result<()> {
        if holds {
            return Ok(());
        }
        Err(self
            .document
            .error_at(key, format!("`{key}` is 0, and nothing could run"))
            .hint("leave the key out for the default, or write more than 0"))
    }

    pub(super) fn most(&self, key: &str, value: u32, most: u32, hint: &str) -> Result<()> {
        if value <= most {
            return Ok(());
        }
        Err(self.document.error_at(key, format!("`{key}` is {value}, but can be {most} at most")).hint(hint))
    }
}
