//! A run in a log: one line every ten seconds, and each remark at once. In the log of a service, where several recipes
//! run for days, every line begins with its recipe, and no line is written while nothing changes.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use super::{
    View,
    remarks::{Remark, Remarks},
    track::Track,
};
use crate::{event::Event, ledger::Counts};

/// The interval of progress lines.
const PACE: Duration = Duration::from_secs(10);

/// Writes plain lines.
pub struct Lines {
    out: Box<dyn Write + Send>,
    track: Track,
    remarks: Remarks,
    last: Instant,
    /// The recipe of a service that these lines are about.
    recipe: Option<String>,
    /// The state of the run in the last line of a service.
    said: Option<(Counts, Option<String>)>,
}

impl Lines {
    /// Writes to `out`.
    pub fn new(out: Box<dyn Write + Send>, now: Instant) -> Self {
        Self { out, track: Track::new(now), remarks: Remarks::default(), last: now, recipe: None, said: None }
    }

    /// Begins every line with the recipe, for the log of a service.
    #[must_use]
    pub fn of(self, recipe: &str) -> Self {
        Self { recipe: Some(recipe.to_owned()), ..self }
    }

    /// A log that cannot be written must not stop a run.
    fn line(&mut self, line: &str) {
        let Some(recipe) = &self.recipe else {
            let _ = writeln!(self.out, "{line}");
            return;
        };
        for line in line.lines().filter(|line| !line.is_empty()) {
            let _ = writeln!(self.out, "{recipe}: {line}");
        }
    }

    /// A line about the run itself, which has to name its recipe.
    fn run_line(&mut self, line: &str) {
        match &self.recipe {
            Some(_) => self.line(line),
            None => self.line(&format!("{} {line}", self.track.recipe)),
        }
    }

    /// Whether this state was already written; without a service it is written again, so that a run that hangs is
    /// visible.
    fn is_said(&mut self) -> bool {
        let stands = Some((self.track.counts, self.track.waiting.clone()));
        self.recipe.is_some() && std::mem::replace(&mut self.said, stands.clone()) == stands
    }

    fn remark(&mut self, (tone, text): &Remark) {
        self.line(&format!("{}{text}", tone.word()));
    }
}

impl View for Lines {
    fn hear(&mut self, event: &Event, now: Instant) {
        self.track.hear(event, now);
        if let Event::Started { run, resumed, .. } = event {
            let verb = if *resumed { "goes on with" } else { "begins" };
            self.run_line(&format!("{verb} run {run}"));
            self.last = now;
        }
        if matches!(event, Event::Started { .. } | Event::Ended { .. }) {
            // Other lines report the beginning and the end.
            self.is_said();
        }
        if let Some(remark) = self.remarks.of(event, now) {
            self.remark(&remark);
        }
    }

    fn tick(&mut self, now: Instant) {
        for remark in self.remarks.left_out(now) {
            self.remark(&remark);
        }
        self.track.tick(now);
        if now.saturating_duration_since(self.last) >= PACE && !self.track.is_silent() && !self.is_said() {
            self.last = now;
            let (amount, pace) = (self.track.amount(), self.track.pace());
            match self.track.prelude().map(str::to_owned) {
                Some(prelude) => self.line(&prelude),
                None => self.run_line(&format!("{}  {}", amount.trim_start(), pace.trim_start())),
            }
        }
    }

    fn close(&mut self) {
        for remark in self.remarks.rest() {
            self.remark(&remark);
        }
        let _ = self.out.flush();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A writer whose bytes can be read afterwards.
    #[derive(Clone, Default)]
    pub(in crate::observe) struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Buffer {
        pub(in crate::observe) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_has_a_line_every_ten_seconds_and_remarks_in_between() {
        let (buffer, start) = (Buffer::default(), Instant::now());
        let mut lines = Lines::new(Box::new(buffer.clone()), start);
        let (recipe, run) = ("persons".to_owned(), "r1".to_owned());
        let started = Event::Started { recipe, run, resumed: false, total: Some(10_000), before: Counts::default() };
        lines.hear(&started, start);
        for second in 1..=20 {
            let counts = Counts { read: second * 100, ..Counts::default() };
            let now = start + Duration::from_secs(second);
            lines.hear(&Event::Progress { counts }, now);
            if second == 15 {
                lines.hear(&Event::Warning { text: "slow".into() }, now);
            }
            lines.tick(now);
        }
        lines.close();
        insta::assert_snapshot!(buffer.text(), @r"
        persons begins run r1
        persons 1,000 / 10,000  100/s  0 failed  1m 30s left
        warning: slow
        persons 2,000 / 10,000  100/s  0 failed  1m 20s left
        ");
    }
    #[test]
    fn in_the_log_of_a_service_every_line_names_its_recipe_and_what_does_not_move_is_not_said_again() {
        let (buffer, start) = (Buffer::default(), Instant::now());
        let mut lines = Lines::new(Box::new(buffer.clone()), start).of("people");
        let (recipe, run) = ("people".to_owned(), "r1".to_owned());
        lines.hear(&Event::Started { recipe, run, resumed: true, total: None, before: Counts::default() }, start);
        lines.hear(&Event::Progress { counts: Counts { read: 7, ..Counts::default() } }, start);
        (1..60).for_each(|second| lines.tick(start + Duration::from_secs(second)));
        lines.hear(&Event::Waiting { reason: "the index is away".into() }, start);
        (60..120).for_each(|second| lines.tick(start + Duration::from_secs(second)));
        let report = "error: no\n\nhint: yes".to_owned();
        lines.hear(&Event::Error { message: "no".into(), report }, start);
        lines.close();
        insta::assert_snapshot!(buffer.text(), @r"
        people: goes on with run r1
        people: 7 read  0.4/s  0 failed
        people: 7 read  0.0/s  0 failed  waiting: the index is away
        people: error: no
        people: hint: yes
        ");
    }
}
