//! `reindex serve`

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use super::{
    exit::Exit,
    place::{Place, Target},
    signals::watched,
    ui::Ui,
};
use crate::{
    backend::Mode,
    clock::System,
    error::{Error, Result},
    event::Events,
    observe::{Metrics, Observer},
    pipeline::Stop,
    run::Project,
    serve::{Door, Health, Service, Setting},
};

/// The address that stands for none.
const NOWHERE: &str = "none";

/// Keeps recipes going: runs them at their times, or as requests and messages come
///
/// A recipe with `[schedule]` runs at its times; one that reads `requests` or a `queue` works on them as they come.
/// What fails is said and tried again; SIGTERM or Ctrl-C ends it after what is in flight.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex serve recipes/masters.toml
  reindex serve masters persons --env prod --listen 0.0.0.0:9464 --log json
  curl --fail http://127.0.0.1:9464/readyz")]
pub(super) struct Serve {
    /// The recipes: files, or their names among the recipes
    #[arg(required = true, value_name = "RECIPE")]
    recipes: Vec<PathBuf>,
    /// The environment; without it each recipe's own, or `local`
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Where it answers /livez, /readyz and /metrics: an address, with port 0 for any that is free, or `none`
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9464")]
    listen: String,
    /// Never builds a plugin from source; the recipes must name .wasm files
    #[arg(long)]
    no_build: bool,
}

impl Serve {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let (stop, clock) = (Stop::new(), Arc::new(System));
        let (health, metrics) = (Health::new(&stop), Metrics::new(clock.clone()));
        if self.listen != NOWHERE {
            let door = Door::open(&self.listen).await?;
            ui.say(&format!("listening on http://{} (/livez, /readyz, /metrics)", door.address()));
            tokio::spawn(door.answer(health.clone(), metrics.clone()));
        }
        let (projects, wrong) = self.projects(place).await;
        let mut observers = vec![ui.observer_of(None)];
        observers.extend(projects.iter().map(|project| ui.observer_of(Some(&project.recipe.name))));
        let heard = projects.into_iter().zip(&observers[1..]).map(|(project, observer)| hear(project, observer, &metrics));
        let (heard, setting) = (heard.collect(), Setting { may_build: !self.no_build, clock, health, stop: stop.clone() });
        let work = async {
            let opened = Service::open(heard, &setting).await;
            let wrong: Vec<_> = wrong.into_iter().chain(opened.as_ref().err().into_iter().flatten()).collect();
            ...
        };
        watched(ui, &observers, &stop, self.again(), work).await
    }
}
