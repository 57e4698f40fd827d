//! A service: recipes that run at their times, or as requests and messages come, for as long as it is kept going.
//!
//! Each recipe has a loop of its own (`keeper`), one for events if there is somebody who tells of new objects
//! (`taker`), and one that looks at the queue it reads, if it reads one (`backlog`). What fails in one is said, tried
//! again in time, and touches no other. When a recipe is due is told from its ledger alone (`due`), so several
//! processes may keep the same recipes going: no two begin a run of one recipe, and a time is worked off once.

mod backlog;
mod due;
mod health;
mod heart;
mod http;
mod keeper;
mod taker;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::future::join_all;
use tokio::task::JoinSet;

pub use health::Health;
pub use http::Door;

use crate::{
    clock::Clock,
    error::{Error, Kind, Result},
    event::Events,
    pipeline::Stop,
    run::Project,
};
use keeper::Keeper;

/// How long to wait at most before what failed is tried again.
const AWAY: Duration = Duration::from_secs(300);

/// What all recipes of a service share.
#[derive(Clone)]
pub struct Setting {
    /// Whether plugins may be built from source.
    pub may_build: bool,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where each loop shows how it is.
    pub health: Health,
    /// Who may ask it to stop.
    pub stop: Stop,
}

/// Recipes that are to be kept going.
pub struct Service(Vec<Keeper>);

impl Service {
    /// Opens recipes, each with whoever hears of it. One whose servers are away is opened later.
    ///
    /// *Errors*: everything a person has to mend, of all the recipes; then none is kept going.
    pub async fn open(recipes: Vec<(Project, Events)>, setting: &Setting) -> Result<Self, Vec<Error>> {
        let mut wrong = Vec::from_iter(twice(&recipes));
        let open = |(project, events): (Project, Events)| async {
            let path = project.recipe.path.display().to_string();
            Keeper::open(project, events, setting).await.map_err(|error| named(error, path))
        };
        let mut keepers = Vec::new();
        for opened in join_all(recipes.into_iter().map(open)).await {
            match opened {
                Ok(keeper) => keepers.push(keeper),
                Err(error) => wrong.push(error),
            }
        }
        if wrong.is_empty() { Ok(Self(keepers)) } else { Err(wrong) }
    }

    /// Keeps the recipes going until it is asked to stop; what is in flight then is ended, and written down.
    ///
    /// *Errors*: a loop broke, which is a fault of this program.
    pub async fn run(self) -> Result<()> {
        let mut loops = JoinSet::new();
        for keeper in self.0 {
            keeper.start(&mut loops);
        }
        while let Some(ended) = loops.join_next().await {
            ended.map_err(|error| Error::new(Kind::Bug, "a loop of the service broke").because(error))?;
        }
        Ok(())
    }
}

/// An error that says which of the recipes it is about.
fn named(error: Error, path: String) -> Error {
    let is_named = error.context().iter().any(|(label, _)| *label == "recipe");
    if is_named { error } else { error.with("recipe", path) }
}

/// Recipes of one name would take each other's runs for their own.
fn twice(recipes: &[(Project, Events)]) -> Option<Error> {
    let mut names = BTreeSet::new();
    let (project, _) = recipes.iter().find(|(project, _)| !names.insert(&project.recipe.name))?;
    let (name, path) = (&project.recipe.name, project.recipe.path.display().to_string());
    Some(Error::usage(format!("two of the recipes are called `{name}`")).with("recipe", path).hint("name each once"))
}
