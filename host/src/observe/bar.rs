//! A run on a terminal: one bar that stays in place, and the remarks above it.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    View,
    remarks::{Remark, Remarks, Tone},
    track::Track,
};
use crate::event::Event;

/// With a total: name, bar, amount, rate.
const KNOWN: &str = "{prefix}  {bar:24}  {msg}";
/// Without a total the bar cannot be filled.
const UNKNOWN: &str = "{prefix}  {spinner}  {msg}";

/// Draws a bar.
pub struct Bar {
    bar: ProgressBar,
    track: Track,
    remarks: Remarks,
    paint: fn(Tone, &str) -> String,
}

impl Bar {
    /// Draws on a target; `paint` colours the word in front of a remark.
    pub fn new(target: ProgressDrawTarget, paint: fn(Tone, &str) -> String, now: Instant) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style(UNKNOWN));
        Self { bar, track: Track::new(now), remarks: Remarks::default(), paint }
    }

    fn remark(&self, (tone, text): &Remark) {
        let line = format!("{}{text}", (self.paint)(*tone, tone.word()));
        self.bar.println(line);
    }

    fn begin(&mut self) {
        self.bar.set_prefix(self.track.recipe.clone());
        if let Some(total) = self.track.total {
            self.bar.set_length(total);
            self.bar.set_style(style(KNOWN));
        }
    }

    fn draw(&self) {
        if self.track.is_silent() {
            return;
        }
        if self.track.known_total().is_none() {
            self.bar.set_style(style(UNKNOWN));
        }
        self.bar.set_position(self.track.counts.read);
        let progress = || format!("{}  {}", self.track.amount(), self.track.pace());
        self.bar.set_message(self.track.prelude().map_or_else(progress, str::to_owned));
        self.bar.tick();
    }
}

impl View for Bar {
    fn hear(&mut self, event: &Event, now: Instant) {
        self.track.hear(event, now);
        if matches!(event, Event::Started { .. }) {
            self.begin();
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
        self.draw();
    }

    fn aside(&mut self, print: &mut dyn FnMut()) {
        self.bar.suspend(print);
    }

    fn close(&mut self) {
        for remark in self.remarks.rest() {
            self.remark(&remark);
        }
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("━╸─").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use indicatif::InMemoryTerm;

    use super::*;
    use crate::ledger::Counts;

    #[test]
    fn the_bar_stays_the_last_line_and_remarks_stand_above_it() {
        let (term, start) = (InMemoryTerm::new(10, 100), Instant::now());
        let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
        let mut bar = Bar::new(target, |_, word| word.to_owned(), start);
        let (recipe, run) = ("persons".to_owned(), "r1".to_owned());
        let started = Event::Started { recipe, run, resumed: false, total: Some(1_000), before: Counts::default() };
        bar.hear(&started, start);
        bar.hear(&Event::Progress { counts: Counts { read: 250, failed: 1, ..Counts::default() } }, start);
        bar.tick(start + Duration::from_secs(1));
        bar.hear(&Event::Note { text: "index `persons` is new".into() }, start);
        bar.tick(start + Duration::from_secs(1));
        insta::assert_snapshot!(term.contents(), @r"
        note: index `persons` is new
        persons  ━━━━━━╸─────────────────    250 / 1,000      250/s  1 failed  3.0s left
        ");
        bar.close();
        assert_eq!(term.contents(), "note: index `persons` is new");
    }
}
