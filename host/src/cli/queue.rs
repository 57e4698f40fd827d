//! `reindex queue`

use clap::Subcommand;
use serde_json::json;

use super::{exit::Exit, place::Place, ui::Ui};
use crate::{
    backend::Mode,
    error::Result,
    observe::text::{clean, first_line, number},
};

/// Looks into queues
#[derive(Debug, Subcommand)]
pub(super) enum Queue {
    /// Shows the next messages of a queue without taking them
    #[command(after_help = "Example:\n  reindex queue peek changes --limit 3")]
    Peek {
        /// The queue, as recipes name it
        name: String,
        /// Shows at most N messages
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: usize,
        /// Prints one JSON object a message
        #[arg(long)]
        json: bool,
        /// The environment
        #[arg(long, value_name = "NAME")]
        env: Option<String>,
    },
}

impl Queue {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let Self::Peek { name, limit, json, env } = self;
        let queue = place.servers(env.as_deref(), Mode::ReadOnly).await?.queue(&name)?;
        let (depth, messages) = (queue.depth().await?, queue.peek(limit).await?);
        ui.say(&format!("{} in `{name}`, waiting or in somebody's hands", number(depth)));
        for message in messages {
            if json || !ui.eyes {
                ui.json(&json!({ "id": message.id, "priority": message.priority, "body": message.body }));
            } else {
                ui.data(&format!(
                    "{}  priority {}  {}",
                    first_line(&message.id),
                    message.priority,
                    clean(&message.body)
                ));
            }
        }
        Ok(Exit::Done)
    }
}
