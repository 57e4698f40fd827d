//! `reindex load`

use std::{path::PathBuf, time::Instant};

use clap::{Args, ValueEnum};

use super::{
    exit::Exit,
    lines::Lines,
    place::{Place, Servers, quoted, quoted_path},
    signals::watched,
    ui::Ui,
};
use crate::{
    backend::Mode,
    capability::storage::Table,
    error::{Error, Kind, Result},
    event::Event,
    observe::{
        Observer,
        text::{count, duration, first_line, number},
    },
    pipeline::Stop,
    record::Form,
};

/// How many refused lines are shown; the others are counted.
const SHOWN: u64 = 10;

/// Fills a table from a JSON lines file
///
/// The table is made if it is not there; a record that is there already is replaced.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex load people recipes/sample/people.jsonl --format dynamodb-json
  zcat export/*.json.gz | reindex load people - --format dynamodb-json")]
pub(super) struct Load {
    /// The table, as recipes name it
    resource: String,
    /// The file, plain or gzip; `-` reads standard input
    file: PathBuf,
    /// The attribute that is the key of a new table; repeated for a composite key [default: id]
    #[arg(long, value_name = "NAME")]
    key: Vec<String>,
    /// How the lines are written [default: as the table has them, or plain]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// The environment
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Plain,
    DynamodbJson,
}

impl From<Format> for Form {
    fn from(format: Format) -> Self {
        match format {
            Format::Plain => Self::Plain,
            Format::DynamodbJson => Self::DynamodbJson,
        }
    }
}

/// What came of the lines so far.
#[derive(Debug, Default)]
struct Tally {
    loaded: u64,
    refused: u64,
}

impl Load {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let servers = place.servers(self.env.as_deref(), Mode::ReadWrite).await?;
        let mut lines = Lines::open(&self.file)?;
        let table = self.table(&servers, &mut lines).await?;
        let (stop, observer, begun) = (Stop::new(), ui.observer(), Instant::now());
        let again = format!("{} starts over, and changes nothing twice", self.again(place));
        let mut tally = Tally::default();
        let work = self.fill(&*table, &mut lines, &mut tally, (ui, &observer, &stop));
        let ended = watched(ui, std::slice::from_ref(&observer), &stop, again.clone(), work).await;
        let refused =
            if tally.refused > 0 { format!(", {} refused", count(tally.refused, "line")) } else { String::new() };
        let word = if matches!(ended, Ok(true)) { "loaded" } else { "stopped" };
        let line = format!(
            "{word}: {} in table `{}`{refused} in {}",
            count(tally.loaded, "record"),
            self.resource,
            duration(begun.elapsed())
        );
        match ended {
            Ok(true) => {
                ui.ending(&line, &self.next(place));
                Ok(if tally.refused > 0 { Exit::Failures } else { Exit::Done })
            }
            Ok(false) => {
                ui.ending(&line, &again);
                Ok(Exit::Stopped)
            }
            Err(error) => Err(error.with("loaded", number(tally.loaded))),
        }
    }

    /// The same command.
    fn again(&self, place: &Place) -> String {
        let keys: String = self.key.iter().map(|key| format!(" --key {}", quoted(key))).collect();
        let format = self.format.and_then(|format| format.to_possible_value());
        let format = format.map(|format| format!(" --format {}", format.get_name())).unwrap_or_default();
        let (resource, file) = (quoted(&self.resource), quoted_path(&self.file));
        format!("reindex load {resource} {file}{keys}{format}{}", place.options(self.env.as_deref()))
    }

    /// Runs a recipe that reads the table.
    fn next(&self, place: &Place) -> String {
        let options = place.options(self.env.as_deref());
        match place.recipe_that(|recipe| recipe.source.table() == Some(&self.resource)) {
            Some(recipe) => format!("reindex run {recipe}{options}"),
            None => format!("run a recipe that reads `{}`: reindex run RECIPE{options}", self.resource),
        }
    }

    /// The table, made if it is not there.
    async fn table(&self, servers: &Servers, lines: &mut Lines) -> Result<std::sync::Arc<dyn Table>> {
        let config = servers.config(&self.resource)?;
        let table = servers.backends.table(&self.resource, config)?;
        let there = match table.key().await {
            Ok(key) => Some((key, table.info().await?.form)),
            Err(error) if error.kind() == Kind::NotFound => None,
            Err(error) => return Err(error),
        };
        let said = self.format.map(Form::from);
        let (key, form) = there.unwrap_or_else(|| (vec!["id".to_owned()], said.unwrap_or_default()));
        let (key, form) = (if self.key.is_empty() { key } else { self.key.clone() }, said.unwrap_or(form));
        if form == Form::Plain && said.is_none() && lines.starts_like_an_export()? {
            return Err(Error::usage("the file looks like a DynamoDB export: its first line is {\"Item\": …}")
                .with("file", self.file.display().to_string())
                .hint("say so with `--format dynamodb-json`, or insist with `--format plain`"));
        }
        if form == Form::Plain && said.is_none() && lines.starts_typed()? {
            return Err(Error::usage(
                "the file looks like DynamoDB's JSON: each attribute of its first line says its type",
            )
            .with("file", self.file.display().to_string())
            .hint("say so with `--format dynamodb-json`, or insist with `--format plain`"));
        }
        servers.backends.create_table(&self.resource, config, &key, form).await?;
        Ok(table)
    }

    /// Answers whether the file is at its end.
    async fn fill(
        &self,
        table: &dyn Table,
        lines: &mut Lines,
        tally: &mut Tally,
        (ui, observer, stop): (Ui, &Observer, &Stop),
    ) -> Result<bool> {
        let refuse = |tally: &mut Tally, line: u64, reason: &str| {
            tally.refused += 1;
            if tally.refused <= SHOWN {
                let text = format!("refused: {}:{line}: {}", self.file.display(), first_line(reason));
                observer.aside(&mut || ui.say(&text));
            } else if tally.refused == SHOWN + 1 {
                observer.aside(&mut || ui.say("more lines are refused; they are counted, not shown"));
            }
        };
        while !stop.is_asked() {
            let batch = lines.batch()?;
            if batch.is_empty() {
                return Ok(true);
            }
            let (numbers, records): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .filter_map(|(number, line)| match line {
                    Ok(record) => Some((number, record)),
                    Err(reason) => {
                        refuse(tally, number, &reason);
                        None
                    }
                })
                .unzip();
            for (number, answer) in numbers.into_iter().zip(table.put_many(&records).await?) {
                match answer {
                    Ok(()) => tally.loaded += 1,
                    Err(error) => refuse(tally, number, error.message()),
                }
            }
            observer.events().send(Event::Waiting { reason: format!("{} loaded", count(tally.loaded, "record")) });
        }
        Ok(false)
    }
}
