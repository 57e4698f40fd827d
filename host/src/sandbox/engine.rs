//! The compiler and the clock that all plugins of a process share.

use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use wasmtime::{Cache, CacheConfig, Config, WasmBacktraceDetails};

use crate::error::{Error, Kind, Result};

/// How often running plugins are looked at.
const TICK: Duration = Duration::from_millis(5);
/// The stack of a plugin's own functions, in bytes.
const WASM_STACK: usize = 1 << 20;
/// That stack and what the host's functions need on top of it, in bytes.
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
    /// Starts an engine. Compiled code is kept in the directory, if one is given; whoever may write there runs
    /// code in this process.
    ///
    /// *Errors*: [`Kind::Usage`] if the directory cannot be used.
    pub fn new(cache_dir: Option<&Path>) -> Result<Self> {
        let mut config = config();
        config.cache(cache_dir.map(cache).transpose()?);
        let engine = wasmtime::Engine::new(&config)
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

fn cache(dir: &Path) -> Result<Cache> {
    let refuse = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::usage("the directory for compiled plugins cannot be used")
            .with("directory", dir.display().to_string())
            .because(error)
    };
    let dir = std::path::absolute(dir).map_err(|error| refuse(error.into()))?;
    let mut config = CacheConfig::new();
    config.with_directory(dir);
    Cache::new(config).map_err(|error| refuse(chain(&error).into()))
}

/// The whole chain of an error in one line.
pub(super) fn chain(error: &wasmtime::Error) -> String {
    format!("{error:#}")
}
