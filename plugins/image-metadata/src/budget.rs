//! How much a file may cost to read.
//!
//! Values of a TIFF structure may overlap, and blocks lie in blocks, so a small file can describe far more than it holds.
//! A budget is in bytes looked at. Real files look at each byte once or twice.

/// How often each byte may be looked at.
const TIMES: usize = 16;
/// What the smallest file may cost.
const AT_LEAST: usize = 64 * 1024;

/// Bytes that may still be looked at.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
}

impl Budget {
    /// The budget of so many bytes of blocks.
    pub(crate) fn new(size: usize) -> Self {
        Self { left: size.saturating_mul(TIMES).max(AT_LEAST) }
    }

    /// Takes bytes; false when there are not as many left.
    pub(crate) fn takes(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}
