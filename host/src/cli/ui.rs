//! The only file that prints. Data goes to standard output, everything for eyes to standard error.

use std::{
    env,
    io::{self, ErrorKind, IsTerminal, Write},
    process,
    sync::Arc,
    time::Instant,
};

use clap::{
    ValueEnum,
    builder::styling::{AnsiColor, Style},
};
use indicatif::ProgressDrawTarget;
use serde::Serialize;
use serde_json::json;

use super::exit::Exit;
use crate::{
    clock::{Clock, System},
    error::Error,
    observe::{Bar, Json, Lines, Observer, Tone, text},
};

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Log {
    /// Every event as a JSON line on standard error
    Json,
    /// Plain lines instead of a bar
    Plain,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Also into files and pipes
    Always,
    /// Not at all
    Never,
}

/// What may be seen, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ui {
    log: Option<Log>,
    /// Whether standard output is read by a person.
    pub eyes: bool,
    bar: bool,
    color_out: bool,
    color_err: bool,
}

pub(super) const RED: Style = AnsiColor::Red.on_default();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();

impl Ui {
    /// Looks at the terminal once.
    pub(super) fn new(log: Option<Log>, color: Color) -> Self {
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let plain = dumb || env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = |terminal: bool| match color {
            Color::Auto => terminal && !plain,
            Color::Always => true,
            Color::Never => false,
        };
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let bar = err && !dumb && log.is_none();
        Self { log, eyes: out, bar, color_out: color(out), color_err: color(err) }
    }

    /// Writes a line of data. A reader that went away is a quiet end of the program.
    pub(super) fn data(&self, line: &str) {
        let written = writeln!(io::stdout().lock(), "{line}");
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => process::exit(Exit::Done as i32),
            Err(error) => {
                self.error(&Error::usage("cannot write to standard output").because(error));
                process::exit(Exit::Usage as i32);
            }
            Ok(()) => {}
        }
    }

    /// Writes a value as a JSON line of data.
    pub(super) fn json(&self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(line) => self.data(&line),
            Err(error) => self.error(&Error::bug("cannot write JSON").because(error)),
        }
    }

    /// Says something to a person.
    pub(super) fn say(&self, line: &str) {
        match self.log {
            Some(Log::Json) => self.log_line(&json!({ "event": "said", "text": line })),
            _ => err(line),
        }
    }

    /// Says how it ended, and the next step.
    pub(super) fn ending(&self, line: &str, next: &str) {
        match self.log {
            Some(Log::Json) => self.log_line(&json!({ "event": "ending", "text": line, "next": next })),
            _ => err(&format!("{line}\n{} {next}", self.faint("next:"))),
        }
    }

    /// Shows an error with its context and hint. Text of strangers in it cannot steer the terminal.
    pub(super) fn error(&self, error: &Error) {
        if self.log == Some(Log::Json) {
            let context: serde_json::Map<_, _> =
                error.context().iter().map(|(label, value)| ((*label).to_owned(), value.clone().into())).collect();
            return self.log_line(&json!({
                "event": "error", "code": Exit::from(error.kind()) as u8, "message": error.message(),
                "context": context, "hint": error.hint_text(), "report": error.report(),
            }));
        }
        let report = text::clean(&error.report());
        let report = report.strip_prefix("error:").map_or(report.clone(), |rest| self.err_style(RED, "error:") + rest);
        // Foreign text is indented, so what begins a line after an empty one is ours.
        let report = report.replace("\n\nerror:", &format!("\n\n{}", self.err_style(RED, "error:")));
        err(&report.replace("\n\nhint:", &format!("\n\n{}", self.err_style(GREEN, "hint:"))));
    }

    /// Shows a run: a bar on a terminal, lines in a log, JSON on request.
    pub(super) fn observer(&self) -> Observer {
        let now = Instant::now();
        match self.log {
            Some(Log::Json) => Observer::new(Json::new(Box::new(io::stderr()), Arc::new(System))),
            None if self.bar => {
                let paint = if self.color_err { paint } else { |_: Tone, word: &str| word.to_owned() };
                Observer::new(Bar::new(ProgressDrawTarget::stderr(), paint, now))
            }
            _ => Observer::new(Lines::new(Box::new(io::stderr()), now)),
        }
    }

    /// Shows one of several recipes: lines in a log, JSON on request.
    pub(super) fn observer_of(&self, recipe: &str) -> Observer {
        match self.log {
            Some(Log::Json) => Observer::new(Json::new(Box::new(io::stderr()), Arc::new(System)).of(recipe)),
            _ => Observer::new(Lines::new(Box::new(io::stderr()), Instant::now()).of(recipe)),
        }
    }

    /// Colours a part of what goes to standard output.
    pub(super) fn style(&self, style: Style, text: &str) -> String {
        if self.color_out { styled(style, text) } else { text.to_owned() }
    }

    /// Colours a part of what goes to standard error.
    pub(super) fn err_style(&self, style: Style, text: &str) -> String {
        if self.color_err { styled(style, text) } else { text.to_owned() }
    }

    fn faint(&self, text: &str) -> String {
        self.err_style(DIM, text)
    }

    fn log_line(&self, value: &serde_json::Value) {
        let mut line = json!({ "time": System.now().to_string() });
        if let (Some(line), Some(value)) = (line.as_object_mut(), value.as_object()) {
            line.extend(value.clone());
        }
        err(&line.to_string());
    }
}

/// Standard error that went away is no reason to stop what works.
fn err(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

fn paint(tone: Tone, word: &str) -> String {
    match tone {
        Tone::Note => styled(BOLD, word),
        Tone::Warning => styled(YELLOW, word),
        Tone::Failure | Tone::Error => styled(RED, word),
        Tone::Quote => styled(DIM, word),
    }
}

fn styled(style: Style, text: &str) -> String {
    format!("{}{text}{}", style.render(), style.render_reset())
}
