//! How each entry ended, and the row it leaves if it is not done. Pure except for the events.

use jiff::Timestamp;

use crate::{
    event::{Event, Events},
    ledger::{Counts, IdRow, State, bounded},
    record::Outcome,
    sandbox::Failure,
};

use super::{
    mapping::Mapped,
    reason::group,
    source::{Ended, Receipt},
};

/// How one entry ended.
#[derive(Debug)]
pub(super) enum End {
    /// All its effects were acknowledged.
    Done,
    /// The plugin skipped it, for this reason.
    Skipped(String),
    /// It is not done.
    Open(Failure),
}

/// How an outcome without effects ends.
pub(super) fn end(outcome: Outcome, id: &str) -> End {
    let open = |state, reason: String| End::Open(Failure { state, group: group(&reason, &[id]), reason });
    match outcome {
        Outcome::Effects(_) => End::Done,
        Outcome::Skip(reason) => End::Skipped(reason),
        Outcome::NotFound(reason) => open(State::NotFound, reason),
        Outcome::Invalid(reason) => open(State::KnownError, reason),
        Outcome::TooBig(reason) => open(State::TooBig, reason),
        Outcome::Retry(reason) => open(State::Ready, reason),
    }
}

/// The counter for records of a state.
pub(super) fn count(state: State, counts: &mut Counts) -> &mut u64 {
    match state {
        State::Done => &mut counts.done,
        State::Skipped => &mut counts.skipped,
        state => open_count(state, counts),
    }
}

/// The counter for rows of a state.
pub(super) fn open_count(state: State, counts: &mut Counts) -> &mut u64 {
    match state {
        State::NotFound => &mut counts.not_found,
        state if state.is_failure() => &mut counts.failed,
        _ => &mut counts.waiting,
    }
}

/// The row of an entry that is not done.
pub(super) fn row(entry: Mapped, failure: Failure, at: Timestamp, attempts: u32) -> IdRow {
    let mut row = IdRow {
        position: entry.origin.position,
        id: entry.id,
        state: failure.state,
        reason: bounded(failure.reason),
        group: failure.group,
        attempts: entry.origin.before.map_or(0, |before| before.attempts) + 1,
        version: entry.version,
        at,
    };
    if row.state == State::Ready && row.attempts >= attempts {
        row.state = State::UnknownError;
        let times = if row.attempts == 1 { "time" } else { "times" };
        row.reason = format!("{} (tried {} {times})", row.reason, row.attempts);
    }
    row
}

/// Reports that an entry is not done.
pub(super) fn announce(row: &IdRow, events: &Events) {
    events.send(Event::ItemFailed { id: row.id.clone(), state: row.state, reason: row.reason.clone() });
}

/// Reports that an id of a list, which leaves no row, is not done.
pub(super) fn announce_listed(ended: &Ended, events: &Events) {
    if let (Receipt::Listed(id, _), false) = (&ended.receipt, matches!(ended.state, State::Done | State::Skipped)) {
        let (id, state, reason) = (id.clone(), ended.state, ended.reason.clone());
        events.send(Event::ItemFailed { id, state, reason });
    }
}

impl Mapped {
    /// How it ended, after its effects were carried out or one of them failed.
    pub fn end(&mut self, failure: Option<Failure>) -> End {
        let answer = std::mem::replace(&mut self.answer, Ok(Outcome::Effects(Vec::new())));
        match (failure, answer) {
            (Some(failure), _) | (None, Err(failure)) => End::Open(failure),
            (None, Ok(outcome)) => end(outcome, &self.id),
        }
    }
}
