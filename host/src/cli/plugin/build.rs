//! `reindex plugin build`

use std::path::PathBuf;

use clap::Args;

use super::{built, cargo};
use crate::{
    cli::{exit::Exit, place::quoted_path, ui::Ui},
    error::Result,
};

/// Builds a plugin from its source and prints where the .wasm is
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  reindex plugin build plugins/persons")]
pub(in crate::cli) struct Build {
    /// The plugin's directory, which holds its Cargo.toml
    dir: PathBuf,
}

impl Build {
    pub(super) async fn run(self, ui: Ui) -> Result<Exit> {
        ui.say(&format!("running {}", cargo::command(&self.dir)));
        let built = built(ui, &self.dir).await?;
        ui.data(&built.wasm.display().to_string());
        let word = if built.fresh { "up to date" } else { "built" };
        ui.ending(word, &format!("reindex plugin test {}", quoted_path(&self.dir)));
        Ok(Exit::Done)
    }
}
