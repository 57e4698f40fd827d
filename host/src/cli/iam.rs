//! `reindex iam`

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{
    exit::Exit,
    place::{Place, Target},
    ui::Ui,
};
use crate::error::Result;

/// Prints the least a recipe has to be allowed: an IAM policy, and a role for each search cluster
///
/// Nothing is asked of any server: what the recipe does and what its environment says is all it needs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex iam recipes/persons.toml --env prod
  reindex iam recipes/persons.toml --env prod --only aws > policy.json")]
pub(super) struct Iam {
    #[command(flatten)]
    pub(super) target: Target,
    /// Only one of the two, as JSON that can be handed on
    #[arg(long, value_name = "WHAT")]
    only: Option<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The IAM policy
    Aws,
    /// The roles on the search clusters
    Search,
}

impl Iam {
    pub(super) fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let project = place.read(&self.target)?;
        let permissions = project.permissions();
        let wants = |part| self.only.is_none_or(|only| only == part);
        let nothing = permissions.policy.is_none() && permissions.roles.is_empty();
        if nothing {
            let name = &project.environment.name;
            ui.say(&format!(
                "environment `{name}` needs no permissions: nothing of it is on AWS or on a search cluster"
            ));
        }
        if let Some(policy) = permissions.policy.filter(|_| wants(Part::Aws)) {
            ui.say("IAM policy:");
            ui.data(&pretty(&policy));
        }
        for (cluster, role) in permissions.roles.iter().filter(|_| wants(Part::Search)) {
            ui.say(&format!("role on {cluster}:"));
            ui.data(&pretty(role));
        }
        Ok(Exit::Done)
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}
