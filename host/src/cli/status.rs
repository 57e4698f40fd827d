//! `reindex status`

use std::time::Duration;

use clap::Args;

use super::{
    exit::Exit,
    place::{Place, Target},
    run::resume,
    ui::{BOLD, DIM, RED, Ui},
};
use crate::{
    backend::Mode,
    clock::{Clock, System},
    error::Result,
    ledger::{Counts, Group, Phase, Run, Scope},
    observe::text::{clean, duration, first_line, megapixels, number, one_line, rate},
    run,
};

/// Shows how far a run is, why ids failed, and which other runs left ids open
///
/// Without --run the newest over the whole source while anything of it is open, else the newest that left ids open, else
/// the newest.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex status recipes/persons.toml
  reindex status recipes/persons.toml --json
  reindex status recipes/persons.toml --run 20261120T101500.123-a1b2c3")]
pub(super) struct Status {
    #[command(flatten)]
    pub(super) target: Target,
    /// Looks at this run [default: the one that needs looking after]
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let project = place.project(&self.target, Mode::ReadOnly).await?;
        let again = place.again(&self.target);
        let Some(status) = project.status(self.run.as_deref()).await? else {
            if self.json {
                ui.json(&serde_json::Value::Null);
            }
            let place = one_line(&project.environment.database.display().to_string());
            ui.ending(&format!("no run yet in {place}"), &format!("reindex run {again}"));
            return Ok(Exit::Done);
        };
        if self.json {
            ui.json(&status);
            return Ok(Exit::Done);
        }
        ui.data(&headline(ui, &status));
        for line in amounts(&status.run, &status.counts) {
            ui.data(&line);
        }
        for worker in &status.workers {
            ui.data(&at_work(ui, worker));
        }
        for group in &status.groups {
            ui.data(&failure(ui, group));
        }
        if !status.others.is_empty() {
            ui.data("");
            status.others.iter().for_each(|open| ui.data(&other(ui, open)));
        }
        ui.data(&format!("\n{} {}", ui.style(DIM, "next:"), next(&status, self.run.as_ref(), &again)));
        Ok(Exit::Done)
    }
}

fn headline(ui: Ui, status: &run::Status) -> String {
    let run = &status.run;
    let by = match (status.pid, status.workers.len()) {
        (Some(pid), _) => format!("pid {pid}"),
        (None, 1) => "1 worker".to_owned(),
        (None, workers) => format!("{workers} workers"),
    };
    let phase = match run.phase {
        Phase::Finished => "finished".to_owned(),
        Phase::Abandoned => "given up for a fresh one".to_owned(),
        Phase::Running | Phase::Finishing if !status.is_worked_on() => "stopped".to_owned(),
        Phase::Running => format!("running ({by})"),
        Phase::Finishing => format!("finishing ({by})"),
    };
    let end = run.ended.unwrap_or_else(|| System.now());
    let took = Duration::try_from(end.duration_since(run.started)).unwrap_or_default();
    let since = if run.ended.is_some() { "took" } else { "began" };
    let ago = if run.ended.is_some() { "" } else { " ago" };
    let head = format!("{}  run {}  {phase}, {since} {}{ago}", ui.style(BOLD, &run.recipe), run.id, duration(took));
    // A stopped run's time holds the pause, too: it says nothing of the speed.
    let working = run.phase == Phase::Finished || status.is_worked_on();
    let seconds = took.as_secs_f64();
    if working && seconds > 0.0 { format!("{head}, {}/s", rate(status.counts.read as f64 / seconds)) } else { head }
}

/// One line a count, with the numbers under each other.
fn amounts(run: &Run, counts: &Counts) -> Vec<String> {
    let always = [("read", counts.read), ("documents", counts.documents), ("failed", counts.failed)];
    let sometimes = [
        ("deletions", counts.deletions),
        ("records", counts.records),
        ("objects", counts.objects),
        ("renditions", counts.renditions),
        ("megapixels", megapixels(counts.pixels)),
        ("messages", counts.messages),
        ("newer already there", counts.newer_there),
        ("skipped", counts.skipped),
        ("not found", counts.not_found),
        ("waiting", counts.waiting),
    ];
    let all = always.into_iter().chain(sometimes.into_iter().filter(|(_, count)| *count > 0));
    let of = |word| match run.total {
        Some(total) if word == "read" && total != counts.read => format!(" of {}", number(total)),
        _ => String::new(),
    };
    all.map(|(word, count)| format!("  {word:<20}{:>12}{}", number(count), of(word))).collect()
}

/// A worker that died stands here until another takes over; one whose beats grow from look to look lives.
fn at_work(ui: Ui, worker: &run::Worker) -> String {
    let segments: Vec<_> = worker.segments.iter().map(u32::to_string).collect();
    let segments = (!segments.is_empty()).then(|| format!("segments {}", segments.join(", ")));
    let retries = worker.retries.then(|| "tries again what failed".to_owned());
    let steps = worker.steps.then(|| "opens or closes the run".to_owned());
    let does: Vec<_> = [segments, retries, steps].into_iter().flatten().collect();
    let beats = ui.style(DIM, &format!("({} beats)", number(worker.beats)));
    format!("  worker {}  {}  {beats}", worker.owner, does.join(", "))
}

fn failure(ui: Ui, group: &Group) -> String {
    let examples: Vec<_> = group.examples.iter().map(|id| first_line(id)).collect();
    let state = ui.style(RED, group.state.word());
    let head = format!("\n{state} × {}  {}", number(group.count), clean(&group.group));
    format!("{head}\n  {} {}", ui.style(DIM, "such as"), examples.join(", "))
}

fn other(ui: Ui, open: &run::Open) -> String {
    let counts = [(open.failed, "failed"), (open.waiting, "waiting")];
    let counts =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{} {word}", number(*count)));
    let scope = format!("{:?}", open.scope).to_lowercase();
    let counts = ui.style(RED, &counts.collect::<Vec<_>>().join(", "));
    format!("also open: run {}  {scope}, began {}  {counts}", open.run, open.started)
}

fn next(status: &run::Status, named: Option<&String>, again: &str) -> String {
    let run = &status.run;
    let is_open = status.counts.failed + status.counts.waiting > 0;
    let this = named.map(|run| format!(" --run {run}")).unwrap_or_default();
    let retry =
        format!("reindex failures {again} --run {} lists them; reindex retry {again}{this}, once mended", run.id);
    if let (Some(how), true, false) =
        (&status.source_changed, is_open || run.phase != Phase::Finished, status.is_worked_on())
    {
        let run = format!("the source changed since ({how}), so nothing is tried again; reindex run {again} --fresh");
        return format!("{run} reads what is there now");
    }
    match (run.phase, status.is_worked_on()) {
        (Phase::Running | Phase::Finishing, true) => format!("wait; reindex status {again} looks again"),
        _ if is_open && run.scope == Scope::Loaded && run.phase == Phase::Finished => {
            format!("reindex ids dump {again} --json says why; reindex ids reset {again} --state STATE, once mended")
        }
        (Phase::Finishing, false) if is_open && run.scope != Scope::Loaded => {
            format!("{retry}; then {}", resume(run, again))
        }
        (Phase::Running | Phase::Finishing, false) => resume(run, again),
        _ if is_open => retry,
        _ => match status.others.first() {
            Some(open) => format!("reindex failures {again} --run {} lists what is open there", open.run),
            None => format!("nothing to mend; reindex run {again} starts the next run"),
        },
    }
}
