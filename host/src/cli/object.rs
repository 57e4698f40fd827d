//! `reindex object`

use clap::Subcommand;
use serde_json::json;

use super::{exit::Exit, place::Place, ui::Ui};
use crate::{
    backend::Mode,
    capability::storage::Omissions,
    error::Result,
    observe::text::{count, number, one_line},
};

/// How many objects are listed at a time.
const PAGE: usize = 1000;

/// Looks into buckets
#[derive(Debug, Subcommand)]
pub(super) enum Object {
    /// Lists objects by key, with their sizes
    #[command(after_help = "Examples:\n  reindex object ls images\n  reindex object ls images digital/ --json")]
    Ls {
        /// The bucket, as recipes name it
        bucket: String,
        /// What the keys begin with
        #[arg(default_value = "", hide_default_value = true)]
        prefix: String,
        /// Lists at most N objects
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
        /// Prints JSON objects, one a line
        #[arg(long)]
        json: bool,
        /// The environment
        #[arg(long, value_name = "NAME")]
        env: Option<String>,
    },
}

impl Object {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let Self::Ls { bucket: name, prefix, limit, json, env } = self;
        let servers = place.servers(env.as_deref(), Mode::ReadOnly).await?;
        // A bucket that no file binds is a folder of the embedded default.
        let bound = servers.bound(&name)?;
        let bucket = servers.backends.bucket(&name, bound)?;
        if bound.is_none() && bucket.list("", None, 1).await?.objects.is_empty() {
            servers.is_meant(place, "bucket", &name)?;
        }
        let (limit, mut listed, mut after) = (limit.unwrap_or(usize::MAX), 0, None::<String>);
        let mut omissions = Omissions::default();
        while listed < limit {
            let page = bucket.list(&prefix, after.as_deref(), PAGE.min(limit - listed)).await?;
            for entry in page.omitted {
                omissions.add(entry);
            }
            for object in page.objects.into_iter().take(limit - listed) {
                listed += 1;
                if json {
                    ui.json(&json!({ "key": object.key, "bytes": object.size, "etag": object.etag }));
                } else {
                    ui.data(&format!("{:>14}  {}", number(object.size), one_line(&object.key)));
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        omissions.lines().iter().for_each(|line| ui.say(&one_line(line)));
        ui.say(&count(listed as u64, "object"));
        Ok(Exit::Done)
    }
}
