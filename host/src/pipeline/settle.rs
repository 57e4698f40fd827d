//! What a batch leaves behind: counts, rows for what is not done, and events. Pure but for the events.

use jiff::Timestamp;

use crate::{
    event::{Event, Events},
    ledger::{Counts, IdRow, State},
    record::Outcome,
    sandbox::Failure,
};

use super::mapping::Mapped;

/// The longest name of a group, in characters.
const LONGEST_GROUP: usize = 256;

/// How one entry ended.
#[derive(Debug)]
pub(super) enum End {
    /// All its effects were acknowledged.
    Done,
    /// The plugin had no business with it.
    Skipped,
    /// It is not done.
    Open(Failure),
}

/// What an outcome without effects means.
pub(super) fn end(outcome: Outcome, id: &str) -> End {
    let open = |state, reason: String| End::Open(Failure { state, group: group(&reason, id), reason });
    match outcome {
        Outcome::Effects(_) => End::Done,
        Outcome::Skip(_) => End::Skipped,
        Outcome::NotFound(reason) => open(State::NotFound, reason),
        Outcome::Invalid(reason) => open(State::KnownError, reason),
        Outcome::TooBig(reason) => open(State::TooBig, reason),
        Outcome::Retry(reason) => open(State::Ready, reason),
    }
}

/// The number that counts the rows of a state.
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
        position: entry.position,
        id: entry.id,
        state: failure.state,
        reason: failure.reason,
        group: failure.group,
        attempts: entry.before.map_or(0, |before| before.attempts) + 1,
        version: entry.version,
        at,
    };
    if row.state == State::Ready && row.attempts >= attempts {
        row.state = State::UnknownError;
        row.reason = format!("{} (tried {} times)", row.reason, row.attempts);
    }
    row
}

/// Says that an entry is not done.
pub(super) fn announce(row: &IdRow, events: &Events) {
    events.send(Event::ItemFailed { id: row.id.clone(), state: row.state, reason: row.reason.clone() });
}

/// A reason without what differs from id to id: the id itself, and numbers that stand alone.
pub(super) fn group(reason: &str, id: &str) -> String {
    let line = reason.lines().next().unwrap_or_default();
    let line = if id.is_empty() { line.to_owned() } else { line.replace(id, "…") };
    let mut group = String::with_capacity(line.len());
    let mut before = ' ';
    let mut rest = line.chars().peekable();
    while let Some(first) = rest.next() {
        if first.is_ascii_digit() && !before.is_alphanumeric() {
            let mut number = String::from(first);
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                number.push(digit);
            }
            let alone = rest.peek().is_none_or(|next| !next.is_alphabetic());
            group.push_str(if alone { "#" } else { &number });
            before = '0';
        } else {
            group.push(first);
            before = first;
        }
    }
    group.chars().take(LONGEST_GROUP).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_failures_of_different_ids_are_one_group() {
        assert_eq!(group("tenures[2] is not a map", "p-1"), group("tenures[17] is not a map", "p-2"));
        assert_eq!(group("p-1 is broken\nbacktrace of p-1", "p-1"), group("p-9 is broken", "p-9"));
        assert_eq!(group("addressLine1 is missing", "x"), "addressLine1 is missing");
        assert_ne!(group("addressLine1 is missing", "x"), group("addressLine2 is missing", "x"));
    }

    proptest! {
        #[test]
        fn a_group_is_one_bounded_line(reason in any::<String>(), id in any::<String>()) {
            let group = group(&reason, &id);
            prop_assert!(group.chars().count() <= LONGEST_GROUP && !group.contains('\n'));
        }
    }
}
