//! `reindex recipe` and `reindex environment`

use clap::Subcommand;

use super::{exit::Exit, ui::Ui};
use crate::error::Result;

/// Says what may stand in a recipe
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Recipe {
    /// Prints the JSON Schema of a recipe, for editors
    #[command(after_help = "Example:\n  reindex recipe schema > recipe.schema.json")]
    Schema,
    /// Prints every key with its default and what it is for
    #[command(after_help = "Example:\n  reindex recipe defaults")]
    Defaults,
}

/// Says what may stand in an environment
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Environment {
    /// Prints the JSON Schema of an environment, for editors
    #[command(after_help = "Example:\n  reindex environment schema > environment.schema.json")]
    Schema,
}

impl Environment {
    pub(super) fn run(self, ui: Ui) -> Result<Exit> {
        let Self::Schema = self;
        ui.data(&format!("{:#}", crate::environment::schema()));
        Ok(Exit::Done)
    }
}

impl Recipe {
    pub(super) fn run(self, ui: Ui) -> Result<Exit> {
        match self {
            Self::Schema => ui.data(&format!("{:#}", crate::recipe::schema())),
            Self::Defaults => ui.data(crate::recipe::DEFAULTS.trim_end()),
        }
        Ok(Exit::Done)
    }
}
