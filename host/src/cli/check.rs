//! `reindex check`

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use super::{
    exit::Exit,
    place::{Place, Target},
    signals::watched,
    ui::{GREEN, Ui, YELLOW},
};
use crate::{
    backend::Mode,
    error::{Error, Result},
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
  reindex check recipes/persons.toml --env dev --connect
  reindex check recipes/persons.toml --json | jq '.mistakes[] | .line, .key'

All mistakes of the recipe and of its environment are named at once; then those of its grants and of the plugin's
settings. With --json they are one object: {\"sound\": false, \"mistakes\": [{\"message\", \"place\", \"line\", \"key\", \"hint\"}],
\"findings\": [{\"subject\", \"text\", \"attention\"}]}.")]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) target: Target,
    /// Also asks the servers what they are; changes nothing
    #[arg(long)]
    connect: bool,
    /// Also proves each endpoint on scratch resources of its own, which are removed again; on AWS they cost a little
    #[arg(long)]
    probe: bool,
    /// Prints mistakes and findings as one JSON object, for editors and CI
    #[arg(long)]
    json: bool,
    /// Never builds a plugin from source
    #[arg(long)]
    no_build: bool,
}

/// What was found, for programs.
#[derive(Serialize)]
struct Answer<'a> {
    sound: bool,
    mistakes: Vec<Mistake<'a>>,
    findings: &'a [Finding],
}

/// A mistake, for programs.
#[derive(Serialize)]
struct Mistake<'a> {
    message: &'a str,
    /// File, line and column.
    place: Option<&'a str>,
    line: Option<usize>,
    key: Option<&'a str>,
    hint: Option<&'a str>,
    context: BTreeMap<&'a str, &'a str>,
}

impl<'a> Mistake<'a> {
    fn of(error: &'a Error) -> Self {
        let context = error.context().iter().map(|(label, value)| (*label, value.as_str())).collect::<BTreeMap<_, _>>();
        let place = ["recipe", "environment"].iter().find_map(|label| context.get(label).copied());
        let (message, line, key, hint) = (error.message(), error.line(), error.key(), error.hint_text());
        Self { message, place, line, key, hint, context }
    }
}

impl Check {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let mut findings = Vec::new();
        let looked = self.look(place, ui, &mut findings).await;
        if !self.json {
            looked?;
            ui.ending("the recipe is sound", &format!("reindex run {}", place.again(&self.target)));
            return Ok(Exit::Done);
        }
        let mistakes = looked.as_ref().err().into_iter().flat_map(Error::each).map(Mistake::of).collect();
        ui.json(&Answer { sound: looked.is_ok(), mistakes, findings: &findings });
        Ok(looked.map_or_else(|error| error.kind().into(), |()| Exit::Done))
    }

    async fn look(&self, place: &Place, ui: Ui, findings: &mut Vec<Finding>) -> Result<()> {
        let mut found = |some: Vec<Finding>| {
            some.iter().filter(|_| !self.json).for_each(|finding| show(ui, finding));
            findings.extend(some);
        };
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
        found(job.check()?);
        if self.connect {
            found(job.connect().await?);
        }
        if self.probe {
            found(project.probe().await?);
        }
        Ok(())
    }
}

fn show(ui: Ui, finding: &Finding) {
    let word = if finding.attention { ui.err_style(YELLOW, "look") } else { ui.err_style(GREEN, "ok  ") };
    ui.say(&format!("{word} {}  {}", one_line(&finding.subject), paragraph(&finding.text)));
}
