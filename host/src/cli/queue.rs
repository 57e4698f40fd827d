//! `reindex queue`

use clap::{Args, Subcommand};
use serde_json::json;

use super::{exit::Exit, place::Place, ui::Ui};
use crate::{
    backend::Mode,
    capability::queue,
    clock::{Clock, System},
    error::Result,
    observe::text::{clean, duration, first_line, number},
};

/// Looks into queues
#[derive(Debug, Subcommand)]
pub(super) enum Queue {
    /// Shows the next messages of a queue without taking them
    #[command(after_help = "Example:\n  reindex queue peek changes --limit 3")]
    Peek {
        #[command(flatten)]
        named: Named,
        /// Shows at most N messages
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: usize,
    },
    /// Shows how much is in a queue, and how far behind it is
    #[command(after_help = "Example:\n  reindex queue depth changes --json")]
    Depth {
        #[command(flatten)]
        named: Named,
    },
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The queue, as recipes name it
    name: String,
    /// Prints JSON objects, one a line
    #[arg(long)]
    json: bool,
    /// The environment
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
}

impl Queue {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let (Self::Peek { named, .. } | Self::Depth { named }) = &self;
        let queue = place.servers(named.env.as_deref(), Mode::ReadOnly).await?.queue(&named.name)?;
        let depth = queue.depth().await?;
        match self {
            Self::Depth { named } if named.json => ui.json(&depth),
            Self::Depth { .. } => text(&depth).iter().for_each(|line| ui.data(line)),
            Self::Peek { named, limit } => {
                ui.say(&format!("`{}`: {}", named.name, text(&depth).join(", ")));
                show(&queue.peek(limit).await?, named.json, ui);
            }
        }
        Ok(Exit::Done)
    }
}

fn text(depth: &queue::Depth) -> Vec<String> {
    let mut lines =
        vec![format!("{} waiting", number(depth.waiting)), format!("{} in somebody's hands", number(depth.in_hand))];
    lines.extend(depth.dead.map(|dead| format!("{} among the dead letters", number(dead))));
    if let Some(oldest) = depth.oldest {
        let age = System.now().duration_since(oldest).try_into().unwrap_or_default();
        lines.push(format!("the oldest was sent {} ago", duration(age)));
    }
    lines
}

fn show(messages: &[queue::Message], json: bool, ui: Ui) {
    for message in messages {
        if json || !ui.eyes {
            ui.json(&json!({ "id": message.id, "priority": message.priority, "body": message.body }));
        } else {
            let (id, body) = (first_line(&message.id), clean(&message.body));
            ui.data(&format!("{id}  priority {}  {body}", message.priority));
        }
    }
}
