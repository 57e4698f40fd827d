//! `reindex completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, exit::Exit, ui::Ui};
use crate::error::Result;

/// Prints a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex completions bash > ~/.local/share/bash-completion/completions/reindex
  reindex completions fish > ~/.config/fish/completions/reindex.fish")]
pub(super) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, ui: Ui) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "reindex", &mut script);
        ui.data(String::from_utf8_lossy(&script).trim_end());
        Ok(Exit::Done)
    }
}
