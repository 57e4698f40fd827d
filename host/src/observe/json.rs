//! Every event as one JSON line, with its time, for a program that reads the log.

use std::{io::Write, sync::Arc, time::Instant};

use jiff::Timestamp;
use serde::Serialize;

use super::View;
use crate::{clock::Clock, event::Event};

/// Writes JSON lines.
pub struct Json {
    out: Box<dyn Write + Send>,
    clock: Arc<dyn Clock>,
    recipe: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe: Option<&'a str>,
    #[serde(flatten)]
    event: &'a Event,
}

impl Json {
    /// Writes to `out`, with the times of a clock.
    pub fn new(out: Box<dyn Write + Send>, clock: Arc<dyn Clock>) -> Self {
        Self { out, clock, recipe: None }
    }

    /// Adds the recipe's name to every line.
    #[must_use]
    pub fn of(self, recipe: &str) -> Self {
        Self { recipe: Some(recipe.to_owned()), ..self }
    }
}

impl View for Json {
    fn hear(&mut self, event: &Event, _now: Instant) {
        // This event already has the name.
        let recipe = self.recipe.as_deref().filter(|_| !matches!(event, Event::Started { .. }));
        let line = serde_json::to_string(&Line { time: self.clock.now(), recipe, event });
        // A log that cannot be written must not stop a run.
        let _ = line.map(|line| writeln!(self.out, "{line}"));
    }

    fn tick(&mut self, _now: Instant) {}

    fn close(&mut self) {
        let _ = self.out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Fixed, observe::lines::tests::Buffer};

    #[test]
    fn a_line_has_the_time_the_event_and_no_line_break_inside() {
        let buffer = Buffer::default();
        let mut json = Json::new(Box::new(buffer.clone()), Arc::new(Fixed(Timestamp::UNIX_EPOCH)));
        json.hear(&Event::Note { text: "two\nlines \u{1b}[31m".into() }, Instant::now());
        json.close();
        assert_eq!(
            buffer.text(),
            "{\"time\":\"1970-01-01T00:00:00Z\",\"event\":\"note\",\"text\":\"two\\nlines \\u001b[31m\"}\n"
        );
    }

    #[test]
    fn each_line_of_one_recipe_among_several_names_it_once() {
        let buffer = Buffer::default();
        let json = Json::new(Box::new(buffer.clone()), Arc::new(Fixed(Timestamp::UNIX_EPOCH)));
        let (mut json, before) = (json.of("people"), Default::default());
        let (recipe, run) = ("people".to_owned(), "r1".to_owned());
        json.hear(&Event::Started { recipe, run, resumed: false, total: None, before }, Instant::now());
        json.hear(&Event::Waiting { reason: "why".into() }, Instant::now());
        let text = buffer.text();
        assert_eq!(text.lines().map(|line| line.matches("\"recipe\":\"people\"").count()).collect::<Vec<_>>(), [1, 1]);
    }
}
