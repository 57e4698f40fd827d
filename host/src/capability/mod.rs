//! What a backend must do, one trait family per capability, and what a plugin may touch.
//!
//! Traits only: no I/O, no servers. Every read takes a list and answers in the order asked. The contract suites under
//! `tests/contract/` test every backend against these doc comments.

pub mod grant;
pub mod image;
pub mod index;
pub mod queue;
pub mod storage;

use std::{collections::BTreeMap, sync::Arc};

/// The capabilities a plugin may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Tables and buckets.
    Storage,
    /// Queues.
    Queue,
    /// Search indexes.
    Index,
    /// Images, which are objects of buckets.
    Image,
}

impl Capability {
    /// The word a recipe uses for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Storage => "storage",
            Self::Queue => "queue",
            Self::Index => "index",
            Self::Image => "image",
        }
    }
}

/// Every resource a run can reach, by the recipe's name for it.
///
/// An environment fills one of these from its file; an embedder fills one by hand.
#[derive(Clone, Default)]
pub struct Resources {
    /// Tables.
    pub tables: BTreeMap<String, Arc<dyn storage::Table>>,
    /// Buckets.
    pub buckets: BTreeMap<String, Arc<dyn storage::Bucket>>,
    /// Queues.
    pub queues: BTreeMap<String, Arc<dyn queue::Queue>>,
    /// Search indexes.
    pub indexes: BTreeMap<String, Arc<dyn index::Index>>,
    /// What opens images in those buckets, if it is set up.
    pub images: Option<Arc<dyn image::Images>>,
}
