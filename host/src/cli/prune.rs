//! `reindex prune`

use clap::Args;

use super::{
    exit::Exit,
    place::{Place, Target},
    signals::watched,
    ui::Ui,
};
use crate::{backend::Mode, error::Result, observe::text::one_line, pipeline::Stop, run::Pruned};

/// Removes the documents whose item is gone from the indexes that the recipe says to prune
///
/// After an error-free run over the whole source: each document that the run did not name is read again in the source
/// by its key, and goes only if it is absent there. Runs do it by themselves at their end.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex prune recipes/persons.toml --dry-run
  reindex prune recipes/persons.toml --env prod")]
pub(super) struct Prune {
    #[command(flatten)]
    pub(super) target: Target,
    /// Only says what would go
    #[arg(long)]
    dry_run: bool,
    /// Writes the result as JSON
    #[arg(long)]
    json: bool,
    /// Never builds a plugin from source
    #[arg(long)]
    no_build: bool,
}

impl Prune {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let mode = if self.dry_run { Mode::ReadOnly } else { Mode::ReadWrite };
        let project = place.project(&self.target, mode).await?;
        let (stop, observer) = (Stop::new(), ui.observer());
        let events = observer.events();
        let work = async { project.job(!self.no_build, &events).await?.prune(self.dry_run, &events).await };
        let dry_run = if self.dry_run { " --dry-run" } else { "" };
        let again = format!("reindex prune {}{dry_run}", place.again(&self.target));
        let pruned = watched(ui, std::slice::from_ref(&observer), &stop, again, work).await?;
        if self.json {
            ui.json(&pruned);
        } else {
            pruned.iter().for_each(|pruned| show(ui, pruned, self.dry_run));
        }
        Ok(Exit::Done)
    }
}

fn show(ui: Ui, pruned: &Pruned, dry: bool) {
    let word = if dry { "would go" } else { "removed" };
    let count = if dry { pruned.gone } else { pruned.removed };
    ui.say(&format!("index `{}`: {count} {word}, {} looked at", pruned.index, pruned.candidates));
    for id in &pruned.examples {
        ui.data(&one_line(id));
    }
}
