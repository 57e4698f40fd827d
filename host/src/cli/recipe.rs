//! `reindex recipe`

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

impl Recipe {
    pub(super) fn run(self, ui: Ui) -> Result<Exit> {
        match self {
            Self::Schema => ui.data(&format!("{:#}", crate::recipe::schema())),
            Self::Defaults => ui.data(crate::recipe::DEFAULTS.trim_end()),
        }
        Ok(Exit::Done)
    }
}
