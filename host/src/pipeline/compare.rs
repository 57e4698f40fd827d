//! Reports what a run would change, without changing it: the same source, the same plugin, and a read instead of a
//! write.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    error::{Error, Result},
    ledger::Counts,
    record::{Effect, canonical, elements, fields},
};

use super::{
    Pipeline, backoff,
    lost::{self, Lost},
    mapping::{self, Mapped},
    settle::{self, End},
    sink::Work,
    source::{Chosen, Line, Segments},
};

/// A document that a run would change.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Difference {
    /// The recipe's name of the index.
    pub index: String,
    /// The document's id.
    pub id: String,
    /// What would happen to it.
    pub change: Change,
}

/// What would happen to a document.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is not there yet.
    Added,
    /// It would be removed.
    Removed,
    /// These fields would change.
    Changed(Vec<Field>),
}

/// A field that would change.
#[derive(Debug, Clone, Serialize)]
pub struct Field {
    /// Its path, such as `tenures[0].uprn`.
    pub path: String,
    /// What the index holds, as canonical JSON; none if there is no such field.
    pub before: Option<Box<RawValue>>,
    /// What it would hold; none if there would be no such field.
    pub after: Option<Box<RawValue>>,
}

/// The numbers of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tally {
    /// The items, as a run would count them; documents are counted below.
    pub counts: Counts,
    /// Documents that are not there yet.
    pub added: u64,
    /// Documents that would change.
    pub changed: u64,
    /// Documents that are already as they would be.
    pub same: u64,
    /// Documents that would be removed.
    pub removed: u64,
    /// Fields that documents have and would no longer have.
    pub lost: Lost,
}

impl Tally {
    /// Whether a run would change no document.
    pub fn is_equal(&self) -> bool {
        self.added + self.changed + self.removed == 0
    }
}

/// The last effect of a batch on each document: its body, or none if it is to be deleted.
type Wanted = BTreeMap<(String, String), Option<String>>;

impl Pipeline {
    /// Compares every document that the source's records become with the one in the index.
    pub async fn compare(
        &self,
        ids: Option<std::sync::Arc<Vec<String>>>,
        mut each: impl FnMut(Difference),
    ) -> Result<Tally> {
        let (scan, total) = (&self.parts.scan, self.parts.run.segments);
        let mut tally = Tally::default();
        if let Some(ids) = ids {
            self.compare_line(&Chosen::all(scan.clone(), ids), &mut tally, &mut each).await?;
            return Ok(tally);
        }
        for segment in (Segments { scan: scan.clone(), total }).all() {
            self.compare_line(&segment, &mut tally, &mut each).await?;
        }
        Ok(tally)
    }

    async fn compare_line(&self, line: &dyn Line, tally: &mut Tally, each: &mut impl FnMut(Difference)) -> Result<()> {
        let config = &self.parts.config;
        let limit = config.batch_records.max(1) as usize;
        let mut after: Option<String> = None;
        while !self.must_stop() {
            let read = || line.read(after.as_deref(), limit);
            let (entries, next) = backoff::insist(config.attempts, &self.parts.events, read).await?;
            let mapped = mapping::map(&self.parts, entries).await?;
            let wanted = self.wanted(mapped, &mut tally.counts).await?;
            self.look(wanted, tally, each).await?;
            match next {
                Some(cursor) => after = Some(cursor),
                None => return Ok(()),
            }
        }
        Err(Error::new(crate::error::Kind::Stopped, "stopped before the end")
            .hint("nothing was changed; start it again"))
    }

    async fn wanted(&self, mut mapped: Vec<Mapped>, counts: &mut Counts) -> Result<Wanted> {
        let mut works: Vec<Work> = mapped.iter_mut().map(Work::of).collect();
        try_join_all(works.iter_mut().map(|work| self.parts.sinks.measure(work))).await?;
        let mut wanted = Wanted::new();
        for (mut entry, work) in mapped.into_iter().zip(works) {
            counts.read += 1;
            *counts += work.counts;
            // Renditions are made first in a run, so if one fails, nothing else is done.
            let effects = if work.failure.is_none() { work.effects } else { Vec::new() };
            for effect in effects {
                count_effect(effect, &mut wanted, counts);
            }
            match entry.end(work.failure) {
                End::Done => counts.done += 1,
                End::Skipped(_) => counts.skipped += 1,
                End::Open(failure) => {
                    *settle::open_count(failure.state, counts) += 1;
                    let row = settle::row(entry, failure, self.parts.clock.now(), self.parts.config.attempts);
                    settle::announce(&row, &self.parts.events);
                }
            }
        }
        Ok(wanted)
    }

    async fn look(&self, wanted: Wanted, tally: &mut Tally, each: &mut impl FnMut(Difference)) -> Result<()> {
        let mut by_index: BTreeMap<String, (Vec<String>, Vec<Option<String>>)> = BTreeMap::new();
        for ((index, id), body) in wanted {
            let (ids, bodies) = by_index.entry(index).or_default();
            ids.push(id);
            bodies.push(body);
        }
        for (name, (ids, bodies)) in by_index {
            let sinks = &self.parts.sinks;
            let index = sinks.resources.indexes.get(&name);
            let index = index.ok_or_else(|| Error::usage(format!("the environment has no index `{name}`")))?;
            let there = match self.parts.run.targets.get(&name) {
                Some(concrete) => index.get_many(Some(concrete), &ids).await?,
                None => vec![None; ids.len()],
            };
            for ((id, body), document) in ids.into_iter().zip(bodies).zip(there) {
                let change = change(document.map(|document| document.body), body)?;
                tally.add(change.as_ref());
                if let Some(change) = change {
                    lost::take(&mut tally.lost, &name, &change);
                    each(Difference { index: name.clone(), id, change });
                }
            }
        }
        Ok(())
    }
}

impl Tally {
    fn add(&mut self, change: Option<&Change>) {
        match change {
            None => self.same += 1,
            Some(Change::Added) => self.added += 1,
            Some(Change::Removed) => self.removed += 1,
            Some(Change::Changed(_)) => self.changed += 1,
        }
    }
}

fn count_effect(effect: Effect, wanted: &mut Wanted, counts: &mut Counts) {
    match effect {
        Effect::PutDocument { index, id, body, .. } => {
            counts.documents += 1;
            wanted.insert((index, id), Some(body));
        }
        Effect::DeleteDocument { index, id, .. } => {
            counts.deletions += 1;
            wanted.insert((index, id), None);
        }
        Effect::PutRecord { .. } | Effect::UpdateRecord { .. } => counts.records += 1,
        Effect::SendMessage { .. } => counts.messages += 1,
        Effect::PutObject { .. } | Effect::CopyObject { .. } | Effect::DeleteObject { .. } => counts.objects += 1,
    }
}

fn change(before: Option<String>, after: Option<String>) -> Result<Option<Change>> {
    Ok(match (before, after) {
        (None, None) => None,
        (None, Some(_)) => Some(Change::Added),
        (Some(_), None) => Some(Change::Removed),
        (Some(before), Some(after)) => {
            let mut fields = Vec::new();
            compare(String::new(), Some(&parse(&before)?), Some(&parse(&after)?), &mut fields)?;
            (!fields.is_empty()).then_some(Change::Changed(fields))
        }
    })
}

fn parse(body: &str) -> Result<String> {
    canonical(body).map_err(|reason| Error::usage(format!("a document {reason}")))
}

/// Compares two canonical values: the order of keys is ignored, the text of numbers is not.
fn compare(path: String, before: Option<&str>, after: Option<&str>, changed: &mut Vec<Field>) -> Result<()> {
    let broken = |reason| Error::bug(format!("a canonical value {reason}"));
    let both = |first| [before, after].map(|text| text.filter(|text| text.starts_with(first)));
    if let [Some(before), Some(after)] = both('{') {
        let (before, after) = (fields(before).map_err(broken)?, fields(after).map_err(broken)?);
        let names: BTreeSet<_> = before.iter().chain(&after).map(|(name, _)| name).collect();
        let find = |fields: &[(_, _)], name| fields.iter().find(|(own, _)| own == name).map(|(_, value)| *value);
        for name in names {
            let inner = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            compare(inner, find(&before, name), find(&after, name), changed)?;
        }
    } else if let [Some(before), Some(after)] = both('[') {
        let (before, after) = (elements(before).map_err(broken)?, elements(after).map_err(broken)?);
        for n in 0..before.len().max(after.len()) {
            compare(format!("{path}[{n}]"), before.get(n).copied(), after.get(n).copied(), changed)?;
        }
    } else if before != after {
        let raw = |text: Option<&str>| text.and_then(|text| RawValue::from_string(text.to_owned()).ok());
        changed.push(Field { path, before: raw(before), after: raw(after) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(before: &str, after: &str) -> Vec<String> {
        match change(Some(before.into()), Some(after.into())).unwrap() {
            Some(Change::Changed(fields)) => fields.into_iter().map(|field| field.path).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn only_fields_that_differ_are_named_whatever_the_order_of_keys() {
        assert!(fields(r#"{"a":1,"b":[{"c":2}]}"#, r#"{"b":[{"c":2}],"a":1}"#).is_empty());
        assert_eq!(fields(r#"{"a":1,"b":[{"c":2}]}"#, r#"{"b":[{"c":3},4],"d":null}"#), ["a", "b[0].c", "b[1]", "d"]);
    }

    #[test]
    fn numbers_are_compared_by_their_text() {
        assert_eq!(fields(r#"{"a":1.0}"#, r#"{"a":1.00}"#), ["a"]);
        assert!(fields(r#"{"a":12345678901234567890123}"#, r#"{"a":12345678901234567890123}"#).is_empty());
    }
}
