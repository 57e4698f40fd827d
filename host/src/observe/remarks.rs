//! Which events get a line of their own, and its text.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use super::{
    text::{clean, first_line, number, one_line, paragraph},
    thin::Thin,
};
use crate::event::Event;

/// The kind of a remark; a terminal colours it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Information.
    Note,
    /// Needs attention soon.
    Warning,
    /// A failure of an item.
    Failure,
    /// An error that ended the work.
    Error,
    /// Text of a plugin or another program.
    Quote,
}

impl Tone {
    /// The word in front of the remark.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note: ",
            Self::Warning => "warning: ",
            Self::Failure => "failed: ",
            Self::Error => "error: ",
            Self::Quote => "",
        }
    }
}

/// A line and its kind.
pub(super) type Remark = (Tone, String);

/// Turns events into remarks, and leaves out those that repeat or are too many.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    failures: Thin,
    logs: Thin,
    grants: BTreeSet<String>,
    arrivals: Thin,
}

impl Remarks {
    /// Returns the remark for an event, if it gets one.
    pub(super) fn of(&mut self, event: &Event, now: Instant) -> Option<Remark> {
        let (tone, text) = match event {
            Event::Note { text } => (Tone::Note, paragraph(text)),
            Event::Warning { text } => (Tone::Warning, paragraph(text)),
            Event::Error { report, .. } => (Tone::Error, clean(report.strip_prefix("error: ").unwrap_or(report))),
            Event::Due { at } => (Tone::Note, format!("runs next at {at}")),
            Event::Arrived { taken, passed } if self.arrivals.pass("", now) => (Tone::Note, arrived(*taken, passed)),
            Event::Denied { grant } if self.grants.insert(grant.clone()) => {
                (Tone::Warning, format!("the plugin was refused what it is not granted: {}", one_line(grant)))
            }
            Event::PluginLog { plugin, line } if !line.trim().is_empty() && self.logs.pass(plugin, now) => {
                (Tone::Quote, format!("{} | {}", one_line(plugin), first_line(line)))
            }
            // An item that waits is retried, and is reported later if the retries failed.
            Event::ItemFailed { id, state, reason } if state.is_failure() && self.failures.pass("", now) => {
                (Tone::Failure, format!("{} ({}): {}", first_line(id), state.word(), first_line(reason)))
            }
            _ => return None,
        };
        Some((tone, text))
    }

    /// The remarks that were left out in the periods that are over.
    pub(super) fn left_out(&mut self, now: Instant) -> Vec<Remark> {
        Self::say(self.failures.over(now), self.logs.over(now), self.arrivals.over(now))
    }

    /// The remarks that were left out since then, at the end of the run.
    pub(super) fn rest(&mut self) -> Vec<Remark> {
        Self::say(self.failures.rest(), self.logs.rest(), self.arrivals.rest())
    }

    fn say(failures: Vec<(String, u64)>, logs: Vec<(String, u64)>, arrivals: Vec<(String, u64)>) -> Vec<Remark> {
        let failures =
            failures.into_iter().map(|(_, count)| (Tone::Failure, format!("{} more, not shown", number(count))));
        let logs = logs
            .into_iter()
            .map(|(plugin, count)| (Tone::Quote, format!("{plugin} | {} more lines, not shown", number(count))));
        let arrivals = arrivals
            .into_iter()
            .map(|(_, count)| (Tone::Note, format!("new objects came {} more times, not shown", number(count))));
        failures.chain(logs).chain(arrivals).collect()
    }
}

/// The text for objects that arrived.
fn arrived(taken: u64, passed: &BTreeMap<&'static str, u64>) -> String {
    let passed = passed.iter().map(|(reason, count)| format!(", {} not: {reason}", number(*count)));
    format!("new objects: {} asked for{}", number(taken), passed.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::Error, ledger::State};

    proptest::proptest! {
        #[test]
        fn foreign_text_adds_no_line_of_ours_and_steers_no_terminal(
            text in "(hint: |error: |\\PC|[\n\r\t\u{1b}\u{9b}\u{202e}\u{2028}]){0,12}", which in 0usize..7,
        ) {
            let error = Error::usage(text.clone()).with("file", text.clone()).because(std::io::Error::other(text.clone()));
            let report = error.hint(text.clone()).report();
            let event = match which {
                0 => Event::Note { text },
                1 => Event::Warning { text },
                2 => Event::Error { message: text, report },
                3 => Event::Denied { grant: text },
                4 => Event::PluginLog { plugin: text.clone(), line: text },
                5 => Event::ItemFailed { id: text.clone(), state: State::KnownError, reason: text },
                _ => Event::Arrived { taken: 1, passed: BTreeMap::from([("why", 1)]) },
            };
            let Some((_, said)) = Remarks::default().of(&event, Instant::now()) else { return Ok(()) };
            let steers = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2028}".contains(c);
            proptest::prop_assert!(!said.contains(steers), "{said:?}");
            let own = |line: &str| line.is_empty() || line.starts_with("  ") || line.starts_with("hint: ");
            proptest::prop_assert!(said.split('\n').skip(1).all(own), "{said:?}");
            proptest::prop_assert!(said.matches("\nhint: ").count() == usize::from(which == 2), "{said:?}");
        }
    }

    #[test]
    fn a_closed_door_is_reported_once() {
        let (mut remarks, now) = (Remarks::default(), Instant::now());
        let denied = Event::Denied { grant: "read storage `people`".into() };
        assert!(remarks.of(&denied, now).is_some());
        assert_eq!(remarks.of(&denied, now), None);
    }

    #[test]
    fn a_backtrace_becomes_one_line_and_a_flood_a_number() {
        let (mut remarks, now) = (Remarks::default(), Instant::now());
        let failed =
            Event::ItemFailed { id: "p1".into(), state: State::UnknownError, reason: "trapped\n  at f".into() };
        let first = remarks.of(&failed, now);
        assert_eq!(first, Some((Tone::Failure, "p1 (unknown-error): trapped".to_owned())));
        let shown = 1 + (0..99).filter(|_| remarks.of(&failed, now).is_some()).count();
        let rest = remarks.rest();
        assert_eq!(rest, [(Tone::Failure, format!("{} more, not shown", 100 - shown))]);
    }
}
