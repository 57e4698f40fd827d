//! A random sample of the documents a run writes, which are read again at its end.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    How, Page, Pipeline, Suspects, Verified,
    expected::{Digest, Expected},
};
use crate::{capability::index::Write, error::Result};

/// A sample of bounded size in which each document is equally likely: those whose keys have the lowest hashes. So a
/// document that is written again replaces itself.
#[derive(Debug, Default)]
pub struct Sample {
    size: usize,
    hasher: RandomState,
    chosen: Mutex<BTreeMap<u64, Written>>,
}

/// A write that the index acknowledged.
#[derive(Debug, Clone)]
struct Written {
    index: String,
    id: String,
    item: String,
    version: Option<u64>,
    /// Identifies its content; none if the write deleted the document.
    digest: Option<Digest>,
}

impl Sample {
    /// Keeps at most `size` documents.
    pub fn new(size: usize) -> Self {
        Self { size, ..Self::default() }
    }

    /// Adds a write that was acknowledged, for the item of this id.
    pub(in crate::pipeline) fn written(&self, index: &str, write: &Write, item: &str) {
        let key = self.hasher.hash_one((index, &write.id));
        let mut chosen = self.chosen();
        let is_full = chosen.len() >= self.size;
        if is_full && chosen.last_key_value().is_none_or(|(highest, _)| *highest < key) {
            return;
        }
        if chosen.get(&key).is_some_and(|before| before.version > write.version) {
            return;
        }
        let digest = write.body.as_deref().map(Digest::of);
        let (index, id, item) = (index.to_owned(), write.id.clone(), item.to_owned());
        let added = chosen.insert(key, Written { index, id, item, version: write.version, digest }).is_none();
        if is_full && added {
            chosen.pop_last();
        }
    }

    /// Removes a document that another process wrote since.
    pub(in crate::pipeline) fn overtaken(&self, index: &str, id: &str) {
        let key = self.hasher.hash_one((index, id));
        self.chosen().remove(&key);
    }

    fn chosen(&self) -> MutexGuard<'_, BTreeMap<u64, Written>> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expected(&self) -> Vec<Expected> {
        let expected = |written: &Written| {
            let Written { index, id, item, version, digest } = written.clone();
            Expected::written(index, id, item, version, digest)
        };
        self.chosen().values().map(expected).collect()
    }
}

impl Pipeline {
    /// Reads some of the documents that this process wrote, and compares them with what was written.
    pub async fn verify_sample(&self, how: &How) -> Result<Verified> {
        let check = self.look_at_rows(how).await?;
        let (mut page, mut all) = (Page::default(), Verified::default());
        let mut expected = self.parts.sinks.sample.expected();
        expected.retain(|expected| !how.left_out.contains(&expected.index));
        page.seen.compared = expected.len() as u64;
        let differing = self.compare_with(expected, &check, &mut page).await?;
        page.differing = self.compare_again(differing, &check, &mut page).await?;
        all.add(&page.seen);
        let mut suspects = Suspects::default();
        suspects.take(page);
        suspects.tell(&mut all);
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(id: usize, version: u64) -> Write {
        Write { id: id.to_string(), version: Some(version), body: Some("{}".to_owned()) }
    }

    #[test]
    fn a_sample_is_bounded_and_holds_the_last_write_of_each_document() {
        let sample = Sample::new(10);
        (0..1000).for_each(|n| sample.written("i", &put(n, 1), "x"));
        assert_eq!(sample.expected().len(), 10);
        (0..1000).for_each(|n| sample.written("i", &put(n, 2), "x"));
        (0..1000).for_each(|n| sample.written("i", &put(n, 1), "x"));
        let expected = sample.expected();
        assert!(expected.len() == 10 && expected.iter().all(|expected| expected.version == Some(2)), "{expected:?}");
        sample.overtaken("i", &expected[3].id);
        assert_eq!(sample.expected().len(), 9);
        Sample::new(0).written("i", &put(1, 1), "x");
        assert!(Sample::default().expected().is_empty());
    }
}
