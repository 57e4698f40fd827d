//! `reindex plugin inspect`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{component, load};
use crate::{
    cli::{
        exit::Exit,
        ui::{DIM, Ui},
    },
    error::Result,
    observe::text::{clean, number},
};

/// Shows what a plugin says of itself: its entity, what it asks for, the indexes it fills
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex plugin inspect plugins/persons
  reindex plugin inspect persons.wasm --json")]
pub(in crate::cli) struct Inspect {
    /// A .wasm file, or a source directory, which is built
    plugin: PathBuf,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(super) async fn run(self, ui: Ui) -> Result<Exit> {
        let file = component(ui, &self.plugin).await?;
        let plugin = load(&file).await?;
        let about = plugin.description();
        if self.json {
            let indexes: Vec<_> = about
                .indexes
                .iter()
                .map(|index| {
                    let definition = serde_json::from_str::<serde_json::Value>(&index.body).unwrap_or_default();
                    json!({ "index": index.index, "definition": definition })
                })
                .collect();
            ui.json(&json!({
                "file": file, "entity": about.entity, "api": about.api_version, "digest": plugin.digest(),
                "bytes": plugin.size(), "asks": about.asks, "wishes": about.wishes, "indexes": indexes, "imports": plugin.imports(),
            }));
            return Ok(Exit::Done);
        }
        let row = |label: &str, value: &str| {
            ui.data(&format!("{} {}", ui.style(DIM, &format!("{label:<8}")), clean(value)));
        };
        row("entity", &about.entity);
        row("api", &about.api_version);
        row("file", &file.display().to_string());
        row("size", &format!("{} bytes", number(plugin.size())));
        row("digest", plugin.digest());
        about.asks.iter().for_each(|grant| row("asks", &format!("to {grant}")));
        about.wishes.iter().for_each(|grant| row("wishes", &format!("to {grant}")));
        about.indexes.iter().for_each(|index| {
            row("fills", &format!("`{}`, defined in {} bytes", index.index, number(index.body.len() as u64)));
        });
        plugin.imports().iter().for_each(|import| row("imports", import));
        Ok(Exit::Done)
    }
}
