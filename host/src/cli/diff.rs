//! `reindex diff`, and `reindex run --dry-run`

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::{
    exit::Exit,
    ids::{Chosen, none_found},
    place::{Place, Target},
    signals::watched,
    ui::{BOLD, DIM, GREEN, RED, Ui, YELLOW},
};
use crate::{
    backend::Mode,
    error::Result,
    ledger::{Counts, Scope},
    observe::text::{clean, duration, megapixels, number, one_line},
    pipeline::{Change, Difference, Stop, Tally},
    run::Work,
};

/// Shows what a run would change, field by field
///
/// Nothing is written. `--dry-run` of `run` tells the numbers alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex diff recipes/persons.toml --limit 100
  reindex diff recipes/persons.toml --json > differences.jsonl

Exits with 0 when a run would change nothing, and with 7 when it would. Fields that documents have and a run would not
write are named at the end with the number of documents; with --json as a last line {\"lost\": {index: {field: documents}}}.")]
pub(super) struct Diff {
    #[command(flatten)]
    pub(super) target: Target,
    #[command(flatten)]
    chosen: Chosen,
    /// Prints one JSON object a changed document
    #[arg(long)]
    json: bool,
    /// Never builds a plugin from source
    #[arg(long)]
    no_build: bool,
}

/// How differences are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
}

impl Diff {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let form = if self.json { Form::Json } else { Form::Text };
        compare(place, ui, &self.target, &self.chosen, !self.no_build, Some(form)).await
    }
}

/// Compares what a run would write with what is there. Without a form only the numbers are told: a dry run.
pub(super) async fn compare(
    place: &Place,
    ui: Ui,
    target: &Target,
    chosen: &Chosen,
    may_build: bool,
    form: Option<Form>,
) -> Result<Exit> {
    let work = chosen.work()?.unwrap_or(Work::Full);
    let scope = work.scope();
    let project = place.project(target, Mode::ReadOnly).await?;
    let (stop, observer, begun) = (Stop::new(), ui.observer(), Instant::now());
    let each = |difference: Difference| {
        observer.aside(&mut || match form {
            None => {}
            Some(Form::Json) => ui.json(&difference),
            Some(Form::Text) => show(ui, &difference),
        });
    };
    let recipe = place.again(target);
    let again = format!("reindex {} {recipe}{}", if form.is_some() { "diff" } else { "run --dry-run" }, chosen.flags());
    let events = observer.events();
    let work = async {
        let job = project.job(may_build, &events).await?;
        job.diff(work, &events, &stop, each).await
    };
    let tally = watched(ui, std::slice::from_ref(&observer), &stop, again, work).await?;
    if form == Some(Form::Json) && !tally.lost.is_empty() {
        ui.json(&json!({ "lost": tally.lost }));
    }
    for (index, fields) in &tally.lost {
        fields.iter().for_each(|(field, documents)| ui.say(&loss(ui, index, field, *documents)));
    }
    ui.ending(&line(&tally, begun.elapsed()), &next(&tally, &format!("{recipe}{}", chosen.flags())));
    Ok(exit(&tally, form, scope))
}

fn exit(tally: &Tally, form: Option<Form>, scope: Scope) -> Exit {
    match form {
        _ if none_found(scope, &tally.counts) => Exit::Failures,
        Some(_) if !tally.is_equal() => Exit::Differences,
        _ if tally.counts.failed > 0 => Exit::Failures,
        _ => Exit::Done,
    }
}

fn next(tally: &Tally, again: &str) -> String {
    let Counts { records, objects, messages, .. } = tally.counts;
    match (tally.is_equal(), records + objects + messages) {
        (true, 0) => "nothing to do; a run would leave every document as it is".to_owned(),
        (true, _) => format!("reindex run {again} leaves every document as it is, and does the rest"),
        (false, _) => format!("reindex run {again}"),
    }
}

/// The last line: what a run would do.
fn line(tally: &Tally, elapsed: Duration) -> String {
    let Tally { counts, added, changed, same, removed, lost } = tally;
    let fields = lost.values().map(|fields| fields.len() as u64).sum();
    let always = [(counts.read, "read"), (*added, "to add"), (*changed, "to change"), (*same, "as they are")];
    let sometimes = [
        (*removed, "to remove"),
        (fields, "fields to lose"),
        (counts.records, "records to put"),
        (counts.objects, "objects to touch"),
        (counts.renditions, "renditions to make"),
        (megapixels(counts.pixels), "megapixels"),
        (counts.messages, "messages to send"),
        (counts.skipped, "skipped"),
        (counts.not_found, "not found"),
        (counts.waiting, "undecidable now"),
    ];
    let shown = always.into_iter().chain(sometimes.into_iter().filter(|(count, _)| *count > 0));
    let all = shown.chain([(counts.failed, "failed")]).map(|(count, word)| format!("{} {word}", number(count)));
    format!("nothing was changed: {} in {}", all.collect::<Vec<_>>().join(", "), duration(elapsed))
}

/// A field that a run would lose.
fn loss(ui: Ui, index: &str, field: &str, documents: u64) -> String {
    let word = ui.err_style(RED, "lost:");
    format!(
        "{word} {} documents of `{index}` have the field `{}`, and would have it no longer",
        number(documents),
        clean(field)
    )
}

fn show(ui: Ui, difference: &Difference) {
    let document = ui.style(BOLD, &format!("{}/{}", difference.index, one_line(&difference.id)));
    let (style, word, fields) = match &difference.change {
        Change::Added => (GREEN, "added", [].as_slice()),
        Change::Removed => (RED, "removed", [].as_slice()),
        Change::Changed(fields) => (YELLOW, "changed", fields.as_slice()),
    };
    ui.data(&format!("{document}  {}", ui.style(style, word)));
    let value = |raw: &Option<Box<serde_json::value::RawValue>>| {
        raw.as_ref().map_or_else(|| ui.style(DIM, "nothing"), |raw| clean(raw.get()))
    };
    for field in fields {
        ui.data(&format!("  {}  {} → {}", one_line(&field.path), value(&field.before), value(&field.after)));
    }
}
