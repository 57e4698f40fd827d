//! `reindex queue`

use std::io;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    exit::Exit,
    place::{Place, quoted},
    ui::Ui,
};
use crate::{
    backend::Mode,
    capability::queue,
    clock::{Clock, System},
    error::{Error, Result},
    observe::text::{clean, count, duration, first_line, number},
};

/// How many messages are sent at a time.
const AT_ONCE: usize = 100;

/// Looks into queues, and sends messages
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
    /// Sends a message, or each line of standard input as one
    #[command(after_help = "Examples:
  reindex queue send changes '{\"id\":\"p-1\"}'
  reindex queue send changes - < changes.jsonl")]
    Send {
        #[command(flatten)]
        named: Named,
        /// The message's text; `-` reads standard input
        body: String,
        /// The message's id; a queue that knows ids refuses one that it has seen [default: one of its own]
        #[arg(long, value_name = "ID", allow_hyphen_values = true)]
        id: Option<String>,
        /// How urgent it is; more is sooner
        #[arg(long, value_name = "N", default_value_t = 0)]
        priority: u8,
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
        let (Self::Peek { named, .. } | Self::Depth { named } | Self::Send { named, .. }) = &self;
        let mode = if matches!(self, Self::Send { .. }) { Mode::ReadWrite } else { Mode::ReadOnly };
        let servers = place.servers(named.env.as_deref(), mode).await?;
        let queue = servers.queue(&named.name)?;
        if mode == Mode::ReadOnly && queue.has_seen(None).await? == Some(false) {
            servers.is_meant(place, "queue", &named.name)?;
        }
        match self {
            Self::Depth { named } if named.json => ui.json(&queue.depth().await?),
            Self::Depth { .. } => text(&queue.depth().await?).iter().for_each(|line| ui.data(line)),
            Self::Peek { named, limit } => {
                ui.say(&format!("`{}`: {}", named.name, text(&queue.depth().await?).join(", ")));
                show(&queue.peek(limit).await?, named.json, ui);
            }
            Self::Send { named, body, id, priority } => {
                return send(&*queue, (place, &named), &body, (id, priority), ui).await;
            }
        }
        Ok(Exit::Done)
    }
}

async fn send(
    queue: &dyn queue::Queue,
    (place, named): (&Place, &Named),
    body: &str,
    (id, priority): (Option<String>, u8),
    ui: Ui,
) -> Result<Exit> {
    let bodies: Vec<String> = match body {
        "-" => io::stdin().lines().collect::<io::Result<Vec<_>>>().map_err(unreadable)?,
        body => vec![body.to_owned()],
    };
    let bodies: Vec<_> = bodies.into_iter().filter(|body| !body.trim().is_empty()).collect();
    if bodies.is_empty() {
        let what = if body == "-" { "standard input has no line with a message" } else { "the message is empty" };
        return Err(Error::usage(what).hint("nothing was sent; name the text of a message, or `-` and a line for each"));
    }
    if id.as_deref() == Some("") {
        return Err(
            Error::usage("a message cannot have an empty id").hint("leave out `--id`, and it gets one of its own")
        );
    }
    if id.is_some() && bodies.len() > 1 {
        return Err(
            Error::usage("several messages cannot have one id").hint("leave out `--id`, or send them one by one")
        );
    }
    let message = |body| Ok(queue::Message { id: id.clone().map_or_else(own_id, Ok)?, body, priority });
    let messages = bodies.into_iter().map(message).collect::<Result<Vec<_>>>()?;
    let repeated = match &id {
        Some(id) => queue.has_seen(Some(id)).await? == Some(true),
        None => false,
    };
    let (mut sent, mut refused) = (0, 0);
    for some in messages.chunks(AT_ONCE) {
        for (message, answer) in some.iter().zip(queue.send(some).await?) {
            let accepted = answer.is_ok() && !repeated;
            sent += u64::from(accepted);
            if let Err(error) = answer {
                refused += 1;
                ui.say(&format!("refused: {}: {}", first_line(&message.body), first_line(error.message())));
            }
            if named.json {
                ui.json(&json!({ "id": message.id, "sent": accepted }));
            }
        }
    }
    let repeats = if repeated { ": it has seen this id before, and a repeat changes nothing" } else { "" };
    let refusals = if refused > 0 { format!(", {} refused", number(refused)) } else { String::new() };
    ui.ending(
        &format!("sent {} to `{}`{refusals}{repeats}", count(sent, "message"), named.name),
        &format!("reindex queue peek {}{} shows what waits", quoted(&named.name), place.options(named.env.as_deref())),
    );
    Ok(if refused > 0 { Exit::Failures } else { Exit::Done })
}

fn unreadable(error: io::Error) -> Error {
    Error::usage("standard input cannot be read").because(error)
}

/// An id that no other message has.
fn own_id() -> Result<String> {
    let random = getrandom::u64().map_err(|error| Error::bug("the system gives no random bytes").because(error))?;
    Ok(format!("by-hand-{random:016x}"))
}

fn text(depth: &queue::Depth) -> Vec<String> {
    let mut lines = vec![format!("{} waiting", number(depth.waiting)), format!("{} in flight", number(depth.in_hand))];
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
