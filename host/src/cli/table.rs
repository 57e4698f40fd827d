//! `reindex table`

use std::sync::Arc;

use clap::{Args, Subcommand};

use super::{
    exit::Exit,
    json::pretty,
    load::Format,
    place::{Place, Servers, quoted},
    ui::Ui,
};
use crate::{
    backend::Mode,
    capability::storage::{Segment, Table as Records},
    error::{Error, Kind, Result},
    observe::text::{self, clean, number},
    record::Form,
};

/// Makes a table, shows its records, and removes some
///
/// `reindex load TABLE FILE` puts records into it.
#[derive(Debug, Subcommand)]
pub(super) enum Table {
    /// Makes an empty table, such as one that a plugin writes records to
    #[command(after_help = "Example:\n  reindex table create totals --key pk --key sk")]
    Create {
        #[command(flatten)]
        named: Named,
        /// The attribute that is the key; repeated for a composite key [default: id]
        #[arg(long, value_name = "NAME")]
        key: Vec<String>,
        /// How its records are written [default: plain, or as the service has them]
        #[arg(long, value_name = "FORMAT")]
        format: Option<Format>,
    },
    /// Prints records by key, or the first ones; as JSON, one a line
    #[command(after_help = "Examples:\n  reindex table get people p-1\n  reindex table get people --limit 3")]
    Get {
        #[command(flatten)]
        named: Named,
        /// The records' keys; of a composite key the JSON list of its values
        key: Vec<String>,
        /// Prints at most N records where no key is named
        #[arg(long, value_name = "N", default_value_t = 10, conflicts_with = "key")]
        limit: usize,
    },
    /// Removes records by key
    #[command(after_help = "Example:\n  reindex table delete people p-1")]
    Delete {
        #[command(flatten)]
        named: Named,
        /// The records' keys; of a composite key the JSON list of its values
        #[arg(required = true)]
        key: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The table, as recipes name it
    table: String,
    /// The environment
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
}

impl Named {
    async fn servers(&self, place: &Place, mode: Mode) -> Result<Servers> {
        place.servers(self.env.as_deref(), mode).await
    }

    fn open(&self, servers: &Servers) -> Result<Arc<dyn Records>> {
        servers.backends.table(&self.table, servers.config(&self.table)?)
    }

    /// The options that name the same environment again.
    fn options(&self, place: &Place) -> String {
        place.options(self.env.as_deref())
    }

    fn missing(&self, place: &Place, keys: &[&String]) -> Error {
        let shown: Vec<_> = keys.iter().map(|key| clean(key)).collect();
        Error::new(Kind::NotFound, format!("table `{}` has no such record", self.table))
            .with("key", shown.join("\n"))
            .hint(format!("`reindex table get {}` shows the first records", quoted(&self.table) + &self.options(place)))
    }
}

impl Table {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        match self {
            Self::Create { named, key, format } => create(&named, key, format, place, ui).await,
            Self::Get { named, key, limit } => {
                let table = named.open(&named.servers(place, Mode::ReadOnly).await?)?;
                if key.is_empty() {
                    first(&*table, limit, ui).await
                } else {
                    get(&named, place, &*table, &key, ui).await
                }
            }
            Self::Delete { named, key } => {
                let table = named.open(&named.servers(place, Mode::ReadWrite).await?)?;
                delete(&named, place, &*table, &key, ui).await
            }
        }
    }
}

async fn create(named: &Named, key: Vec<String>, format: Option<Format>, place: &Place, ui: Ui) -> Result<Exit> {
    let servers = named.servers(place, Mode::ReadWrite).await?;
    let config = servers.config(&named.table)?;
    let key = if key.is_empty() { vec!["id".to_owned()] } else { key };
    let typed = config.is_some_and(|config| config.word() == "dynamodb");
    let own = if typed { Form::DynamodbJson } else { Form::Plain };
    let form = format.map_or(own, Form::from);
    servers.backends.create_table(&named.table, config, &key, form).await?;
    let next = format!("reindex load {} FILE{} puts records into it", quoted(&named.table), named.options(place));
    ui.ending(&format!("table `{}` is there, with the key {}", named.table, key.join(" and ")), &next);
    Ok(Exit::Done)
}

async fn get(named: &Named, place: &Place, table: &dyn Records, keys: &[String], ui: Ui) -> Result<Exit> {
    let found = table.get_many(keys).await?;
    found.iter().flatten().for_each(|body| show(body, ui));
    let missing: Vec<_> = keys.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(key, _)| key).collect();
    if missing.is_empty() { Ok(Exit::Done) } else { Err(named.missing(place, &missing)) }
}

async fn first(table: &dyn Records, limit: usize, ui: Ui) -> Result<Exit> {
    let (mut after, mut shown) = (None, 0);
    while shown < limit {
        let page = table.read(Segment { number: 0, total: 1 }, after.as_deref(), limit - shown).await?;
        let rows = page.rows.iter().take(limit - shown);
        shown += rows.map(|row| show(&row.body, ui)).count();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let count = table.info().await?.count.map_or_else(|| "an unknown number".to_owned(), number);
    ui.say(&format!("{} of {count} records shown", number(shown as u64)));
    Ok(Exit::Done)
}

async fn delete(named: &Named, place: &Place, table: &dyn Records, keys: &[String], ui: Ui) -> Result<Exit> {
    let removed = table.remove_many(keys).await?;
    let missing: Vec<_> = keys.iter().zip(&removed).filter(|(_, removed)| !**removed).map(|(key, _)| key).collect();
    let count = (keys.len() - missing.len()) as u64;
    ui.say(&format!("removed {} of table `{}`", text::count(count, "record"), named.table));
    if missing.is_empty() { Ok(Exit::Done) } else { Err(named.missing(place, &missing)) }
}

/// Pretty for eyes; one line a record for programs, as the table holds it.
fn show(body: &[u8], ui: Ui) {
    let text = String::from_utf8_lossy(body);
    if ui.eyes {
        ui.data(clean(&pretty(&text)).trim_end());
    } else {
        ui.data(text.trim_end());
    }
}
