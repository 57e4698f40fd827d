//! `reindex ids`, and the files of ids that other commands take.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use serde_json::json;

use super::{
    exit::Exit,
    lines::Lines,
    place::{Place, Target, quoted_path},
    ui::Ui,
};
use crate::{
    backend::Mode,
    error::{Error, Result},
    ledger::{
        Counts, Scope, State,
        list::{List, Loaded, Move},
    },
    observe::text::{first_line, number},
    run::Work,
};

/// How many refused lines are shown; the others are counted.
const SHOWN: u64 = 10;

/// The longest id, in bytes: what an index takes.
const LONGEST: usize = 512;

/// How many ids are read and moved at a time.
const PAGE: usize = 100;

/// Keeps a recipe's list of ids: which there are, and in which state
#[derive(Debug, Subcommand)]
pub(super) enum Ids {
    /// Adds the ids of a file, one a line; what is there already stays as it is
    #[command(after_help = "Example:\n  reindex ids load recipes/persons.toml ids.txt")]
    Load {
        #[command(flatten)]
        target: Target,
        /// The file, plain or gzip; `-` reads standard input
        file: PathBuf,
        /// Makes ids that are there already ready again
        #[arg(long)]
        reset: bool,
    },
    /// Counts the ids in each state
    #[command(after_help = "Example:\n  reindex ids status recipes/persons.toml")]
    Status {
        #[command(flatten)]
        target: Target,
        /// Prints one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Prints each id with its state, one a line
    #[command(after_help = "Example:\n  reindex ids dump recipes/persons.toml --state known-error > failed.txt")]
    Dump {
        #[command(flatten)]
        target: Target,
        /// Only ids in this state
        #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(State::ALL.map(State::word)))]
        state: Option<String>,
        /// Prints one JSON object an id, with reason and owner
        #[arg(long)]
        json: bool,
    },
    /// Makes ids ready again, such as those a dead worker had in hand
    #[command(after_help = "Example:\n  reindex ids reset recipes/persons.toml --state known-error")]
    Reset {
        #[command(flatten)]
        target: Target,
        /// Those in this state; may be repeated
        #[arg(long, value_name = "STATE", default_value = State::InProgress.word(),
            value_parser = PossibleValuesParser::new(State::ALL.map(State::word)))]
        state: Vec<String>,
        /// Only those whose reason holds this text
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, allow_hyphen_values = true)]
        reason: String,
    },
}

/// Which part of a source is worked on.
#[derive(Debug, Args)]
pub(super) struct Chosen {
    /// Only the first N records; leaves the progress of full runs alone
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Only the ids in this file, one a line; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "limit")]
    ids: Option<PathBuf>,
}

impl Chosen {
    /// The part; none if nothing was said.
    pub(super) fn work(&self) -> Result<Option<Work>> {
        Ok(match (&self.ids, self.limit) {
            (Some(ids), _) => Some(Work::Ids(read_ids(ids)?)),
            (None, limit) => limit.map(Work::Limit),
        })
    }

    /// The same options again.
    pub(super) fn flags(&self) -> String {
        match (&self.ids, self.limit) {
            (Some(ids), _) => format!(" --ids {}", quoted_path(ids)),
            (None, Some(limit)) => format!(" --limit {limit}"),
            (None, None) => String::new(),
        }
    }
}

impl Ids {
    /// The recipe it is about.
    pub(super) fn target(&self) -> &Target {
        match self {
            Self::Load { target, .. } | Self::Status { target, .. } | Self::Dump { target, .. } => target,
            Self::Reset { target, .. } => target,
        }
    }

    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        match self {
            Self::Load { target, file, reset } => {
                let list = place.project(&target, Mode::ReadWrite).await?.list()?;
                load(&*list, &file, reset, &place.again(&target), ui).await
            }
            Self::Status { target, json } => {
                let list = place.project(&target, Mode::ReadOnly).await?.list()?;
                status(&*list, json, &place.again(&target), ui).await
            }
            Self::Dump { target, state, json } => {
                let list = place.project(&target, Mode::ReadOnly).await?.list()?;
                dump(&*list, state.as_deref().and_then(State::from_word), json, ui).await
            }
            Self::Reset { target, state, reason } => {
                let list = place.project(&target, Mode::ReadWrite).await?.list()?;
                let mut moved = 0;
                for state in state.iter().filter_map(|word| State::from_word(word)) {
                    moved += reset(&*list, state, &reason).await?;
                }
                ui.ending(&format!("{} ids are ready again", number(moved)), &counted(&place.again(&target)));
                Ok(Exit::Done)
            }
        }
    }
}

fn counted(again: &str) -> String {
    format!("reindex ids status {again} counts them")
}

/// What came of the lines of a file, beside what came of their ids.
#[derive(Debug, Default)]
struct Tally {
    loaded: Loaded,
    refused: u64,
    duplicates: u64,
}

async fn load(list: &dyn List, file: &Path, reset: bool, again: &str, ui: Ui) -> Result<Exit> {
    let (mut lines, mut seen, mut tally) = (Lines::open(file)?, HashSet::new(), Tally::default());
    loop {
        let batch = lines.batch()?;
        if batch.is_empty() {
            break;
        }
        let mut ids = Vec::new();
        for (line, id) in batch {
            match id.and_then(|id| checked(&id)) {
                // A digest an id: a list of millions has to fit into memory.
                Ok(id) if seen.insert(blake3::hash(id.as_bytes())) => ids.push(id),
                Ok(_) => tally.duplicates += 1,
                Err(reason) => refuse(&mut tally, &format!("{}:{line}", file.display()), &reason, ui),
            }
        }
        let loaded = list.load(&ids, reset).await?;
        tally.loaded.added += loaded.added;
        tally.loaded.reset += loaded.reset;
        tally.loaded.kept += loaded.kept;
    }
    ui.ending(&summary(&tally, lines.blank()), &counted(again));
    Ok(if tally.refused > 0 { Exit::Failures } else { Exit::Done })
}

fn checked(line: &str) -> Result<String, String> {
    let id = line.trim();
    if id.len() > LONGEST {
        return Err(format!("the id has {} bytes; at most {LONGEST} are allowed", id.len()));
    }
    if id.chars().any(char::is_control) {
        return Err("the id holds a control character".to_owned());
    }
    Ok(id.to_owned())
}

fn refuse(tally: &mut Tally, place: &str, reason: &str, ui: Ui) {
    tally.refused += 1;
    if tally.refused <= SHOWN {
        ui.say(&format!("refused: {place}: {}", first_line(reason)));
    } else if tally.refused == SHOWN + 1 {
        ui.say("more lines are refused; they are counted, not shown");
    }
}

fn summary(tally: &Tally, blank: u64) -> String {
    let Loaded { added, reset, kept } = tally.loaded;
    let others = [
        (reset, "ready again"),
        (kept, "there already"),
        (tally.duplicates, "twice in the file"),
        (blank, "blank lines"),
        (tally.refused, "lines refused"),
    ];
    let others = others.iter().filter(|(count, _)| *count > 0);
    let others: String = others.map(|(count, words)| format!(", {} {words}", number(*count))).collect();
    format!("loaded: {} new ids{others}", number(added))
}

async fn status(list: &dyn List, json: bool, again: &str, ui: Ui) -> Result<Exit> {
    let counts = list.counts().await?;
    if json {
        let counts = counts.into_iter().map(|(state, count)| (state.word(), count));
        ui.json(&counts.collect::<BTreeMap<_, _>>());
        return Ok(Exit::Done);
    }
    for (state, count) in &counts {
        ui.data(&format!("{:<16}{:>12}", state.word(), number(*count)));
    }
    if counts.is_empty() {
        ui.ending("no ids yet", &format!("reindex ids load {again} FILE"));
    }
    Ok(Exit::Done)
}

async fn dump(list: &dyn List, state: Option<State>, json: bool, ui: Ui) -> Result<Exit> {
    let mut from = None;
    loop {
        let page = list.page(state, from.as_deref(), PAGE).await?;
        for id in page.ids {
            if json {
                ui.json(&json!({ "id": id.id, "state": id.state.word(), "reason": id.reason, "owner": id.owner }));
            } else {
                ui.data(&format!("{} {}", id.id, id.state.word()));
            }
        }
        from = page.next;
        if from.is_none() {
            return Ok(Exit::Done);
        }
    }
}

async fn reset(list: &dyn List, state: State, reason: &str) -> Result<u64> {
    let (mut from, mut moved) = (None, 0);
    loop {
        let page = list.page(Some(state), from.as_deref(), PAGE).await?;
        let ready = |found| Move { found, state: State::Ready, reason: String::new(), owner: None };
        let moves: Vec<_> = page.ids.into_iter().filter(|listed| listed.reason.contains(reason)).map(ready).collect();
        moved += list.shift(&moves).await?.into_iter().map(u64::from).sum::<u64>();
        from = page.next;
        if from.is_none() {
            return Ok(moved);
        }
    }
}

/// What is in which state, as the last line of a run says it.
pub(super) fn words(counts: &BTreeMap<State, u64>) -> String {
    let each = counts.iter().map(|(state, count)| format!("{} {}", number(*count), state.word()));
    format!("in the list: {}", each.reduce(|all, one| format!("{all}, {one}")).unwrap_or_else(|| "no ids".to_owned()))
}

/// How a run that worked through a list exits, and what to do next.
pub(super) fn left(counts: &BTreeMap<State, u64>, again: &str) -> (Exit, String) {
    if counts.contains_key(&State::Ready) || counts.contains_key(&State::InProgress) {
        return (Exit::Stopped, format!("reindex run {again} --loaded goes on with what is ready"));
    }
    match counts.keys().find(|state| state.is_failure()) {
        Some(state) => (Exit::Failures, format!("reindex ids dump {again} --state {} --json says why", state.word())),
        None => (Exit::Done, counted(again)),
    }
}

/// Whether ids were named and the source has none of them.
pub(super) fn none_found(scope: Scope, counts: &Counts) -> bool {
    scope == Scope::Ids && counts.read > 0 && counts.not_found == counts.read
}

/// Reads ids, one a line; one that comes again counts once.
fn read_ids(file: &Path) -> Result<Vec<String>> {
    let (mut lines, mut ids, mut seen) = (Lines::open(file)?, Vec::new(), HashSet::new());
    let name = lines.name();
    loop {
        let batch = lines.batch()?;
        if batch.is_empty() {
            break;
        }
        for (number, id) in batch {
            let id = id.map_err(|reason| Error::usage(format!("line {number} of {name} is no id: {reason}")))?;
            if seen.insert(blake3::hash(id.trim().as_bytes())) {
                ids.push(id.trim().to_owned());
            }
        }
    }
    if ids.is_empty() {
        return Err(Error::usage(format!("{name} holds no ids")).hint("write one id a line"));
    }
    Ok(ids)
}
