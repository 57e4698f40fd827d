//! `reindex run`

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use clap::Args;

use super::{
    diff,
    exit::Exit,
    place::{Place, Target},
    signals::watched,
    ui::Ui,
};
use crate::{
    error::{Error, Result},
    observe::text::{Ending, ending},
    run::{self, DiffOptions, Options, Project, Scope, Stop, Summary},
};

/// Rebuilds an index: reads the source, maps each record, writes the documents
///
/// A run that was stopped, or killed, goes on where it was.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex run recipes/persons.toml
  reindex run recipes/persons.toml --dry-run --limit 100
  reindex run recipes/persons.toml --rebuild --env dev")]
pub(super) struct Run {
    #[command(flatten)]
    target: Target,
    /// Reads and maps, but writes nothing; says what a run would do
    #[arg(long, conflicts_with_all = ["fresh", "rebuild"])]
    dry_run: bool,
    /// Only the first N records; leaves the progress of full runs alone
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Only the ids in this file, one a line; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "limit")]
    ids: Option<std::path::PathBuf>,
    /// Begins anew instead of going on with an unfinished run
    #[arg(long)]
    fresh: bool,
    /// Fills a new index and then swaps it in, in one step
    #[arg(long, conflicts_with_all = ["limit", "ids"])]
    rebuild: bool,
    /// Removes the old index after the swap
    #[arg(long, requires = "rebuild")]
    drop_old: bool,
    /// Never builds a plugin from source; the recipe must name a .wasm file, or be built already
    #[arg(long)]
    no_build: bool,
}

impl Run {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let project = place.project(&self.target)?;
        let ids = self.ids.as_deref().map(read_ids).transpose()?;
        let (stop, observer) = (Stop::new(), ui.observer());
        let again = format!("reindex run {}", self.target.again());
        if self.dry_run {
            let options = DiffOptions { limit: self.limit, ids };
            let work = run::diff(&project, options, observer.events(), stop.clone(), drop);
            let summary = watched(ui, &observer, &stop, format!("{again} --dry-run"), work).await?;
            return Ok(diff::say(ui, &summary, &self.target, false));
        }
        let resume = format!("{again}{} goes on from here", self.flags());
        let work = run::run(&project, self.options(ids), observer.events(), stop.clone());
        let summary = watched(ui, &observer, &stop, resume.clone(), work).await?;
        Ok(say(ui, &project, &self.target, &summary, &resume))
    }

    /// The flags that the same run needs again; `--fresh` would give it up.
    fn flags(&self) -> String {
        let limit = self.limit.map(|limit| format!(" --limit {limit}"));
        let ids = self.ids.as_ref().map(|ids| format!(" --ids {}", ids.display()));
        let rebuild = self.rebuild.then(|| " --rebuild".to_owned());
        let drop_old = self.drop_old.then(|| " --drop-old".to_owned());
        [limit, ids, rebuild, drop_old].into_iter().flatten().collect()
    }

    fn options(&self, ids: Option<Vec<String>>) -> Options {
        let scope = match (ids, self.limit) {
            (Some(ids), _) => Scope::Ids(ids),
            (None, Some(limit)) => Scope::Limit(limit),
            (None, None) if self.rebuild => Scope::Rebuild { drop_old: self.drop_old },
            (None, None) => Scope::Full,
        };
        Options { scope, fresh: self.fresh, no_build: self.no_build }
    }
}

/// Says how a run ended, truthfully, and what to do next.
pub(super) fn say(ui: Ui, project: &Project, target: &Target, summary: &Summary, resume: &str) -> Exit {
    let Summary { finished, counts, elapsed, .. } = *summary;
    let line = ending(&Ending { run: Some(&summary.run), finished, counts, elapsed });
    let status = format!("reindex status {}", target.again());
    let (exit, next) = match (finished, counts.failed, project.indexes.first()) {
        (false, ..) => (Exit::Stopped, resume.to_owned()),
        (true, 1.., _) => (Exit::Failures, format!("{status} shows what failed, and why")),
        (true, 0, Some(index)) => (Exit::Done, format!("reindex search {index} WORDS")),
        (true, 0, None) => (Exit::Done, status),
    };
    ui.ending(&line, &next);
    exit
}

/// Reads ids, one a line.
pub(super) fn read_ids(file: &Path) -> Result<Vec<String>> {
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => io::stdin().read_to_string(&mut text).map(drop),
        _ => fs::read_to_string(file).map(|read| text = read),
    };
    read.map_err(|error| Error::usage(format!("cannot read the ids from {}", file.display())).because(error))?;
    let ids: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if ids.is_empty() {
        return Err(Error::usage(format!("{} holds no ids", file.display())).hint("write one id a line"));
    }
    Ok(ids)
}
