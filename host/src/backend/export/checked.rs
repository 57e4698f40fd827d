//! Bytes that have to match a checksum.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};

use crate::error::Error;

/// Reads bytes, and fails at the end if the checksum of everything read differs.
pub(super) struct Checked<R> {
    reader: R,
    md5: Md5,
    said: String,
}

impl<R: io::Read> Checked<R> {
    /// Expects bytes with this MD5, in base64.
    pub(super) fn new(reader: R, said: String) -> Self {
        Self { reader, md5: Md5::new(), said }
    }
}

impl<R: io::Read> io::Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(into)?;
        self.md5.update(&into[..length]);
        if length == 0 && !into.is_empty() {
            let found = STANDARD.encode(self.md5.clone().finalize());
            if found != self.said {
                let text = format!("a data file's checksum is {found} where the manifest says {}", self.said);
                return Err(io::Error::other(Error::usage(text).hint("fetch this file again")));
            }
        }
        Ok(length)
    }
}
