//! Why a call failed, in words for people.
//!
//! A fault belongs to a whole call; [`Mapper`](super::Mapper) decides what it means for each item.

use std::fmt;

use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::Limits;
use crate::ledger::State;

/// What ended a call: a limit, or a read that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceeded {
    /// `limits.cpu` and `limits.cpu-per-record`.
    Cpu,
    /// `limits.wall`.
    Wall,
    /// `limits.memory`.
    Memory,
    /// `limits.host-memory`.
    HostMemory,
    /// `limits.output`.
    Output,
    /// The elements of one table; no key of a recipe.
    Tables,
    /// A read failed with an error that the plugin cannot handle.
    Read,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.group())
    }
}

impl std::error::Error for Exceeded {}

impl Exceeded {
    fn group(self) -> &'static str {
        match self {
            Self::Cpu => "the plugin used more CPU than `cpu` under `[limits]` allows",
            Self::Wall => "the plugin took longer than `wall` under `[limits]` allows",
            Self::Memory => "the plugin needed more memory than `memory` under `[limits]` allows",
            Self::HostMemory => "the plugin read more than `host-memory` under `[limits]` allows",
            Self::Output => "the plugin returned more than `output` under `[limits]` allows",
            Self::Tables => "the plugin wanted a table with too many functions",
            Self::Read => "a read failed",
        }
    }

    fn reason(self, limits: &Limits, records: usize) -> String {
        let for_records = if records == 1 { "1 record".to_owned() } else { format!("{records} records") };
        match self {
            Self::Cpu => format!(
                "the plugin used more than {:?} of CPU for {for_records}\nhint: raise `cpu` or `cpu-per-record` under `[limits]`",
                limits.cpu_for(records)
            ),
            Self::Wall => format!(
                "the plugin took longer than {:?} for {for_records}, reads included\nhint: raise `wall` under `[limits]`",
                limits.wall
            ),
            Self::Memory => {
                format!(
                    "the plugin needed more than {} of memory\nhint: raise `memory` under `[limits]`",
                    limits.memory
                )
            }
            Self::HostMemory => format!(
                "the plugin read more than {} for {for_records}\nhint: raise `host-memory` under `[limits]`",
                limits.host_memory
            ),
            Self::Output => format!(
                "the plugin returned more than {} for {for_records}\nhint: raise `output` under `[limits]`",
                limits.output
            ),
            Self::Tables | Self::Read => self.group().to_owned(),
        }
    }
}

/// Why a call gave no outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The state of an item that caused it when it was alone.
    pub state: State,
    /// The full reason, with the plugin's backtrace.
    pub reason: String,
    /// The reason without what differs from call to call.
    pub group: String,
    /// Whether the remembered reads are too many, so that the next call starts without them.
    pub forget: bool,
}

impl Fault {
    /// A limit was exceeded.
    fn exceeded(exceeded: Exceeded, limits: &Limits, records: usize) -> Self {
        Self {
            state: if exceeded == Exceeded::Output { State::TooBig } else { State::UnknownError },
            reason: exceeded.reason(limits, records),
            group: exceeded.group().to_owned(),
            forget: exceeded == Exceeded::HostMemory,
        }
    }

    /// The answer does not have one outcome for each item.
    pub fn count(items: usize, outcomes: usize) -> Self {
        let group = "the plugin did not return one outcome for each item".to_owned();
        let reason = format!("{group}: {items} items, {outcomes} outcomes");
        Self { state: State::UnknownError, reason, group, forget: false }
    }

    /// The call ended with an error of the runtime. The last lines that the plugin wrote often show why.
    pub fn new(error: &wasmtime::Error, limits: &Limits, records: usize, written: &[String]) -> Self {
        let exceeded = error.downcast_ref::<Exceeded>().copied();
        let exceeded = exceeded.or_else(|| is_out_of_hostcall_fuel(error).then_some(Exceeded::Output));
        let backtrace = error.downcast_ref::<WasmBacktrace>();
        let mut fault = match exceeded {
            Some(exceeded) => Self::exceeded(exceeded, limits, records),
            None => Self::trap(error, backtrace),
        };
        fault.add("wrote", written);
        fault.add("in", &backtrace.map(frames).unwrap_or_default());
        fault
    }

    /// The call took too long, or never ended.
    pub fn late(limits: &Limits, records: usize, written: &[String]) -> Self {
        let mut fault = Self::exceeded(Exceeded::Wall, limits, records);
        fault.add("wrote", written);
        fault
    }

    fn add(&mut self, label: &str, lines: &[String]) {
        for line in lines {
            self.reason.push_str(&format!("\n  {label}  {line}"));
        }
    }

    fn trap(error: &wasmtime::Error, backtrace: Option<&WasmBacktrace>) -> Self {
        let what = what(error);
        let place = backtrace.and_then(|backtrace| frames(backtrace).into_iter().find(|frame| is_own(frame)));
        let group = place.map_or_else(|| what.clone(), |place| format!("{what} in {}", function(&place)));
        Self { state: State::UnknownError, reason: group.clone(), group, forget: false }
    }
}

fn what(error: &wasmtime::Error) -> String {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return format!("the plugin ended itself with exit code {code}");
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => "the plugin trapped: its calls are nested too deep".to_owned(),
        Some(Trap::UnreachableCodeReached) => "the plugin trapped: unreachable".to_owned(),
        Some(trap) => format!("the plugin trapped: {}", trap.to_string().trim_start_matches("wasm trap: ")),
        None => format!("the plugin trapped: {}", error.root_cause()),
    }
}

/// The type of this error is private in wasmtime.
fn is_out_of_hostcall_fuel(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().contains("fuel allocated for hostcalls has been exhausted")
}

/// `module!function` of each frame, innermost first, with file and line if the plugin contains them.
fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    let text = backtrace.to_string();
    let mut frames: Vec<String> = Vec::new();
    for line in text.lines().skip(1) {
        let line = line.trim();
        match (line.strip_prefix("at "), frames.last_mut()) {
            (Some(place), Some(frame)) => frame.push_str(&format!(" at {place}")),
            _ => frames.push(without_hash(line.split_once("- ").map_or(line, |(_, name)| name))),
        }
    }
    frames
}

/// Cuts the hashes that Rust appends to a symbol or to its crates; they differ from build to build.
fn without_hash(symbol: &str) -> String {
    let is_hash = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let symbol = match symbol.rsplit_once("::h") {
        Some((name, hash)) if is_hash(hash) => name,
        _ => symbol,
    };
    let mut parts = symbol.split('[');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((hash, rest)) if is_hash(hash) => name.push_str(rest),
            _ => name.extend(["[", part]),
        }
    }
    name
}

fn function(frame: &str) -> &str {
    let frame = frame.split(" at ").next().unwrap_or(frame);
    frame.split_once('!').map_or(frame, |(_, function)| function)
}

/// Whether a frame is the plugin's own code rather than a language's runtime or glue between components.
fn is_own(frame: &str) -> bool {
    const RUNTIME: [&str; 10] =
        ["core::", "std::", "alloc::", "dlmalloc", "rust_", "__", "abort", "wit_bindgen", "_abort", "panic_"];
    let name = function(frame).trim_start_matches(['<', '&', '_']);
    let raw = function(frame);
    !frame.starts_with("<unknown>")
        && !RUNTIME.iter().any(|runtime| name.starts_with(runtime) || raw.starts_with(runtime))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_loses_its_hash_and_nothing_else() {
        assert_eq!(without_hash("persons::mapping::name::h0123456789abcdef"), "persons::mapping::name");
        assert_eq!(without_hash("persons::hello"), "persons::hello");
        assert_eq!(without_hash("<std[d123b7a1a2ed1472]::time::X as [u8]>::now"), "<std::time::X as [u8]>::now");
    }

    #[test]
    fn the_runtime_of_a_language_is_not_the_plugins_own_code() {
        for frame in ["m!core::panicking::panic", "m!<alloc::vec::Vec<T> as X>::y", "m!__rustc::rust_panic", "m!abort"]
        {
            assert!(!is_own(frame), "{frame}");
        }
        assert!(is_own("m!persons::mapping::name at src/lib.rs:1"));
        assert_eq!(function("m!persons::mapping::name at src/lib.rs:1"), "persons::mapping::name");
    }
}
