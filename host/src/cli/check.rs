//! `reindex check`

use clap::Args;

use super::{
    exit::Exit,
    place::{Place, Target},
    ui::{GREEN, RED, Ui, YELLOW},
};
use crate::{
    error::{Error, Result},
    observe::text::clean,
    run::{self, Finding},
};

/// Checks a recipe: its keys, its plugin, and whether the grants are what the plugin asks for
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex check recipes/persons.toml
  reindex check recipes/persons.toml --env dev --connect")]
pub(super) struct Check {
    #[command(flatten)]
    target: Target,
    /// Also asks the servers what they are; changes nothing
    #[arg(long)]
    connect: bool,
    /// Also makes and removes a scratch table and index, to see whether that is allowed
    #[arg(long)]
    probe: bool,
}

impl Check {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let project = place.project(&self.target)?;
        let findings = run::check(&project, self.connect, self.probe).await?;
        let mut exit = Exit::Done;
        for finding in &findings {
            match finding {
                Finding::Good(text) => ui.say(&format!("{} {}", ui.err_style(GREEN, "ok"), clean(text))),
                Finding::Warning(error) => ui.say(&entry(&ui.err_style(YELLOW, "look"), error)),
                Finding::Fault(error) => {
                    ui.say(&entry(&ui.err_style(RED, "mend"), error));
                    exit = if exit == Exit::Done { error.kind().into() } else { exit };
                }
            }
        }
        if exit == Exit::Done {
            ui.ending("the recipe is sound", &format!("reindex run {}", self.target.again()));
        }
        Ok(exit)
    }
}

/// An error as an entry of a list.
fn entry(word: &str, error: &Error) -> String {
    let report = clean(&error.report());
    let report = report.trim_start_matches("error: ").replace("\n\n", "\n");
    format!("{word} {}", report.replace('\n', "\n     "))
}
