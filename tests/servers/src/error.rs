//! Why a server could not be had, in words that say what to do.

use std::{error, fmt, io, path::Path};

use crate::{Server, Tool};

/// Why a server, or another program, could not be fetched or started.
#[derive(Debug)]
pub enum Error {
    /// Commands that fetching or running it takes are not installed.
    Missing(&'static str, Vec<Tool>),
    /// Its recipe failed; the last lines it wrote.
    Fetch(&'static str, String),
    /// It ended or stayed silent instead of becoming healthy; why, and the last lines of its log.
    Start(Server, String, String),
    /// The file system or the operating system refused something.
    Io(String, io::Error),
}

impl Error {
    pub(crate) fn io(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("{what} {}", path.display());
        move |cause| Self::Io(what, cause)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(program, tools) => {
                let say = |tool: &Tool| format!("{} is missing, install {}", tool.command, tool.install);
                write!(f, "{program} cannot be had: {}", tools.iter().map(say).collect::<Vec<_>>().join("; "))
            }
            Self::Fetch(program, output) => write!(f, "{program} could not be fetched; the last lines:\n{output}"),
            Self::Start(server, why, log) => write!(f, "{server} did not start: {why}; its log ends with:\n{log}"),
            Self::Io(what, cause) => write!(f, "cannot {what}: {cause}"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(_, cause) => Some(cause),
            _ => None,
        }
    }
}

/// The last lines of what a program wrote.
pub(crate) fn last_lines(text: &str) -> String {
    const LINES: usize = 20;
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
