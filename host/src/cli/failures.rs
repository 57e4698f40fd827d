//! `reindex failures`

use clap::{Args, builder::PossibleValuesParser};
use serde::Serialize;

use super::{
    exit::Exit,
    place::{Place, Target, quoted},
    retry::{open_states, states},
    ui::{BOLD, DIM, RED, Ui},
};
use crate::{
    backend::Mode,
    error::{Error, Kind, Result},
    ledger::{Filter, IdRow, Run, State},
    observe::text::{clean, count, first_line, number},
    run::Failures as Pages,
};

/// Lists the ids that are not done, each with its reason
///
/// Those of every run that left some, the newest first. `status` groups them; this lists them one by one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex failures recipes/persons.toml
  reindex failures recipes/persons.toml --id 0b5c3a4e-1f1d-4b6e-9c6b-0e8f5a2d7c11
  reindex failures recipes/persons.toml --state unknown-error --reason timeout --json > failed.jsonl

Exits with 0 if nothing is listed that failed, with 3 if something is, and with 2 if there is no such run or id.")]
pub(super) struct Failures {
    #[command(flatten)]
    pub(super) target: Target,
    /// Only ids in this state; may be repeated
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(open_states().map(State::word)))]
    state: Vec<String>,
    /// Only ids whose reason holds this text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
    /// Only this id, with its whole reason, such as a plugin's backtrace
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    id: Option<String>,
    /// Only ids of this run
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Prints one JSON object an id, with its whole reason
    #[arg(long)]
    json: bool,
}

/// A row, for programs.
#[derive(Serialize)]
struct Line<'a> {
    run: &'a str,
    id: &'a str,
    state: &'static str,
    reason: &'a str,
    group: &'a str,
    attempts: u32,
    version: Option<u64>,
    at: String,
    position: &'a str,
}

/// What was listed.
#[derive(Default)]
struct Listed {
    rows: u64,
    runs: u64,
    failed: u64,
    /// The first one, for the hint.
    first: Option<String>,
}

impl Failures {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let project = place.project(&self.target, Mode::ReadOnly).await?;
        let filter = Filter { states: states(&self.state), reason: self.reason.clone(), id: self.id.clone() };
        let mut pages = project.failures(self.run.as_deref(), filter).await?;
        let listed = self.list(&mut pages, ui).await?;
        let again = place.again(&self.target);
        match (&self.id, listed.rows) {
            (Some(id), 0) => return Err(self.none(id, &again)),
            (None, 0) => ui.ending(self.nothing(), &format!("reindex status {again}")),
            _ => ui.ending(&summary(&listed), &self.next(&listed, &again)),
        }
        Ok(if listed.failed > 0 { Exit::Failures } else { Exit::Done })
    }

    async fn list(&self, pages: &mut Pages, ui: Ui) -> Result<Listed> {
        let (mut listed, mut last) = (Listed::default(), String::new());
        while let Some((run, rows)) = pages.next().await? {
            if last != run.id {
                last.clone_from(&run.id);
                listed.runs += 1;
                ui.say(&format!("run {}, {}, began {}:", run.id, scope(run), run.started));
            }
            for row in &rows {
                listed.rows += 1;
                listed.failed += u64::from(row.state.is_failure());
                listed.first.get_or_insert_with(|| row.id.clone());
                self.show(ui, &run.id, row);
            }
        }
        Ok(listed)
    }

    fn show(&self, ui: Ui, run: &str, row: &IdRow) {
        let IdRow { position, id, state, reason, group, attempts, version, at } = row;
        let state = state.word();
        if self.json {
            let (version, at) = (*version, at.to_string());
            return ui.json(&Line { run, id, state, reason, group, attempts: *attempts, version, at, position });
        }
        let (name, word) = (clean(id).replace('\n', "\\n"), ui.style(RED, state));
        if self.id.is_none() {
            return ui.data(&format!("{name}  {word}  {}", first_line(reason)));
        }
        let version = version.map(|version| format!(", version {version}")).unwrap_or_default();
        let tried = ui.style(DIM, &format!("tried {}, last at {at}{version}", count((*attempts).into(), "time")));
        ui.data(&format!("{}  {word}  {tried}\n{}", ui.style(BOLD, &name), clean(reason)));
    }

    fn next(&self, listed: &Listed, again: &str) -> String {
        match (&self.id, &listed.first) {
            (None, Some(first)) => {
                format!("reindex failures {again} --id {} shows a whole reason", quoted(first))
            }
            _ => {
                let run = self.run.as_ref().map(|run| format!(" --run {run}")).unwrap_or_default();
                format!("reindex retry {again}{run}, after mending what the reason says")
            }
        }
    }

    fn nothing(&self) -> &'static str {
        let all = self.state.is_empty() && self.reason.is_none();
        if all { "no id is open" } else { "no open id is like that" }
    }

    fn none(&self, id: &str, again: &str) -> Error {
        Error::new(Kind::NotFound, "no run left this id open").with("id", clean(id)).hint(format!(
            "it is done, or was never read; `reindex failures {again}` lists what is open, and `reindex ids dump {again}` \
             the recipe's list of ids"
        ))
    }
}

fn scope(run: &Run) -> String {
    format!("{:?}", run.scope).to_lowercase()
}

fn summary(listed: &Listed) -> String {
    let runs = if listed.runs > 1 { format!(" in {} runs", number(listed.runs)) } else { String::new() };
    format!("{} ids are open{runs}, {} of them failed", number(listed.rows), number(listed.failed))
}
