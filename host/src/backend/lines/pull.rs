//! A stream of bytes, read on a blocking thread.

use std::io;

use bytes::{Buf as _, Bytes};
use futures::TryStreamExt as _;
use tokio::runtime::Handle;

use crate::capability::storage::Chunks;

/// Reads a stream piece by piece; each read waits only for the bytes it needs.
pub(in crate::backend) struct Pull {
    content: Chunks,
    left: Bytes,
    runtime: Handle,
}

impl Pull {
    /// Reads a stream on a blocking thread of a runtime.
    pub(in crate::backend) fn new(content: Chunks) -> Self {
        Self { content, left: Bytes::new(), runtime: Handle::current() }
    }
}

impl io::Read for Pull {
    /// *Errors*: those of the stream, each inside an [`io::Error`].
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.left.is_empty() {
            match self.runtime.block_on(self.content.try_next()).map_err(io::Error::other)? {
                Some(chunk) => self.left = chunk,
                None => return Ok(0),
            }
        }
        let length = into.len().min(self.left.len());
        self.left.copy_to_slice(&mut into[..length]);
        Ok(length)
    }
}
