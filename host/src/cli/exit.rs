//! Exit codes: the one place that says what each number means.

use std::process::ExitCode;

use crate::error::Kind;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// All is well.
    Done = 0,
    /// A fault of this program.
    Bug = 1,
    /// A recipe, a plugin or an argument has to be mended.
    Usage = 2,
    /// Finished, but some ids failed.
    Failures = 3,
    /// Stopped, and can be resumed.
    Stopped = 4,
    /// A backend cannot be reached.
    Unavailable = 5,
    /// A grant or a permission is missing.
    Denied = 6,
    /// There are differences.
    Differences = 7,
}

/// The table for people, printed below the help and in the README.
pub(super) const TABLE: &str = "\
Exit codes:
  0  done
  1  a bug in reindex
  2  the recipe, the plugin or the command line has to be mended
  3  finished, but some ids failed
  4  stopped; the same command goes on
  5  a backend is unavailable
  6  denied: a grant or a permission is missing
  7  there are differences (diff, verify, plugin test)";

impl From<Kind> for Exit {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Bug => Self::Bug,
            Kind::Usage | Kind::NotFound | Kind::Plugin => Self::Usage,
            Kind::Stopped => Self::Stopped,
            Kind::Unavailable => Self::Unavailable,
            Kind::Denied => Self::Denied,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_for_every_code_in_order() {
        let all = [
            Exit::Done,
            Exit::Bug,
            Exit::Usage,
            Exit::Failures,
            Exit::Stopped,
            Exit::Unavailable,
            Exit::Denied,
            Exit::Differences,
        ];
        let numbers = TABLE.lines().skip(1).map(|line| line.trim_start()[..1].parse::<u8>().unwrap());
        assert!(numbers.eq(all.map(|exit| exit as u8)));
    }
}
