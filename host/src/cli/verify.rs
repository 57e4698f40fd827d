//! `reindex verify`

use std::time::{Duration, Instant};

use clap::Args;

use super::{
    exit::Exit,
    place::{Place, Target},
    signals::watched,
    ui::Ui,
};
use crate::{
    backend::Mode,
    error::Result,
    observe::text::{clean, duration, number},
    pipeline::{Stop, Verified},
};

/// Compares every document of the source with the index; changes nothing
///
/// Reads and maps the source once more. A document differs if it is missing, has another content or an older version,
/// or has no record. What failed before is no difference: `reindex status` shows it. A record that
/// cannot be mapped and that no run has seen as it is counts as refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex verify recipes/persons.toml
  reindex verify recipes/persons.toml --sample 1000 --json

Exits with 0 when nothing differs and no record is refused, else with 7.")]
pub(super) struct Verify {
    #[command(flatten)]
    pub(super) target: Target,
    /// Only the documents of N records, chosen at random; the source is still read whole
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    sample: Option<u32>,
    /// Writes the result as JSON
    #[arg(long)]
    json: bool,
    /// Never builds a plugin from source
    #[arg(long)]
    no_build: bool,
}

impl Verify {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let project = place.project(&self.target, Mode::ReadOnly).await?;
        let (stop, observer, begun) = (Stop::new(), ui.observer(), Instant::now());
        let events = observer.events();
        let sample = self.sample.map(|sample| sample as usize);
        let work = async { project.job(!self.no_build, &events).await?.verify(sample, &events, &stop).await };
        let recipe = place.again(&self.target);
        let sampled = self.sample.map(|sample| format!(" --sample {sample}")).unwrap_or_default();
        let again = format!("reindex verify {recipe}{sampled}");
        let verified = watched(ui, std::slice::from_ref(&observer), &stop, again, work).await?;
        if self.json {
            ui.json(&verified);
        } else {
            show(ui, &verified);
        }
        ui.ending(
            &line(&verified, sample.is_some(), begun.elapsed()),
            &next(&verified, &recipe, !project.recipe.prunes.is_empty()),
        );
        Ok(if verified.is_equal() { Exit::Done } else { Exit::Differences })
    }
}

fn show(ui: Ui, verified: &Verified) {
    for (kind, found) in verified.kinds() {
        for id in &found.examples {
            ui.data(&format!("{}  {kind}", clean(id)));
        }
    }
    for id in &verified.refused.examples {
        ui.data(&format!("{}  refused by the mapping", clean(id)));
    }
}

/// The last line: what was found, and how sure that is.
fn line(verified: &Verified, sampled: bool, elapsed: Duration) -> String {
    let Verified { compared, newer, open, .. } = verified;
    let kinds = verified.kinds().map(|(kind, found)| (found.count, kind));
    let shown = kinds.into_iter().chain([(*newer, "newer than their records"), (*open, "records that failed before")]);
    let shown = shown.chain([(verified.refused.count, "records refused by the mapping")]);
    let shown = shown.filter(|(count, _)| *count > 0).map(|(count, word)| format!(", {} {word}", number(count)));
    let shown: String = shown.collect();
    let sure = match (sampled, verified.differing()) {
        // Of n documents none differs: at 95 % confidence the share that does is below 3/n.
        (true, 0) if *compared > 0 && verified.refused.count == 0 => {
            format!("; at 95 % confidence less than {:.2} % of all differ", (300.0 / *compared as f64).min(100.0))
        }
        _ => String::new(),
    };
    let differing = number(verified.differing());
    format!("{} documents compared, {differing} differ{shown}{sure} in {}", number(*compared), duration(elapsed))
}

fn next(verified: &Verified, again: &str, prunes: bool) -> String {
    if verified.differing() == 0 && verified.refused.count > 0 {
        return format!("reindex run {again} writes the others, and records why these are refused");
    }
    if verified.differing() == 0 {
        return format!("reindex status {again}");
    }
    if verified.differing() == verified.extra.count {
        // A run writes what the source has, and these it has not.
        let prune = if prunes {
            format!("reindex prune {again} --dry-run shows what it would remove; ")
        } else {
            String::new()
        };
        return format!("{prune}reindex run {again} --rebuild fills a new index without them");
    }
    format!("reindex run {again} writes every document again; reindex run {again} --rebuild fills a new index")
}
