//! The states of an id. Their numbers are those of existing reingestion tables.

use serde::{Deserialize, Serialize};

/// The state of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// To be done, or to be done again later.
    Ready,
    /// Claimed.
    InProgress,
    /// The object behind it does not exist.
    NotFound,
    /// Handed over.
    Done,
    /// Failed in a way that will fail again: invalid, or refused.
    KnownError,
    /// Being looked for in the index.
    Locating,
    /// Found in the index.
    Verified,
    /// Handed over, but not found in the index.
    Inconsistent,
    /// Failed in an unexpected way: a trap, a timeout, retries spent.
    UnknownError,
    /// Larger than a limit.
    TooBig,
    /// The plugin skipped it.
    Skipped,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Ready,
        Self::InProgress,
        Self::NotFound,
        Self::Done,
        Self::KnownError,
        Self::Locating,
        Self::Verified,
        Self::Inconsistent,
        Self::UnknownError,
        Self::TooBig,
        Self::Skipped,
    ];

    /// The number in a table's `progress_state`.
    pub fn number(self) -> u32 {
        match self {
            Self::Ready => 0,
            Self::InProgress => 1,
            Self::NotFound => 2,
            Self::Done => 3,
            Self::KnownError => 4,
            Self::Locating => 5,
            Self::Verified => 6,
            Self::Inconsistent => 7,
            Self::UnknownError => 8,
            Self::TooBig => 9001,
            Self::Skipped => 9002,
        }
    }

    /// The state of a number, if it is one.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    /// The word for it, as commands take and print it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "waiting",
            Self::InProgress => "in-progress",
            Self::NotFound => "not-found",
            Self::Done => "done",
            Self::KnownError => "known-error",
            Self::Locating => "locating",
            Self::Verified => "verified",
            Self::Inconsistent => "inconsistent",
            Self::UnknownError => "unknown-error",
            Self::TooBig => "too-big",
            Self::Skipped => "skipped",
        }
    }

    /// The state of a word, if it is one.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether a finished run with such an id ends with the exit code for failures.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::KnownError | Self::Inconsistent | Self::UnknownError | Self::TooBig)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_found_again_by_its_number_and_by_its_word() {
        for state in State::ALL {
            assert_eq!(State::from_number(state.number()), Some(state));
            assert_eq!(State::from_word(state.word()), Some(state));
        }
        assert_eq!(State::from_number(9003), None);
    }
}
