//! `reindex check`

use clap::Args;

use super::{
    exit::Exit,
    place::{Place, Target},
    signals::watched,
    ui::{GREEN, Ui, YELLOW},
};
use crate::{
    backend::Mode,
    error::Result,
    observe::text::{one_line, paragraph},
    pipeline::Stop,
    run::Finding,
};

/// Checks a recipe and its plugin before they run
///
/// Its keys, its values, and whether it grants what the plugin asks for.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex check recipes/persons.toml
  reindex check recipes/persons.toml --env dev --connect")]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) target: Target,
    /// Also asks the servers what they are; changes nothing
    #[arg(long)]
    connect: bool,
    /// Also proves each endpoint on scratch resources of its own, which are removed again; on AWS they cost a little
    #[arg(long)]
    probe: bool,
    /// Never builds a plugin from source
    #[arg(long)]
    no_build: bool,
}

impl Check {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let mode = if self.probe { Mode::ReadWrite } else { Mode::ReadOnly };
        let project = place.project(&self.target, mode).await?;
        let (stop, observer) = (Stop::new(), ui.observer());
        let recipe = place.again(&self.target);
        let flags = [(self.connect, " --connect"), (self.probe, " --probe"), (self.no_build, " --no-build")];
        let flags: String = flags.iter().filter(|(said, _)| *said).map(|(_, flag)| *flag).collect();
        let again = format!("reindex check {recipe}{flags}");
        let events = observer.events();
        let work = project.job(!self.no_build, &events);
        let job = watched(ui, std::slice::from_ref(&observer), &stop, again, work).await?;
        job.check()?.iter().for_each(|finding| show(ui, finding));
        if self.connect {
            job.connect().await?.iter().for_each(|finding| show(ui, finding));
        }
        if self.probe {
            project.probe().await?.iter().for_each(|finding| show(ui, finding));
        }
        ui.ending("the recipe is sound", &format!("reindex run {recipe}"));
        Ok(Exit::Done)
    }
}

fn show(ui: Ui, finding: &Finding) {
    let word = if finding.attention { ui.err_style(YELLOW, "look") } else { ui.err_style(GREEN, "ok  ") };
    ui.say(&format!("{word} {}  {}", one_line(&finding.subject), paragraph(&finding.text)));
}
