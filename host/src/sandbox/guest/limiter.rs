//! Bounds the memory and the parts of one plugin instance.

use wasmtime::ResourceLimiter;

use crate::sandbox::fault::Exceeded;

/// Elements in one table; a JavaScript engine needs about ten thousand.
const MAX_TABLE_ELEMENTS: usize = 1 << 20;
/// Core instances and tables of one component; Python has a shared library for each of its modules.
const MAX_PARTS: usize = 256;
/// Memories of one component; each reserves 4 GiB of address space.
const MAX_MEMORIES: usize = 8;

/// Counts the bytes of all memories of an instance together.
pub struct Limiter {
    limit: u64,
    used: u64,
}

impl Limiter {
    pub fn new(limit: u64) -> Self {
        Self { limit, used: 0 }
    }
}

impl ResourceLimiter for Limiter {
    /// Traps instead of returning a failure to the plugin: an allocator would abort without a reason.
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.used + (desired - current) as u64;
        if wanted > self.limit {
            return Err(Exceeded::Memory.into());
        }
        self.used = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > MAX_TABLE_ELEMENTS { Err(Exceeded::Tables.into()) } else { Ok(true) }
    }

    fn instances(&self) -> usize {
        MAX_PARTS
    }

    fn tables(&self) -> usize {
        MAX_PARTS
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}
