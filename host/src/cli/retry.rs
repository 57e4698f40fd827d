//! `reindex retry`

use clap::{Args, builder::PossibleValuesParser};

use super::{
    exit::Exit,
    place::{Place, Target, quoted},
    run::Show,
    ui::Ui,
};
use crate::{
    backend::Mode,
    error::Result,
    ledger::{Filter, State},
};

/// Tries again what failed
///
/// In the newest run over the whole source; if nothing failed there, in the newest run that left ids open.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex retry recipes/persons.toml
  reindex retry recipes/persons.toml --state unknown-error
  reindex retry recipes/persons.toml --run 20261120T101500.123-a1b2c3 --reason 'tenures[#].id is missing'

Exits with 0 if nothing of the run is open any more, with 3 if ids failed, and with 4 if some wait to be tried again.")]
pub(super) struct Retry {
    #[command(flatten)]
    pub(super) target: Target,
    /// Only ids in this state; may be repeated
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(open_states().map(State::word)))]
    state: Vec<String>,
    /// Only ids whose reason, or whose group as `status` prints it, holds this text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
    /// Only this id
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    id: Option<String>,
    /// What failed in this run
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Never builds a plugin from source
    #[arg(long)]
    no_build: bool,
}

/// The states of ids that are not done.
pub(super) fn open_states() -> impl Iterator<Item = State> {
    State::ALL.into_iter().filter(|state| state.is_failure() || matches!(state, State::Ready | State::NotFound))
}

/// The states that were named.
pub(super) fn states(words: &[String]) -> Vec<State> {
    words.iter().filter_map(|word| State::from_word(word)).collect()
}

impl Retry {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let project = place.project(&self.target, Mode::ReadWrite).await?;
        let again = self.again(place);
        let filter = Filter { states: states(&self.state), reason: self.reason, id: self.id };
        let show = Show::new(place, ui, &self.target, format!("{again} goes on with the rest"));
        let work = async {
            let job = project.job(!self.no_build, &show.events()).await?;
            job.retry(self.run.as_deref(), filter, &show.events(), show.stop()).await
        };
        show.retried(work, &project, &again).await
    }

    /// The same command.
    fn again(&self, place: &Place) -> String {
        let states = self.state.iter().map(|state| format!(" --state {state}")).collect::<String>();
        let texts = [("reason", &self.reason), ("id", &self.id), ("run", &self.run)];
        let texts = texts.iter().filter_map(|(name, text)| Some(format!(" --{name} {}", quoted(text.as_ref()?))));
        let no_build = if self.no_build { " --no-build" } else { "" };
        format!("reindex retry {}{states}{}{no_build}", place.again(&self.target), texts.collect::<String>())
    }
}
