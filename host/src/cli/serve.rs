//! `reindex serve`

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use super::{
    exit::Exit,
    place::{Place, Target, quoted, quoted_path},
    signals::watched,
    ui::Ui,
};
use crate::{
    backend::Mode,
    clock::System,
    error::{Error, Result},
    observe::{Metrics, Observer},
    pipeline::Stop,
    run::Project,
    serve::{Health, Listener, Service, Setting, routes},
};

/// The address unless one is named.
const LISTEN: &str = "127.0.0.1:9464";

/// The address that is none.
const NOWHERE: &str = "none";

/// Keeps recipes going: runs them at their times, or as requests and messages come
///
/// A recipe with `[schedule]` runs at its times; one that reads requests or a queue works on them as they come. What
/// fails is said and tried again in time. SIGTERM or Ctrl-C ends it after what is in flight, with exit code 0.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex serve recipes/pyramid.toml
  reindex serve pyramid-s3 persons --env prod --listen 0.0.0.0:9464 --log json
  curl --fail http://127.0.0.1:9464/readyz")]
pub(super) struct Serve {
    /// The recipes: files, or their names among the recipes
    #[arg(required = true, value_name = "RECIPE")]
    recipes: Vec<PathBuf>,
    /// The environment; without it each recipe's own, or `local`
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Where it answers /livez, /readyz and /metrics: an address, with port 0 for any that is free, or `none`
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN)]
    listen: String,
    /// Never builds a plugin from source; the recipes must name .wasm files
    #[arg(long)]
    no_build: bool,
}

impl Serve {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let (stop, clock) = (Stop::new(), Arc::new(System));
        let (health, metrics) = (Health::new(&stop), Metrics::new(clock.clone()));
        let (projects, mut wrong) = self.projects(place).await;
        let observers: Vec<_> = projects.iter().map(|project| ui.observer_of(&project.recipe.name)).collect();
        let hear = |(project, observer): (Project, &Observer)| {
            let events = metrics.of(&project.recipe.name, observer.events());
            (project, events)
        };
        let recipes = projects.into_iter().zip(&observers).map(hear).collect();
        let setting = Setting { may_build: !self.no_build, clock, health, stop: stop.clone() };
        let work = async {
            // Signals are heard by now, so that a supervisor that sees the listener can stop the service.
            if self.listen != NOWHERE {
                let listener = Listener::open(&self.listen).await?;
                ui.say(&format!("listening on http://{}, for /livez, /readyz and /metrics", listener.address()));
                tokio::spawn(listener.answer(routes(setting.health.clone(), metrics.clone())));
            }
            match Service::open(recipes, &setting).await {
                Ok(service) if wrong.is_empty() => service.run().await.map(|()| Exit::Done),
                opened => {
                    wrong.extend(opened.err().into_iter().flatten());
                    wrong.iter().for_each(|error| ui.error(error));
                    Ok(Exit::Usage)
                }
            }
        };
        watched(ui, &observers, &stop, self.again(place), work).await
    }

    /// Reads every recipe and its environment; and what is wrong with those that cannot be read.
    async fn projects(&self, place: &Place) -> (Vec<Project>, Vec<Error>) {
        let (mut projects, mut wrong) = (Vec::new(), Vec::new());
        for recipe in &self.recipes {
            let target = Target { recipe: recipe.clone(), env: self.env.clone() };
            match place.project(&target, Mode::ReadWrite).await {
                Ok(project) => projects.push(project),
                Err(error) => wrong.push(error),
            }
        }
        (projects, wrong)
    }

    /// The command that goes on.
    fn again(&self, place: &Place) -> String {
        let recipes: String = self.recipes.iter().map(|recipe| format!(" {}", quoted_path(recipe))).collect();
        let listen = if self.listen == LISTEN { String::new() } else { format!(" --listen {}", quoted(&self.listen)) };
        let no_build = if self.no_build { " --no-build" } else { "" };
        format!("reindex serve{recipes}{}{listen}{no_build} goes on from here", place.options(self.env.as_deref()))
    }
}
