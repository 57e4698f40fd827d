//! The texts that a person reads about a run: numbers, times, and the last line. Pure functions.

use std::time::Duration;

use crate::ledger::Counts;

/// Formats a whole number with separated thousands.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats how many things there are, with the plural of their name where it is due.
pub fn count(n: u64, thing: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", number(n))
}

/// Formats how long something took, or will take, in at most two units.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 if time.as_millis() < 100 => format!("{}ms", time.as_millis()),
        0..10 => format!("{:.1}s", time.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d {:02}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// Formats a rate per second: with a decimal while it is slow.
pub fn rate(per_second: f64) -> String {
    if per_second >= 9.95 { number(per_second.round() as u64) } else { format!("{per_second:.1}") }
}

/// Makes foreign text safe to print: control characters of a terminal and those that reorder text are escaped. Line
/// breaks stay.
pub fn clean(text: &str) -> String {
    escape(text, |c| c != '\n' && steers(c))
}

/// Makes foreign text safe to print inside one of this program's lines, such as a name: a line break is escaped, too.
pub fn one_line(text: &str) -> String {
    escape(text, steers)
}

/// Makes foreign text safe to print as a paragraph: no line after the first looks like one of this program's lines.
pub fn paragraph(text: &str) -> String {
    clean(text).replace('\n', "\n  ")
}

/// Whether a character controls a terminal, breaks a line, or changes the direction or visibility of what follows.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn escape(text: &str, harmful: impl Fn(char) -> bool) -> String {
    if !text.contains(&harmful) {
        return text.to_owned();
    }
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '\t' => out.push(' '),
            c if harmful(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
        out
    })
}

/// Returns the first line of a foreign text, safe to print and at most one or two lines on a screen.
pub fn first_line(text: &str) -> String {
    const LONGEST: usize = 200;
    let line = one_line(text.lines().next().unwrap_or_default());
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Formats counts as a list: those that every run has, and the others if they are not zero.
pub fn counts(counts: &Counts) -> String {
    let always = [(counts.read, "read"), (counts.documents, "documents")];
    let sometimes = [
        (counts.deletions, "deletions"),
        (counts.records, "records"),
        (counts.objects, "objects"),
        (counts.renditions, "renditions"),
        (megapixels(counts.pixels), "megapixels"),
        (counts.messages, "messages"),
        (counts.newer_there, "newer already there"),
        (counts.skipped, "skipped"),
        (counts.not_found, "not found"),
        (counts.waiting, "waiting"),
    ];
    let shown = always.into_iter().chain(sometimes.into_iter().filter(|(count, _)| *count > 0));
    let parts = shown.chain([(counts.failed, "failed")]).map(|(count, word)| format!("{} {word}", number(count)));
    parts.collect::<Vec<_>>().join(", ")
}

/// Returns pixels in millions, rounded to nearest.
pub fn megapixels(pixels: u64) -> u64 {
    const MILLION: u64 = 1_000_000;
    (pixels + MILLION / 2) / MILLION
}

/// How a run ended, for the last line.
#[derive(Debug, Clone)]
pub struct Ending<'a> {
    /// The run's id; none for work that is not recorded.
    pub run: Option<&'a str>,
    /// Whether it finished.
    pub finished: bool,
    /// The run's counts.
    pub counts: Counts,
    /// How long this process worked on it.
    pub elapsed: Duration,
}

/// Formats the last line of a run.
pub fn ending(ending: &Ending) -> String {
    let word = if ending.finished { "done" } else { "stopped" };
    let run = ending.run.map(|run| format!(" (run {run})")).unwrap_or_default();
    format!("{word}: {} in {}{run}", counts(&ending.counts), duration(ending.elapsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_times_have_at_most_two_units() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        let times = [0.012, 1.24, 59.9, 61.0, 3_600.0, 100_000.0].map(|s| duration(Duration::from_secs_f64(s)));
        assert_eq!(times, ["12ms", "1.2s", "59s", "1m 01s", "1h 00m", "1d 03h"]);
        assert_eq!([0.25, 9.94, 9.96, 4_321.5].map(rate), ["0.2", "9.9", "10", "4,322"]);
    }

    #[test]
    fn a_stranger_cannot_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\nc\td\u{9b}"), "a\\u{1b}[2Jb\nc d\\u{9b}");
        assert_eq!(clean("a\u{202e}b\u{2028}c\u{feff}"), "a\\u{202e}b\\u{2028}c\\u{feff}");
        assert_eq!(one_line("a\nerror: b"), "a\\nerror: b");
        assert_eq!(paragraph("a\n\nhint: b"), "a\n  \n  hint: b");
        assert_eq!(first_line(&"é".repeat(300)).chars().count(), 201);
        assert_eq!(first_line(""), "");
    }

    #[test]
    fn the_last_line_says_what_happened_and_leaves_out_what_did_not() {
        let counts = Counts { read: 200, done: 198, documents: 198, failed: 2, ..Counts::default() };
        let finished = Ending { run: Some("r1"), finished: true, counts, elapsed: Duration::from_millis(1_200) };
        assert_eq!(ending(&finished), "done: 200 read, 198 documents, 2 failed in 1.2s (run r1)");
        let counts = Counts { newer_there: 3, skipped: 1, waiting: 4, deletions: 5, ..counts };
        let stopped = Ending { run: None, finished: false, counts, ..finished.clone() };
        assert_eq!(
            ending(&stopped),
            "stopped: 200 read, 198 documents, 5 deletions, 3 newer already there, 1 skipped, 4 waiting, 2 failed in 1.2s"
        );
        let counts = Counts { read: 3, objects: 4, renditions: 2, pixels: 96_499_999, failed: 1, ..Counts::default() };
        assert_eq!(
            ending(&Ending { counts, run: None, ..finished }),
            "done: 3 read, 0 documents, 4 objects, 2 renditions, 96 megapixels, 1 failed in 1.2s"
        );
    }
}
