//! The one error type of the library: what failed, where, whether to retry, and what to do next.

use std::fmt;

/// A result of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it is; the command line turns it into an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A fault of this program.
    Bug,
    /// A recipe, an environment, an argument or a file that a person has to mend.
    Usage,
    /// Something named does not exist.
    NotFound,
    /// The work stopped before its end and can be resumed.
    Stopped,
    /// A backend cannot be reached or refuses all work.
    Unavailable,
    /// A grant or a permission is missing.
    Denied,
    /// A plugin broke its contract so thoroughly that going on is pointless.
    Plugin,
}

/// Whether the same call may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It will fail again.
    Never,
    /// It may succeed after a while.
    Later,
}

/// Whom a failure concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// One item: a record, an object, a message. Others may succeed.
    Item,
    /// The place that items are read from or written to: no item succeeds before it is mended.
    Place,
}

/// A failure a person can act on.
///
/// *Shape*: the message is a lowercase fragment without a full stop; context lines say what and where; the
/// hint is the line to write or the command to run. Never holds a secret.
pub struct Error {
    kind: Kind,
    retry: Retry,
    scope: Scope,
    tries: u32,
    message: String,
    context: Vec<(&'static str, String)>,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    place: Option<Box<Place>>,
}

/// Where in a file a mistake is, and the mistakes that were found beside it.
#[derive(Default)]
struct Place {
    key: Option<String>,
    line: Option<usize>,
    others: Vec<Error>,
}

impl Error {
    /// Makes an error that will not pass by itself, unless a backend is unavailable.
    ///
    /// It concerns the place, unless something is refused as it is ([`Kind::Usage`]); see [`of_item`](Self::of_item).
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let retry = if kind == Kind::Unavailable { Retry::Later } else { Retry::Never };
        let scope = if kind == Kind::Usage { Scope::Item } else { Scope::Place };
        let (context, hint, source, place) = (Vec::new(), None, None, None);
        Self { kind, retry, scope, tries: 1, message: message.into(), context, hint, source, place }
    }

    /// Makes an error about something a person wrote.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Makes an error that is this program's own fault.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
    }

    /// Puts the arguments that name a recipe in the place of `RECIPE` in the hint.
    #[must_use]
    pub fn about_recipe(mut self, arguments: &str) -> Self {
        self.hint = self.hint.map(|hint| hint.replace("RECIPE", arguments));
        self
    }

    /// Says which line of a file it is about.
    #[must_use]
    pub fn at_line(mut self, line: usize) -> Self {
        self.place.get_or_insert_default().line = Some(line);
        self
    }

    /// Says which key of a file it is about, by its dotted path.
    #[must_use]
    pub fn at_key(mut self, key: impl Into<String>) -> Self {
        self.place.get_or_insert_default().key = Some(key.into());
        self
    }

    /// All mistakes as one error: what is about no file, then the recipe's and others' by their lines; nothing if there
    /// is none.
    pub fn joined(mistakes: impl IntoIterator<Item = Self>) -> Result<()> {
        let mut all: Vec<_> = mistakes.into_iter().flat_map(Self::parted).collect();
        let file = |error: &Self| error.line().and(error.context.first()).map(|(label, _)| *label != "recipe");
        all.sort_by_key(|error| (file(error), error.line()));
        let mut all = all.into_iter();
        let Some(mut first) = all.next() else { return Ok(()) };
        let others: Vec<_> = all.collect();
        if !others.is_empty() {
            first.place.get_or_insert_default().others = others;
        }
        Err(first)
    }

    /// This error and those that were joined to it, one by one.
    pub(crate) fn parted(mut self) -> Vec<Self> {
        let others = self.place.as_mut().map(|place| std::mem::take(&mut place.others));
        std::iter::once(self).chain(others.into_iter().flatten()).collect()
    }

    /// This error and those that were [`joined`](Self::joined) to it.
    pub fn each(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.place.iter().flat_map(|place| &place.others))
    }

    /// The line of a file that it is about.
    pub fn line(&self) -> Option<usize> {
        self.place.as_ref()?.line
    }

    /// The key of a file that it is about, by its dotted path.
    pub fn key(&self) -> Option<&str> {
        self.place.as_ref()?.key.as_deref()
    }

    /// Adds a line of context, such as `("recipe", "recipes/persons.toml:14")`.
    #[must_use]
    pub fn with(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.context.push((label, value.into()));
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says whether the same call may succeed later.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Says that it concerns one item alone, so that it costs only that one.
    #[must_use]
    pub fn of_item(self) -> Self {
        Self { scope: Scope::Item, ..self }
    }

    /// Says that it concerns the place, so that no item is marked failed by it: a bucket, table, queue or index that is
    /// missing or may not be used, a disk that is full, a server that is away or has too much to do.
    #[must_use]
    pub fn of_place(self) -> Self {
        Self { scope: Scope::Place, ..self }
    }

    /// The same once work has begun: a place that worked before and is missing now, or has to be mended, is unavailable.
    #[must_use]
    pub fn while_working(self) -> Self {
        match self.kind {
            Kind::NotFound | Kind::Usage if !self.concerns_item() => Self { kind: Kind::Unavailable, ..self },
            _ => self,
        }
    }

    /// Whether it concerns one item alone; else it concerns the place, and stops the work there.
    pub fn concerns_item(&self) -> bool {
        self.scope == Scope::Item
    }

    /// Says how often the call was made before it was given up. The caller that retries counts them: all tries of an
    /// operation come out of one budget.
    #[must_use]
    pub fn tried(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }

    /// How often the call was made.
    pub fn tries(&self) -> u32 {
        self.tries
    }

    /// The sort of failure.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the same call may succeed later.
    pub fn may_retry(&self) -> bool {
        self.retry == Retry::Later
    }

    /// The message alone, without context.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The lines of context, in the order they were added.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.context
    }

    /// What to do next, if something can be done.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The whole error as a person reads it: message, context lines, causes, hint; then those joined to it.
    pub fn report(&self) -> String {
        self.each().map(Self::report_alone).collect::<Vec<_>>().join("\n\n")
    }

    fn report_alone(&self) -> String {
        // Foreign text may be in every part; a line of it must not pass for one of ours.
        let indented = |text: &str| text.replace('\n', "\n  ");
        let mut text = format!("error: {}", indented(&self.message));
        let width = self.context.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
        for (label, value) in &self.context {
            let value = value.replace('\n', &format!("\n  {:width$}  ", ""));
            text.push_str(&format!("\n  {label:width$}  {value}"));
        }
        let mut cause = std::error::Error::source(self);
        let mut said = String::new();
        while let Some(error) = cause {
            // Some libraries say one thing twice: `no such file`, because `error 2: no such file`.
            let why = error.to_string();
            if said.is_empty() || !why.ends_with(&said) {
                text.push_str(&format!("\n  because {}", indented(&why)));
            }
            said = why;
            cause = error.source();
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\n\nhint: {}", indented(hint)));
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_away_concerns_the_place_and_what_is_refused_the_item() {
        let kinds = [Kind::Bug, Kind::NotFound, Kind::Stopped, Kind::Unavailable, Kind::Denied, Kind::Plugin];
        assert!(kinds.into_iter().all(|kind| !Error::new(kind, "x").concerns_item()));
        assert!(Error::usage("x").concerns_item() && !Error::usage("x").of_place().concerns_item());
        let missing = Error::new(Kind::NotFound, "x");
        assert_eq!(missing.while_working().kind(), Kind::Unavailable);
        assert_eq!(Error::usage("x").of_place().while_working().kind(), Kind::Unavailable);
        assert_eq!(Error::usage("x").while_working().kind(), Kind::Usage);
        assert_eq!(Error::new(Kind::Denied, "x").while_working().kind(), Kind::Denied);
    }

    #[test]
    fn a_report_has_message_context_cause_and_hint_in_that_order() {
        let error = Error::usage("plugin `persons` may not use storage `people`")
            .with("recipe", "recipes/persons.toml:14")
            .with("asks", "storage")
            .because(std::io::Error::other("why"))
            .hint("add it");
        assert_eq!(
            error.report(),
            "error: plugin `persons` may not use storage `people`\n  recipe  recipes/persons.toml:14\n  asks    storage\n  because why\n\nhint: add it"
        );
    }
}
