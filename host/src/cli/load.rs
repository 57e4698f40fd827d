//! `reindex load`

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    time::Instant,
};

use clap::{Args, ValueEnum};
use flate2::read::MultiGzDecoder;

use super::{
    exit::Exit,
    place::{Place, Servers},
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
        text::{duration, first_line, number},
    },
    pipeline::Stop,
    record::Form,
};

/// How many records are put at a time.
const BATCH: usize = 1000;
/// How many bytes of records are put at a time, at most; a larger record goes alone.
const BATCH_BYTES: usize = 4 << 20;
/// The longest line; DynamoDB's own records are far below.
const LONGEST_LINE: usize = 64 << 20;
/// How many refused lines are shown; the others are counted.
const SHOWN: u64 = 10;

/// Fills a table from a JSON lines file
///
/// The table is made if it is not there; a record that is there already is replaced.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex load people recipes/sample/persons.jsonl
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
enum Format {
    Plain,
    DynamodbJson,
}

/// What came of the lines so far.
#[derive(Debug, Default)]
struct Tally {
    loaded: u64,
    refused: u64,
}

impl Load {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let servers = place.servers(self.env.as_deref(), Mode::ReadWrite)?;
        let mut lines = Lines::open(&self.file)?;
        let table = self.table(&servers, &mut lines).await?;
        let (stop, observer, begun) = (Stop::new(), ui.observer(), Instant::now());
        let again =
            format!("reindex load {} {} starts over, and changes nothing twice", self.resource, self.file.display());
        let mut tally = Tally::default();
        let work = self.fill(&*table, &mut lines, &mut tally, (ui, &observer, &stop));
        let ended = watched(ui, &observer, &stop, again.clone(), work).await;
        let refused =
            if tally.refused > 0 { format!(", {} lines refused", number(tally.refused)) } else { String::new() };
        let word = if matches!(ended, Ok(true)) { "loaded" } else { "stopped" };
        let line = format!(
            "{word}: {} records in table `{}`{refused} in {}",
            number(tally.loaded),
            self.resource,
            duration(begun.elapsed())
        );
        match ended {
            Ok(true) => {
                ui.ending(&line, &format!("run a recipe that reads `{}`: reindex run RECIPE", self.resource));
                Ok(if tally.refused > 0 { Exit::Failures } else { Exit::Done })
            }
            Ok(false) => {
                ui.ending(&line, &again);
                Ok(Exit::Stopped)
            }
            Err(error) => Err(error.with("loaded", number(tally.loaded))),
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
        let said = self.format.map(|format| match format {
            Format::Plain => Form::Plain,
            Format::DynamodbJson => Form::DynamodbJson,
        });
        let (key, form) = there.unwrap_or_else(|| (vec!["id".to_owned()], said.unwrap_or_default()));
        let (key, form) = (if self.key.is_empty() { key } else { self.key.clone() }, said.unwrap_or(form));
        if form == Form::Plain && said.is_none() && lines.starts_like_an_export()? {
            return Err(Error::usage("the file looks like a DynamoDB export: its first line is {\"Item\": …}")
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
            observer.events().send(Event::Waiting { reason: format!("{} records loaded", number(tally.loaded)) });
        }
        Ok(false)
    }
}

/// A line by its number, or why it cannot be a record.
type Line = (u64, Result<String, String>);

/// A stream of lines, plain or gzip.
struct Lines {
    name: String,
    from: Box<dyn BufRead + Send>,
    number: u64,
}

impl Lines {
    fn open(file: &Path) -> Result<Self> {
        let name = file.display().to_string();
        let cannot = |error| Error::usage("the file cannot be read").with("file", name.clone()).because(error);
        let raw: Box<dyn Read + Send> =
            if name == "-" { Box::new(io::stdin()) } else { Box::new(File::open(file).map_err(cannot)?) };
        let mut raw = BufReader::with_capacity(1 << 18, raw);
        let is_gzip = raw.fill_buf().map_err(cannot)?.starts_with(&[0x1f, 0x8b]);
        let from: Box<dyn BufRead + Send> =
            if is_gzip { Box::new(BufReader::with_capacity(1 << 18, MultiGzDecoder::new(raw))) } else { Box::new(raw) };
        Ok(Self { name, from, number: 0 })
    }

    fn starts_like_an_export(&mut self) -> Result<bool> {
        let name = self.name.clone();
        let start = self.from.fill_buf().map_err(|error| damaged(&name, 1, error))?;
        let start = String::from_utf8_lossy(&start[..start.len().min(64)]);
        let compact: String = start.split_whitespace().collect();
        Ok(compact.starts_with("{\"Item\":{"))
    }

    /// The next lines, without empty ones; none at the end.
    fn batch(&mut self) -> Result<Vec<Line>> {
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while lines.len() < BATCH && bytes < BATCH_BYTES {
            let Some(line) = self.next()? else { break };
            if line.as_ref().is_ok_and(|line| line.trim().is_empty()) {
                continue;
            }
            bytes += line.as_ref().map_or(0, String::len);
            lines.push((self.number, line));
        }
        Ok(lines)
    }

    fn next(&mut self) -> Result<Option<Result<String, String>>> {
        self.number += 1;
        let mut line = Vec::new();
        let most = LONGEST_LINE as u64 + 1;
        let read = (&mut self.from).take(most).read_until(b'\n', &mut line);
        read.map_err(|error| damaged(&self.name, self.number, error))?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.len() as u64 == most && line.last() != Some(&b'\n') {
            self.from.skip_until(b'\n').map_err(|error| damaged(&self.name, self.number, error))?;
            return Ok(Some(Err(format!("the line is longer than {LONGEST_LINE} bytes"))));
        }
        Ok(Some(String::from_utf8(line).map_err(|_| "the line is not UTF-8".to_owned())))
    }
}

fn damaged(name: &str, line: u64, error: io::Error) -> Error {
    Error::usage("the file cannot be read to its end")
        .with("file", format!("{name}, after line {}", line - 1))
        .because(error)
        .hint("what was read before is loaded; fetch the file again and load it once more")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Line> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        Lines::open(file.path()).unwrap().batch().unwrap()
    }

    #[test]
    fn lines_keep_their_numbers_whatever_is_empty_or_broken_between_them() {
        let read = lines(b"{}\n\n\xff\n{\"a\":1}");
        let numbers: Vec<_> = read.iter().map(|(number, line)| (*number, line.is_ok())).collect();
        assert_eq!(numbers, [(1, true), (3, false), (4, true)]);
    }

    #[test]
    fn gzip_is_recognised_and_a_cut_off_file_is_an_error() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all("{\"a\":1}\n".repeat(100).as_bytes()).unwrap();
        let bytes = encoder.finish().unwrap();
        assert_eq!(lines(&bytes).len(), 100);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes[..bytes.len() - 12]).unwrap();
        assert!(Lines::open(file.path()).unwrap().batch().is_err());
    }

    #[test]
    fn an_export_is_recognised_by_its_first_line() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b" {\"Item\": {\"id\":{\"S\":\"x\"}}}").unwrap();
        assert!(Lines::open(file.path()).unwrap().starts_like_an_export().unwrap());
    }
}
