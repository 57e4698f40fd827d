//! What every backend promises, one suite per capability.
//!
//! A suite's functions are generic over what makes the backend: `tests/embedded` runs them for what is embedded,
//! `tests/services` for real servers.

pub mod bucket;
pub mod export;
#[cfg(feature = "vips")]
pub mod image;
pub mod index;
pub mod intake;
pub mod lacks;
pub mod ledger;
pub mod list;
pub mod queue;
pub mod storage;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;
use reindex::clock::Clock;

/// A clock that goes when it is told to.
#[derive(Debug, Clone)]
pub struct Hand(Arc<AtomicI64>);

impl Default for Hand {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(1_790_000_000_000)))
    }
}

impl Hand {
    pub fn forward(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
