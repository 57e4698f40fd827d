//! Every event as one JSON line, with its time, for a program that reads along.

use std::{io::Write, sync::Arc, time::Instant};

use jiff::Timestamp;
use serde::Serialize;

use super::View;
use crate::{clock::Clock, event::Event};

/// Writes JSON lines.
pub struct Json {
    out: Box<dyn Write + Send>,
    clock: Arc<dyn Clock>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: Timestamp,
    #[serde(flatten)]
    event: &'a Event,
}

impl Json {
    /// Writes to `out`, with the times of a clock.
    pub fn new(out: Box<dyn Write + Send>, clock: Arc<dyn Clock>) -> Self {
        Self { out, clock }
    }
}

impl View for Json {
    fn hear(&mut self, event: &Event, _now: Instant) {
        let line = serde_json::to_string(&Line { time: self.clock.now(), event });
        // A log that cannot be written is no reason to stop a run.
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
}
