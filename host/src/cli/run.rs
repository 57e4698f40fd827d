//! `reindex run`

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use clap::Args;

use super::{
    diff,
    exit::Exit,
    ids::{self, Chosen},
    place::{Place, Target},
    signals::watched,
    ui::Ui,
};
use crate::{
    backend::Mode,
    error::{Error, Kind, Result},
    event::{Event, Events},
    ledger::{self, Counts, Scope},
    observe::{
        Observer,
        text::{self, Ending},
    },
    pipeline::Stop,
    run::{Fresh, Options, PACE, Project, Summary, Work},
};

/// Runs a recipe: reads the source, maps each record, writes the documents
///
/// A run that was stopped, or killed, goes on where it was.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex run recipes/persons.toml
  reindex run recipes/persons.toml --dry-run --limit 100
  reindex run recipes/persons.toml --rebuild --env dev
  reindex run recipes/persons.toml --loaded")]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) target: Target,
    /// Reads and maps, but writes nothing; says what a run would do
    #[arg(long, conflicts_with_all = ["fresh", "rebuild"])]
    dry_run: bool,
    #[command(flatten)]
    chosen: Chosen,
    /// Works through the recipe's list of ids (`reindex ids load`) until none is ready, and looks each up in the index
    #[arg(long, conflicts_with_all = ["dry_run", "limit", "ids", "rebuild"])]
    loaded: bool,
    /// Begins anew instead of going on with an unfinished run
    #[arg(long)]
    fresh: bool,
    /// Fills a new index and then swaps it in, in one step
    #[arg(long, conflicts_with_all = ["limit", "ids"])]
    rebuild: bool,
    /// Removes the old index after the swap
    #[arg(long, requires = "rebuild")]
    drop_old: bool,
    /// Lets a rebuild swap although up to N records are missing from the new index, or it is empty and the old one
    /// holds up to N documents
    #[arg(long, value_name = "N", default_value_t = 0, requires = "rebuild", hide_default_value = true)]
    waive: u64,
    /// Never builds a plugin from source; the recipe must name a .wasm file
    #[arg(long)]
    no_build: bool,
}

impl Run {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        if self.dry_run {
            return diff::compare(place, ui, &self.target, &self.chosen, !self.no_build, None).await;
        }
        let project = place.project(&self.target, Mode::ReadWrite).await?;
        let fresh = if self.fresh { Fresh::Always } else { Fresh::Never };
        let options = Options { work: self.work()?, fresh, ..Options::default() };
        let resume = format!("reindex run {}{} goes on from here", place.again(&self.target), self.flags());
        let show = Show::new(place, ui, &self.target, resume);
        let work = async {
            let job = project.job(!self.no_build, &show.events()).await?;
            job.run(options, &show.events(), show.stop()).await
        };
        show.through(work, &project).await
    }

    /// The flags that the same run needs again; `--fresh` would give it up.
    fn flags(&self) -> String {
        let loaded = self.loaded.then(|| " --loaded".to_owned());
        let rebuild = self.rebuild.then(|| " --rebuild".to_owned());
        let drop_old = self.drop_old.then(|| " --drop-old".to_owned());
        let waive = (self.waive > 0).then(|| format!(" --waive {}", self.waive));
        let no_build = self.no_build.then(|| " --no-build".to_owned());
        let flags = [loaded, rebuild, drop_old, waive, no_build].into_iter().flatten();
        self.chosen.flags() + &flags.collect::<String>()
    }

    fn work(&self) -> Result<Work> {
        Ok(match self.chosen.work()? {
            Some(work) => work,
            None if self.loaded => Work::Loaded,
            None if self.rebuild => Work::Rebuild { drop_old: self.drop_old, waive: self.waive },
            None => Work::Full,
        })
    }
}

fn ending(summary: &Summary) -> Ending<'_> {
    Ending {
        run: Some(&summary.run.id),
        finished: summary.is_finished(),
        counts: summary.counts,
        elapsed: summary.elapsed,
    }
}

/// Shows a run from its first event to its last line.
pub(super) struct Show<'a> {
    place: &'a Place,
    ui: Ui,
    /// The arguments that name the recipe again.
    again: String,
    observer: Observer,
    stop: Stop,
    resume: String,
    /// How the run stood when it ended without an answer.
    ended: Arc<Mutex<Option<(String, Counts)>>>,
}

impl<'a> Show<'a> {
    /// `resume` is the command that goes on if it is stopped, and what it does.
    pub(super) fn new(place: &'a Place, ui: Ui, target: &Target, resume: String) -> Self {
        Self {
            place,
            ui,
            again: place.again(target),
            observer: ui.observer(),
            stop: Stop::new(),
            resume,
            ended: Arc::default(),
        }
    }

    pub(super) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Events for the view; the last one is kept.
    pub(super) fn events(&self) -> Events {
        let (shown, ended) = (self.observer.events(), self.ended.clone());
        Events::new(move |event| {
            if let Event::Ended { run, counts, .. } = &event {
                *ended.lock().unwrap_or_else(PoisonError::into_inner) = Some((run.clone(), *counts));
            }
            shown.send(event);
        })
    }

    /// Works under the eyes of the view and the signals, and says how it ended.
    pub(super) async fn through(&self, work: impl Future<Output = Result<Summary>>, project: &Project) -> Result<Exit> {
        let begun = Instant::now();
        match self.watched(work).await {
            Ok(summary) if summary.run.scope == Scope::Loaded => {
                let counts = project.list()?.counts().await?;
                let ending = format!("{}; {}", text::ending(&ending(&summary)), ids::words(&counts));
                let (exit, next) = ids::left(&counts, &self.again);
                self.ui.ending(&ending, &next);
                Ok(exit)
            }
            Ok(summary) => {
                let (exit, next) = self.finished(&summary, project);
                self.ui.ending(&text::ending(&ending(&summary)), &next);
                Ok(exit)
            }
            Err(error) => self.stopped(error, begun.elapsed()),
        }
    }

    /// The same for a retry, which is over when each id was tried, also if its run is not. `again` is the command.
    pub(super) async fn retried(
        &self,
        work: impl Future<Output = Result<Summary>>,
        project: &Project,
        again: &str,
    ) -> Result<Exit> {
        let begun = Instant::now();
        let summary = match self.watched(work).await {
            Ok(summary) => summary,
            Err(error) => return self.stopped(error, begun.elapsed()),
        };
        let (exit, next) = match (summary.counts.waiting, summary.counts.failed, summary.is_finished()) {
            (1.., ..) => (Exit::Stopped, format!("{again} tries again what waits")),
            (0, 0, false) => (Exit::Done, resume(&summary.run, &self.again)),
            (0, ..) => self.finished(&summary, project),
        };
        let line = if summary.is_finished() {
            text::ending(&ending(&summary))
        } else {
            let (counts, elapsed) = (text::counts(&summary.counts), text::duration(summary.elapsed));
            format!("retried: {counts} in {elapsed} (run {}, which is not finished)", summary.run.id)
        };
        self.ui.ending(&line, &next);
        Ok(exit)
    }

    async fn watched<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        watched(self.ui, std::slice::from_ref(&self.observer), &self.stop, self.resume.clone(), work).await
    }

    fn finished(&self, summary: &Summary, project: &Project) -> (Exit, String) {
        let again = &self.again;
        if ids::none_found(summary.run.scope, &summary.counts) {
            let next =
                format!("are they keys of the source? reindex failures {again} --run {} lists them", summary.run.id);
            return (Exit::Failures, next);
        }
        match (summary.counts.failed, project.recipe.grant.write.index.first()) {
            (1.., _) => {
                let run = &summary.run.id;
                (Exit::Failures, format!("reindex failures {again} --run {run} lists what failed, and why"))
            }
            (0, Some(index)) => {
                (Exit::Done, format!("reindex search {index} WORDS{}", self.place.options_for(project)))
            }
            (0, None) => (Exit::Done, format!("reindex status {again}")),
        }
    }

    /// A run that stopped half-way has a last line too; what stopped it comes before that, unless a person did.
    fn stopped(&self, error: Error, elapsed: Duration) -> Result<Exit> {
        let (kind, ended) = (error.kind(), self.ended.lock().unwrap_or_else(PoisonError::into_inner).take());
        let asked = self.stop.is_asked() && kind == Kind::Stopped;
        let Some((run, counts)) = ended else { return Err(error) };
        if !asked {
            self.ui.error(&error.about_recipe(&self.again));
        }
        let line = text::ending(&Ending { run: Some(&run), finished: false, counts, elapsed });
        let next = match kind {
            Kind::Unavailable => self.resume.clone(),
            Kind::Stopped if asked => self.resume.clone(),
            Kind::Stopped => format!("{}, after what the hint says", self.resume),
            _ => format!("mend that first; reindex status {} --run {run} shows how far it is", self.again),
        };
        self.ui.ending(&line, &next);
        Ok(kind.into())
    }
}

/// The command that resumes an unfinished run, and that it does.
pub(super) fn resume(run: &ledger::Run, again: &str) -> String {
    if run.identity.contains_key(PACE) {
        return format!("reindex serve {again} goes on from here");
    }
    let flags = match run.scope {
        Scope::Full => String::new(),
        Scope::Rebuild => " --rebuild".to_owned(),
        Scope::Loaded => " --loaded".to_owned(),
        Scope::Ids => " --ids FILE".to_owned(),
        Scope::Limit => run.identity.get("limit").map_or_else(String::new, |limit| format!(" --limit {limit}")),
    };
    format!("reindex run {again}{flags} goes on from here")
}
