//! The empty context: WASI as Rust's `HashMap`, JavaScript and Python expect it, with no access to anything.
//!
//! No arguments, no variables, no files, no network; a clock that does not advance and seeded random numbers, so that
//! equal items give equal answers.

use std::time::Duration;

use wasmtime_wasi::{Deterministic, HostMonotonicClock, HostWallClock, WasiCtx};

use super::log::Log;
use crate::sandbox::context::Services;

/// The most random bytes one request may ask for.
const MAX_RANDOM_REQUEST: u64 = 1 << 20;

/// Builds the context of one instance. Every instance of a run gets the same.
pub fn empty_room(services: &Services, log: &Log) -> WasiCtx {
    let context = &services.context;
    let (secure, insecure) = services.entropy.split_at(services.entropy.len() / 2);
    let now = Standing(Duration::try_from(context.now.duration_since(jiff::Timestamp::UNIX_EPOCH)).unwrap_or_default());
    WasiCtx::builder()
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .secure_random(Deterministic::new(secure.to_vec()))
        .insecure_random(Deterministic::new(insecure.to_vec()))
        .insecure_random_seed(u128::from(context.seed))
        .max_random_size(MAX_RANDOM_REQUEST)
        .wall_clock(now)
        .monotonic_clock(now)
        .stdout(log.clone())
        .stderr(log.clone())
        .build()
}

/// A clock that stays at the run's start.
#[derive(Clone, Copy)]
struct Standing(Duration);

impl HostWallClock for Standing {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for Standing {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX / 2)
    }
}
