//! A run in a log: one line every ten seconds, and each remark as it comes.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use super::{
    View,
    remarks::{Remark, Remarks},
    track::Track,
};
use crate::event::Event;

/// How far progress lines are apart.
const PACE: Duration = Duration::from_secs(10);

/// Writes plain lines.
pub struct Lines {
    out: Box<dyn Write + Send>,
    track: Track,
    remarks: Remarks,
    last: Instant,
}

impl Lines {
    /// Writes to `out`.
    pub fn new(out: Box<dyn Write + Send>, now: Instant) -> Self {
        Self { out, track: Track::new(now), remarks: Remarks::default(), last: now }
    }

    /// A log that cannot be written is no reason to stop a run.
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}");
    }

    fn remark(&mut self, (tone, text): &Remark) {
        self.line(&format!("{}{text}", tone.word()));
    }
}

impl View for Lines {
    fn hear(&mut self, event: &Event, now: Instant) {
        self.track.hear(event, now);
        if let Event::Started { recipe, run, resumed, .. } = event {
            let verb = if *resumed { "goes on with" } else { "begins" };
            self.line(&format!("{recipe} {verb} run {run}"));
            self.last = now;
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
        if now.saturating_duration_since(self.last) >= PACE && !self.track.is_silent() {
            self.last = now;
            let (amount, pace) = (self.track.amount(), self.track.pace());
            let progress = || format!("{} {}  {}", self.track.recipe, amount.trim_start(), pace.trim_start());
            self.line(&self.track.prelude().map_or_else(progress, str::to_owned));
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
    use crate::ledger::Counts;

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
}
