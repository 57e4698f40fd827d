//! A service: recipes that run on schedule, or as requests and messages come, until it is stopped.
//!
//! Each recipe has a loop of its own (`supervisor`), one for events if new objects are notified (`intake_loop`), and
//! one that measures the queue it reads, if it reads one (`backlog`). A failure in one loop is reported and retried,
//! and affects no other. Only the ledger of a recipe decides when it is due (`due`), so several processes may serve the
//! same recipes: no two begin a run of one recipe, and each scheduled time is done once.

mod backlog;
mod due;
mod health;
mod http;
mod intake_loop;
mod liveness;
mod supervisor;

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use tokio::{
    task::{JoinError, JoinSet},
    time::sleep,
};

pub use health::Health;
pub use http::{Listener, routes};

use crate::{
    clock::Clock,
    error::{Error, Kind, Result},
    event::Events,
    pipeline::Stop,
    run::Project,
};
use supervisor::Supervisor;

/// The longest pause before a retry.
const AWAY: Duration = Duration::from_secs(300);

/// What all recipes of a service share.
#[derive(Clone)]
pub struct Setting {
    /// Whether plugins may be built from source.
    pub may_build: bool,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where each loop shows its health.
    pub health: Health,
    /// The request to stop.
    pub stop: Stop,
}

/// How long to wait for all recipes to open before the open ones begin. The others begin when they are open.
const PATIENCE: Duration = Duration::from_secs(10);

/// Recipes that are served.
pub struct Service {
    open: Vec<Supervisor>,
    /// Recipes that are still being opened, each in a task of its own.
    opening: JoinSet<Opened>,
}

/// A recipe by its index, and the error of opening it.
type Opened = (usize, Supervisor, Result<()>);

impl Service {
    /// Opens recipes, each with the listener of its events. A recipe whose servers are unreachable is opened later.
    ///
    /// *Errors*: everything that the user has to fix, of all the recipes; then no recipe is served.
    pub async fn open(recipes: Vec<(Project, Events)>, setting: &Setting) -> Result<Self, Vec<Error>> {
        let twice = twice(&recipes);
        let (mut open, mut opening, mut wrong) = (Vec::new(), JoinSet::new(), BTreeMap::new());
        for (at, (project, events)) in recipes.into_iter().enumerate() {
            let path = project.recipe.path.display().to_string();
            match Supervisor::new(project, events, setting) {
                Ok(supervisor) => drop(opening.spawn(opened(at, supervisor))),
                Err(error) => drop(wrong.insert(at, named(error, path))),
            }
        }
        let patience = sleep(PATIENCE);
        let mut patience = pin!(patience);
        while let Some(ended) = tokio::select! {
            ended = opening.join_next() => ended,
            () = &mut patience => None,
        } {
            match ended {
                Ok((_, supervisor, Ok(()))) => open.push(supervisor),
                Ok((at, supervisor, Err(error))) => {
                    wrong.insert(at, named(error, supervisor.path().display().to_string()));
                }
                Err(error) => return Err(vec![broke(error)]),
            }
        }
        let wrong: Vec<_> = twice.into_iter().chain(wrong.into_values()).collect();
        if wrong.is_empty() { Ok(Self { open, opening }) } else { Err(wrong) }
    }

    /// Serves the recipes until it is asked to stop; work in flight is then finished and committed.
    ///
    /// *Errors*: a loop panicked, which is a bug.
    pub async fn run(mut self) -> Result<()> {
        let mut going = JoinSet::new();
        for supervisor in self.open {
            going.spawn(supervisor.go());
        }
        loop {
            tokio::select! {
                Some(opened) = self.opening.join_next() => {
                    let (_, supervisor, opened) = opened.map_err(broke)?;
                    if let Err(error) = opened {
                        supervisor.complain(&error);
                    }
                    going.spawn(supervisor.go());
                }
                Some(ended) = going.join_next() => ended.map_err(broke)?.map_err(broke)?,
                else => return Ok(()),
            }
        }
    }
}

async fn opened(at: usize, supervisor: Supervisor) -> Opened {
    let (supervisor, opened) = supervisor.open().await;
    (at, supervisor, opened)
}

fn broke(error: JoinError) -> Error {
    Error::new(Kind::Bug, "a loop of the service broke").because(error)
}

/// Adds the recipe to an error.
fn named(error: Error, path: String) -> Error {
    let is_named = error.context().iter().any(|(label, _)| *label == "recipe");
    if is_named { error } else { error.with("recipe", path) }
}

/// Two recipes of one name would mistake each other's runs for their own.
fn twice(recipes: &[(Project, Events)]) -> Option<Error> {
    let mut names = BTreeSet::new();
    let (project, _) = recipes.iter().find(|(project, _)| !names.insert(&project.recipe.name))?;
    let (name, path) = (&project.recipe.name, project.recipe.path.display().to_string());
    Some(Error::usage(format!("two of the recipes are called `{name}`")).with("recipe", path).hint("name each once"))
}
