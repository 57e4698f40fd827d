//! `reindex status`

use std::time::Duration;

use clap::Args;

use super::{
    exit::Exit,
    place::{Place, Target},
    ui::{BOLD, DIM, RED, Ui},
};
use crate::{
    backend::Mode,
    clock::{Clock, System},
    error::Result,
    ledger::{Counts, Group, Phase, Run, Scope},
    observe::text::{duration, first_line, megapixels, number, rate},
    run,
};

/// Shows how far the last run is, and why ids failed
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex status recipes/persons.toml
  reindex status recipes/persons.toml --json")]
pub(super) struct Status {
    #[command(flatten)]
    target: Target,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let project = place.project(&self.target, Mode::ReadOnly).await?;
        let Some(status) = project.status().await? else {
            if self.json {
                ui.json(&serde_json::Value::Null);
            }
            ui.ending("no run yet", &format!("reindex run {}", self.target.again()));
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
        ui.data(&format!("\n{} {}", ui.style(DIM, "next:"), next(&status, &self.target)));
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
    let head = format!("\n{state} × {}  {}", number(group.count), first_line(&group.group));
    format!("{head}\n  {} {}", ui.style(DIM, "such as"), examples.join(", "))
}

/// The flags without which another run would begin.
fn flags(run: &Run) -> String {
    match run.scope {
        Scope::Full => String::new(),
        Scope::Rebuild => " --rebuild".to_owned(),
        Scope::Loaded => " --loaded".to_owned(),
        Scope::Ids => " --ids FILE".to_owned(),
        Scope::Limit => run.identity.get("limit").map_or_else(String::new, |limit| format!(" --limit {limit}")),
    }
}

fn next(status: &run::Status, target: &Target) -> String {
    let again = target.again();
    match (status.run.phase, status.is_worked_on()) {
        (Phase::Running | Phase::Finishing, true) => format!("wait; reindex status {again} looks again"),
        (Phase::Finishing, false) if status.counts.failed + status.counts.waiting > 0 => format!(
            "reindex retry {again}, after mending what the reasons say; then reindex run {again}{}",
            flags(&status.run)
        ),
        (Phase::Running | Phase::Finishing, false) => {
            format!("reindex run {again}{} goes on from here", flags(&status.run))
        }
        _ if status.counts.failed + status.counts.waiting > 0 => {
            format!("reindex retry {again}, after mending what the reasons say")
        }
        _ => format!("nothing to mend; reindex run {again} starts the next run"),
    }
}
