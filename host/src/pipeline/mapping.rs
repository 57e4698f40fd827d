//! From entries to answers: checked items go through the plugin, everything else gets its answer here.

use crate::{
    error::Result,
    ledger::State,
    record::{Item, Outcome, Refusal, Shape},
    sandbox::Failure,
};

use super::{
    Parts, backoff, reason,
    source::{Entry, Origin},
};

/// An entry with the answer to it.
#[derive(Debug)]
pub(super) struct Mapped {
    /// Where it came from.
    pub origin: Origin,
    /// The id, or the position where the record has none.
    pub id: String,
    /// The item's version.
    pub version: Option<u64>,
    /// The plugin's outcome, or why there is none.
    pub answer: std::result::Result<Outcome, Failure>,
}

impl Mapped {
    /// Whether it failed, or would have to be tried again.
    pub fn is_refused(&self) -> bool {
        match &self.answer {
            Err(failure) => failure.state != State::NotFound,
            Ok(outcome) => matches!(outcome, Outcome::Invalid(_) | Outcome::TooBig(_) | Outcome::Retry(_)),
        }
    }
}

/// Maps a batch; returns one answer per entry, in the same order. Waits for a time if the stores that the plugin reads
/// are unreachable.
pub(super) async fn map(parts: &Parts, entries: Vec<Entry>) -> Result<Vec<Mapped>> {
    let Parts { shape, mapper, config, events, .. } = parts;
    let mut items = Vec::with_capacity(entries.len());
    let mut mapped: Vec<Option<Mapped>> = Vec::with_capacity(entries.len());
    let mut waiting = Vec::with_capacity(entries.len());
    for entry in entries {
        match read(shape, &entry) {
            Ok(item) => {
                waiting.push((mapped.len(), entry));
                mapped.push(None);
                items.push(item);
            }
            Err((id, failure)) => mapped.push(Some(answered(entry, id, None, Err(failure)))),
        }
    }
    let answers = backoff::insist(config.attempts, events, || mapper.transform(&items)).await?;
    for (((at, entry), item), answer) in waiting.into_iter().zip(items).zip(answers) {
        mapped[at] = Some(answered(entry, Some(item.id), item.version, answer));
    }
    Ok(mapped.into_iter().flatten().collect())
}

/// The item in an entry, or why there is none, with its id if that could be read.
fn read(shape: &Shape, entry: &Entry) -> std::result::Result<Item, (Option<String>, Failure)> {
    if let Some(failure) = &entry.refused {
        return Err((None, failure.clone()));
    }
    let Some(body) = &entry.body else {
        let reason = "the source has no record with this key".to_owned();
        return Err((None, Failure { state: State::NotFound, group: reason.clone(), reason }));
    };
    let item = shape.item(body);
    let id = item.as_ref().map_or_else(|refusal| refusal.id.as_ref(), |item| Some(&item.id));
    if let Some((there, expected)) = id.zip(entry.expected.as_ref()).filter(|(there, expected)| there != expected) {
        return Err((None, moved(there, expected)));
    }
    item.map_err(|Refusal { id, reason, too_big }| {
        let state = if too_big { State::TooBig } else { State::KnownError };
        (id, Failure { state, group: reason::group(&reason, &[]), reason })
    })
}

/// The failure of a record that is not where it was read before. Its row stays, under its own id.
fn moved(there: &str, expected: &str) -> Failure {
    let reason = format!(
        "where `{expected}` was read, the source has `{there}` now, so `{expected}` was not tried again; run the recipe \
         again to read the source anew"
    );
    Failure { state: State::KnownError, group: reason::group(&reason, &[expected, there]), reason }
}

fn answered(
    entry: Entry,
    id: Option<String>,
    version: Option<u64>,
    answer: std::result::Result<Outcome, Failure>,
) -> Mapped {
    let id = id.or(entry.id).unwrap_or_else(|| entry.origin.position.clone());
    Mapped { origin: entry.origin, id, version, answer }
}
