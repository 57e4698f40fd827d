//! The compiler and the clock that all plugins of a process share.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use wasmtime::{Cache, CacheConfig, Config, WasmBacktraceDetails};

use crate::error::{Error, Kind, Result};

/// How often running plugins are checked.
const TICK: Duration = Duration::from_millis(5);
/// The stack of a plugin's own functions, in bytes.
const WASM_STACK: usize = 1 << 20;
/// That stack and what the host's functions need above it, in bytes.
const FIBER_STACK: usize = 2 << 20;

/// Compiles plugins and interrupts them. Cheap to clone; the last clone stops its thread.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    engine: wasmtime::Engine,
    /// Dropped with the engine, which ends the ticker.
    _alive: mpsc::Sender<()>,
}

impl Engine {
    /// Starts an engine that keeps no compiled code.
    ///
    /// *Errors*: [`Kind::Unavailable`] if its thread cannot be started.
    pub fn new() -> Result<Self> {
        Self::start(&config())
    }

    /// Starts an engine that keeps compiled code in a directory, and runs the code that it finds there.
    pub(super) fn caching(directory: PathBuf) -> Result<Self> {
        let mut config = config();
        config.cache(Some(cache(directory)?));
        Self::start(&config)
    }

    fn start(config: &Config) -> Result<Self> {
        let engine = wasmtime::Engine::new(config)
            .map_err(|error| Error::bug("the sandbox cannot be set up on this machine").because(chain(&error)))?;
        let (alive, stopped) = mpsc::channel();
        let ticking = engine.weak();
        std::thread::Builder::new()
            .name("reindex-epochs".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    ticking.upgrade().inspect(wasmtime::Engine::increment_epoch);
                }
            })
            .map_err(|error| Error::new(Kind::Unavailable, "the sandbox cannot start its thread").because(error))?;
        Ok(Self(Arc::new(Shared { engine, _alive: alive })))
    }

    pub(super) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.0.engine
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(FIBER_STACK)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable);
    config
}

fn cache(directory: PathBuf) -> Result<Cache> {
    let mut config = CacheConfig::new();
    // Code that is compressed again would no longer match the seal of its entry.
    config.with_directory(directory).with_optimized_compression_usage_counter_threshold(u64::MAX);
    Cache::new(config)
        .map_err(|error| Error::bug("the directory for compiled plugins cannot be used").because(chain(&error)))
}

/// The whole chain of an error in one line.
pub(super) fn chain(error: &wasmtime::Error) -> String {
    format!("{error:#}")
}
