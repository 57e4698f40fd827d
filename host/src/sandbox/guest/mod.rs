//! The host side of an instance: what a plugin can reach through its imports, and what the host keeps for it.
//!
//! Each capability's bridge is a file of its own and only translates; [`reads`](super::reads) reads from backends,
//! remembers answers and checks grants. Nothing here decides what happens after a fault.

mod absent;
mod image;
mod index;
mod limiter;
mod log;
mod queue;
mod settings;
mod storage;
mod wasi;

use std::sync::Arc;

use wasmtime::{
    Engine,
    component::{Component, HasSelf, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::{context::Services, meter::Meter, reads::Reads};
use limiter::Limiter;

wasmtime::component::bindgen!({
    world: "plugin",
    path: "../wit",
    imports: { default: async | trappable },
    exports: { default: async },
    ownership: Borrowing { duplicate_if_necessary: true },
    with: {
        "reindex:plugin/storage.table": storage::TableHandle,
        "reindex:plugin/storage.bucket": storage::BucketHandle,
    },
});

pub use self::exports::reindex::plugin::mapping;
pub use self::log::Log;
pub use self::reindex::plugin::types;

/// How many handles a plugin may hold at a time, its own and those of WASI together.
const MAX_HANDLES: usize = 1000;

/// What the host keeps for one plugin instance.
pub struct Guest {
    pub services: Arc<Services>,
    pub meter: Arc<Meter>,
    pub limiter: Limiter,
    pub log: Log,
    /// What the current batch has read; the caller lends it for the time of a call.
    pub reads: Reads,
    wasi: WasiCtx,
    handles: ResourceTable,
}

impl Guest {
    pub fn new(name: &str, services: &Arc<Services>) -> Self {
        let log = Log::new(name, &services.context.events);
        let mut handles = ResourceTable::new();
        handles.set_max_capacity(MAX_HANDLES);
        Self {
            wasi: wasi::empty_room(services, &log),
            limiter: Limiter::new(services.context.limits.memory.as_u64()),
            meter: Arc::default(),
            reads: Reads::default(),
            services: Arc::clone(services),
            log,
            handles,
        }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.handles }
    }
}

impl types::Host for Guest {}

/// Links everything that a plugin may import, and a trap for every import that is only tolerated.
pub fn link(linker: &mut Linker<Guest>, engine: &Engine, component: &Component) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    absent::link(linker, engine, component)?;
    Plugin::add_to_linker::<Guest, HasSelf<Guest>>(linker, |guest| guest)
}
