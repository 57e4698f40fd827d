//! What one document should be, and how the existing one compares. Pure.

use std::collections::BTreeMap;

use crate::{
    capability::index::{Document, Write},
    pipeline::{mapping::Mapped, sink::document},
    record::{Outcome, canonical},
};

use super::Repair;

/// What a document should be.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    /// The recipe's name of the index.
    pub index: String,
    /// The document's id.
    pub id: String,
    /// The position of its record.
    pub position: String,
    /// The version it should have.
    pub version: Option<u64>,
    wanted: Wanted,
}

#[derive(Debug, Clone)]
enum Wanted {
    /// This body.
    Document(String),
    /// A body of this digest.
    Digest(Digest),
    /// No document.
    Nothing,
    /// Unknown: its record does not mention it, so any content is accepted.
    Unknown,
}

/// Identifies the content of a document, independent of its formatting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest(blake3::Hash);

impl Digest {
    /// The digest of a body; one that is not JSON is hashed as it is.
    pub fn of(body: &str) -> Self {
        Self(blake3::hash(canonical(body).as_deref().unwrap_or(body).as_bytes()))
    }
}

/// How a document differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    /// It is not there.
    Missing,
    /// Its content differs.
    Different,
    /// Its record has a higher version.
    Older,
    /// It should not be there.
    Extra,
}

impl Difference {
    /// Whether a repair writes a document that differs in this way.
    pub fn is_covered(self, repair: Repair) -> bool {
        match repair {
            Repair::Nothing => false,
            Repair::Older => self == Self::Older,
            Repair::Everything => true,
        }
    }
}

/// A document that differs.
#[derive(Debug)]
pub(super) struct Differing {
    /// A number for its index and id.
    pub key: u64,
    pub expected: Expected,
    pub difference: Difference,
}

/// The result of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is as it should be.
    Same,
    /// A newer one is there.
    Newer,
    Differs(Difference),
    /// Nothing was expected.
    Unknown,
}

impl Expected {
    /// The documents of a record, or its id if it has none. Counts documents whose id is not their item's.
    pub fn of(mut entry: Mapped, other_ids: &mut u64) -> Result<Vec<Self>, String> {
        let Ok(Outcome::Effects(effects)) = &mut entry.answer else { return Err(entry.id) };
        let written = effects.iter_mut().filter_map(|effect| document(effect, entry.version));
        let expected = |(index, Write { id, version, body }): (String, Write)| {
            *other_ids += u64::from(id != entry.id);
            let wanted = body.map_or(Wanted::Nothing, Wanted::Document);
            Self { index, id, position: entry.origin.position.clone(), version, wanted }
        };
        let documents: Vec<_> = written.map(expected).collect();
        if documents.is_empty() { Err(entry.id) } else { Ok(documents) }
    }

    /// A document that its record does not mention.
    pub fn unknown(index: &str, id: &str) -> Self {
        let (index, id, position) = (index.to_owned(), id.to_owned(), String::new());
        Self { index, id, position, version: None, wanted: Wanted::Unknown }
    }

    /// A document as a run wrote it; without a digest it was deleted.
    pub fn written(index: String, id: String, item: String, version: Option<u64>, digest: Option<Digest>) -> Self {
        let wanted = digest.map_or(Wanted::Nothing, Wanted::Digest);
        Self { index, id, position: item, version, wanted }
    }

    /// Adds itself to others, unless one of its id wins over it.
    pub fn join(self, others: &mut BTreeMap<(String, String), Self>) {
        let key = (self.index.clone(), self.id.clone());
        let wins = |other: &Self| self.is_known() && (!other.is_known() || self.version >= other.version);
        if others.get(&key).is_none_or(wins) {
            others.insert(key, self);
        }
    }

    /// Whether its record determines what it should be.
    pub fn is_known(&self) -> bool {
        !matches!(self.wanted, Wanted::Unknown)
    }

    /// The write that makes it what it should be.
    pub fn write(&self) -> Write {
        let body = match &self.wanted {
            Wanted::Document(body) => Some(body.clone()),
            Wanted::Digest(_) | Wanted::Nothing | Wanted::Unknown => None,
        };
        Write { id: self.id.clone(), version: self.version, body }
    }

    /// Compares it with the existing document.
    pub fn compare(&self, found: Option<&Document>) -> Verdict {
        let there = found.and_then(|found| found.version);
        let versions = there.zip(self.version);
        match (&self.wanted, found) {
            (Wanted::Unknown, _) => Verdict::Unknown,
            (Wanted::Nothing, None) => Verdict::Same,
            (Wanted::Document(_) | Wanted::Digest(_), None) => Verdict::Differs(Difference::Missing),
            (_, Some(_)) if versions.is_some_and(|(there, own)| there > own) => Verdict::Newer,
            (Wanted::Nothing, Some(_)) => Verdict::Differs(Difference::Extra),
            (_, Some(_)) if versions.is_some_and(|(there, own)| there < own) => Verdict::Differs(Difference::Older),
            (Wanted::Document(body), Some(found)) if is_same(body, &found.body) => Verdict::Same,
            (Wanted::Digest(digest), Some(found)) if *digest == Digest::of(&found.body) => Verdict::Same,
            (Wanted::Document(_) | Wanted::Digest(_), Some(_)) => Verdict::Differs(Difference::Different),
        }
    }
}

/// Whether two documents have the same content, independent of their formatting.
fn is_same(wanted: &str, there: &str) -> bool {
    wanted == there || matches!((canonical(wanted), canonical(there)), (Ok(wanted), Ok(there)) if wanted == there)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(version: Option<u64>, body: Option<&str>) -> Expected {
        let wanted = body.map_or(Wanted::Nothing, |body| Wanted::Document(body.to_owned()));
        Expected { index: "i".into(), id: "a".into(), position: "a".into(), version, wanted }
    }

    fn written(body: &str) -> Expected {
        Expected::written("i".into(), "a".into(), "a".into(), Some(1), Some(Digest::of(body)))
    }

    fn there(version: Option<u64>, body: &str) -> Option<Document> {
        Some(Document { id: "a".into(), version, body: body.into() })
    }

    #[test]
    fn a_document_is_compared_by_its_version_and_then_by_its_content() {
        use Difference::{Different, Extra, Missing, Older};
        let (one, two) = (Some(1), Some(2));
        let cases = [
            (expected(one, Some(r#"{"a":1,"b":2}"#)), there(one, r#"{ "b":2, "a":1 }"#), Verdict::Same),
            (expected(one, Some("{}")), there(one, r#"{"a":1}"#), Verdict::Differs(Different)),
            (expected(one, Some("{}")), there(two, r#"{"a":1}"#), Verdict::Newer),
            (expected(two, Some("{}")), there(one, "{}"), Verdict::Differs(Older)),
            (expected(one, Some("{}")), None, Verdict::Differs(Missing)),
            (expected(one, None), None, Verdict::Same),
            (expected(one, None), there(one, "{}"), Verdict::Differs(Extra)),
            (expected(one, None), there(two, "{}"), Verdict::Newer),
            (expected(None, Some("{}")), there(None, "{}"), Verdict::Same),
            (expected(None, Some("{}")), there(None, "[]"), Verdict::Differs(Different)),
            (Expected::unknown("i", "a"), there(one, "{}"), Verdict::Unknown),
            (written(r#"{"a":1}"#), there(one, r#"{ "a":1 }"#), Verdict::Same),
            (written(r#"{"a":1}"#), there(one, "{}"), Verdict::Differs(Different)),
            (written("{}"), None, Verdict::Differs(Missing)),
        ];
        for (expected, there, verdict) in cases {
            assert_eq!(expected.compare(there.as_ref()), verdict, "{expected:?} {there:?}");
        }
    }

    #[test]
    fn of_several_effects_on_one_document_the_highest_version_and_then_the_last_one_wins() {
        let mut all = BTreeMap::new();
        for one in [
            expected(Some(2), Some("first")),
            expected(Some(2), Some("second")),
            expected(Some(1), None),
            Expected::unknown("i", "a"),
        ] {
            one.join(&mut all);
        }
        let [one] = all.into_values().collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(one.write(), Write { id: "a".into(), version: Some(2), body: Some("second".into()) });
    }
}
