//! The documents that differ, until the end of a comparison shows whether another record explains them. Pure.
//!
//! Several records may write one document, and only the last write counts. So a difference is dropped when a later
//! record finds the document as it should be, and a missing document was deleted if another record deletes it with a
//! version that is as high.

use std::collections::HashMap;

use super::{
    EXAMPLES, Found, Page, Verified,
    expected::{Difference, Differing},
};

/// How many differences, and how many deletions, are kept; those beyond are counted and cannot be explained.
const MOST: usize = 100_000;

#[derive(Debug)]
struct Suspect {
    id: String,
    position: String,
    version: Option<u64>,
    difference: Difference,
}

/// The differences so far.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    kept: HashMap<u64, Suspect>,
    beyond: Vec<(Difference, u64)>,
    /// The versions of documents that should be absent, and are.
    absent: HashMap<u64, Option<u64>>,
}

impl Suspects {
    /// Adds the result for some records.
    pub fn take(&mut self, page: Page) {
        for (key, version, absent) in page.settled {
            if self.kept.get(&key).is_some_and(|suspect| suspect.version <= version) {
                self.kept.remove(&key);
            }
            if absent && (self.absent.len() < MOST || self.absent.contains_key(&key)) {
                let highest = self.absent.entry(key).or_insert(version);
                *highest = version.max(*highest);
            }
        }
        for Differing { key, difference, expected } in page.differing {
            let deleted = self.absent.get(&key).is_some_and(|version| version.is_some() && *version > expected.version);
            if difference == Difference::Missing && deleted {
                continue;
            }
            if self.kept.len() < MOST {
                let (id, position, version) = (expected.id, expected.position, expected.version);
                self.kept.insert(key, Suspect { id, position, version, difference });
            } else {
                self.count_beyond(difference);
            }
        }
    }

    fn count_beyond(&mut self, difference: Difference) {
        match self.beyond.iter_mut().find(|(kind, _)| *kind == difference) {
            Some((_, count)) => *count += 1,
            None => self.beyond.push((difference, 1)),
        }
    }

    /// Reports the remaining differences, sorted by id.
    pub fn tell(self, all: &mut Verified) {
        let mut kept: Vec<_> = self.kept.into_values().collect();
        kept.sort_by(|a, b| a.id.cmp(&b.id));
        for suspect in kept {
            let found = all.found(suspect.difference);
            found.count += 1;
            if found.examples.len() < EXAMPLES {
                found.examples.push(suspect.id);
            }
            if suspect.difference == Difference::Missing {
                all.positions.push(suspect.position);
            }
        }
        for (difference, count) in self.beyond {
            all.found(difference).count += count;
        }
        all.there += all.different.count + all.older.count;
    }
}

impl Verified {
    fn found(&mut self, difference: Difference) -> &mut Found {
        match difference {
            Difference::Missing => &mut self.missing,
            Difference::Different => &mut self.different,
            Difference::Older => &mut self.older,
            Difference::Extra => &mut self.extra,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::expected::Expected, *};

    fn missing(key: u64, version: Option<u64>) -> Page {
        let (id, position) = (format!("d-{key}"), format!("at {key}"));
        let expected = Expected::written("i".into(), id, position, version, None);
        Page { differing: vec![Differing { key, expected, difference: Difference::Missing }], ..Page::default() }
    }

    fn settled(key: u64, version: Option<u64>, absent: bool) -> Page {
        Page { settled: vec![(key, version, absent)], ..Page::default() }
    }

    fn told(pages: impl IntoIterator<Item = Page>) -> Verified {
        let (mut suspects, mut all) = (Suspects::default(), Verified::default());
        pages.into_iter().for_each(|page| suspects.take(page));
        suspects.tell(&mut all);
        all
    }

    #[test]
    fn a_difference_is_forgotten_only_if_a_record_that_wins_finds_the_document_right() {
        let (none, one, two) = (None, Some(1), Some(2));
        assert_eq!(told([missing(7, one), settled(7, two, false)]).differing(), 0, "written again later");
        assert_eq!(told([missing(7, none), settled(7, none, false)]).differing(), 0, "the last one counts");
        assert_eq!(told([settled(7, none, false), missing(7, none)]).differing(), 1, "this one came last");
        assert_eq!(told([missing(7, two), settled(7, one, false)]).differing(), 1, "this one wins");
        assert_eq!(told([missing(7, one), settled(8, two, false)]).differing(), 1, "another document");
        assert_eq!(told([settled(7, two, true), missing(7, one)]).differing(), 0, "deleted by another record");
        assert_eq!(told([settled(7, one, true), missing(7, two)]).differing(), 1, "written after it was deleted");
    }

    #[test]
    fn what_remains_is_told_with_some_ids_and_every_position() {
        let all = told((0..25).map(|key| missing(key, None)));
        assert_eq!((all.missing.count, all.missing.examples.len(), all.positions.len()), (25, EXAMPLES, 25));
        assert_eq!(all.missing.examples[0], "d-0");
        assert!(all.positions.contains(&"at 24".to_owned()));
    }
}
