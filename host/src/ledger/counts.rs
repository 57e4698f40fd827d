//! The numbers of a segment or a run.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// The counts of a segment or a run. For a whole run `read` is always the sum of the five numbers after it; a segment
/// keeps its open ids as rows instead of numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Counts {
    /// Records read from the source.
    pub read: u64,
    /// Items whose effects were all acknowledged.
    pub done: u64,
    /// Items that the plugin skipped.
    pub skipped: u64,
    /// Items whose object does not exist.
    pub not_found: u64,
    /// Items that failed: known and unknown errors, and too big.
    pub failed: u64,
    /// Items to be tried again later.
    pub waiting: u64,
    /// Documents put.
    pub documents: u64,
    /// Documents deleted.
    pub deletions: u64,
    /// Documents put whose id is not their item's.
    pub other_ids: u64,
    /// Document writes that found a newer version there.
    pub newer_there: u64,
    /// Records put.
    pub records: u64,
    /// Objects stored, copied or removed.
    pub objects: u64,
    /// Messages sent.
    pub messages: u64,
    /// Objects stored that were made of an image.
    pub renditions: u64,
    /// Pixels of the pictures those were made of.
    pub pixels: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.done += other.done;
        self.skipped += other.skipped;
        self.not_found += other.not_found;
        self.failed += other.failed;
        self.waiting += other.waiting;
        self.documents += other.documents;
        self.deletions += other.deletions;
        self.other_ids += other.other_ids;
        self.newer_there += other.newer_there;
        self.records += other.records;
        self.objects += other.objects;
        self.messages += other.messages;
        self.renditions += other.renditions;
        self.pixels += other.pixels;
    }
}

impl Counts {
    /// Whether the counts account for every record that was read.
    pub fn add_up(&self) -> bool {
        self.read == self.done + self.skipped + self.not_found + self.failed + self.waiting
    }
}
