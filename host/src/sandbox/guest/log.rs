//! A plugin's standard output and error: lines, bounded in length and number, as events.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

use crate::event::{Event, Events};

/// The longest line, in bytes; the rest of it is dropped.
const MAX_LINE: usize = 1024;
/// The most lines of one call; further lines are counted and dropped.
const MAX_LINES: usize = 100;
/// How many last lines are kept to explain a fault.
const LAST_LINES: usize = 20;
/// The most bytes a plugin may write at once.
const CHUNK: usize = 4096;

/// Receives what a plugin writes. Clones share one log: standard output and error of one instance.
#[derive(Clone)]
pub struct Log(Arc<Mutex<State>>);

struct State {
    plugin: String,
    events: Events,
    line: Vec<u8>,
    sent: usize,
    dropped: usize,
    last: VecDeque<String>,
}

impl Log {
    pub fn new(plugin: &str, events: &Events) -> Self {
        Self(Arc::new(Mutex::new(State {
            plugin: plugin.to_owned(),
            events: events.clone(),
            line: Vec::new(),
            sent: 0,
            dropped: 0,
            last: VecDeque::new(),
        })))
    }

    /// Ends a call: sends an unfinished line, reports how many were dropped, and returns the last ones.
    pub fn end_call(&self) -> Vec<String> {
        let mut state = self.state();
        if state.sent + state.dropped == 0 && state.line.is_empty() {
            return Vec::new();
        }
        if !state.line.is_empty() {
            state.end_line();
        }
        let dropped = std::mem::take(&mut state.dropped);
        if dropped > 0 {
            state.send(format!("… and {dropped} more lines"));
        }
        state.sent = 0;
        std::mem::take(&mut state.last).into()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if text.len() < piece.len() {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        if self.sent < MAX_LINES {
            self.sent += 1;
            self.send(line.clone());
        } else {
            self.dropped += 1;
        }
        if !line.trim().is_empty() {
            self.last.push_back(line);
            self.last.drain(..self.last.len().saturating_sub(LAST_LINES));
        }
    }

    fn send(&self, line: String) {
        self.events.send(Event::PluginLog { plugin: self.plugin.clone(), line });
    }
}

impl IsTerminal for Log {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Log {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Log {
    async fn ready(&mut self) {}
}

impl OutputStream for Log {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.state().write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK)
    }
}
