//! `reindex retry`

use clap::{Args, builder::PossibleValuesParser};

use super::{
    exit::Exit,
    place::{Place, Target},
    run::Show,
    ui::Ui,
};
use crate::{
    backend::Mode,
    error::Result,
    ledger::{Filter, State},
};

/// Tries again what failed in the last run
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex retry recipes/persons.toml
  reindex retry recipes/persons.toml --state unknown-error")]
pub(super) struct Retry {
    #[command(flatten)]
    target: Target,
    /// Only ids in this state; may be repeated
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(open_states().map(State::word)))]
    state: Vec<String>,
    /// Only ids that failed for this reason, as `status` prints it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Never builds a plugin from source
    #[arg(long)]
    no_build: bool,
}

/// The states of ids that are not done.
fn open_states() -> impl Iterator<Item = State> {
    State::ALL.into_iter().filter(|state| state.is_failure() || matches!(state, State::Ready | State::NotFound))
}

impl Retry {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let project = place.project(&self.target, Mode::ReadWrite).await?;
        let states = self.state.iter().filter_map(|word| State::from_word(word)).collect();
        let filter = Filter { states, group: self.reason };
        let resume = format!("reindex retry {} goes on with the rest", self.target.again());
        let show = Show::new(place, ui, resume);
        let work = async {
            let job = project.job(!self.no_build, &show.events()).await?;
            job.retry(filter, &show.events(), show.stop()).await
        };
        show.through(work, &project, &self.target).await
    }
}
