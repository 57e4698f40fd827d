//! Serves one recipe: starts a run whenever one is due, and retries what fails in between.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::{
    sync::Notify,
    task::{JoinError, JoinSet},
};

use super::{
    AWAY, Setting,
    backlog::Backlog,
    due::{Due, Past},
    intake_loop::IntakeLoop,
    liveness::Liveness,
};
use crate::{
    error::{Error, Kind, Result},
    event::{Event, Events},
    ledger::Ledger,
    observe::text::{self, Ending},
    pipeline::Follow,
    recipe::{Recipe, Schedule, Source},
    run::{Fresh, Options, Project, Summary, Work},
};

/// The longest pause before it is checked again whether another process released the recipe.
const HELD: Duration = Duration::from_secs(10);
/// How long to sleep when nothing is due any more.
const NEVER: Duration = Duration::from_secs(3600);
/// How many runs are searched for the newest one over the whole source.
const ENOUGH: usize = 100;

/// One recipe of a service.
pub(super) struct Supervisor {
    project: Project,
    events: Events,
    liveness: Liveness,
    way: Way,
    intake_loop: Option<IntakeLoop>,
    backlog: Option<Backlog>,
    /// None until the recipe is open, and after its servers became unreachable.
    ledger: Option<Arc<dyn Ledger>>,
    /// When the wait for its first run began.
    waiting: Timestamp,
    /// When an attempt failed that must not be repeated before the next time.
    given_up: Option<Timestamp>,
    /// How many attempts failed in a row.
    failures: u32,
    /// What it last reported to wait for.
    said: String,
}

/// When a recipe runs.
#[derive(Debug)]
enum Way {
    /// At these times.
    Times(Schedule),
    /// Continuously, as requests or messages come.
    Always(Option<Follow>),
}

impl Supervisor {
    /// Prepares a recipe, which is not open yet.
    ///
    /// *Errors*: those that the user has to fix.
    pub fn new(mut project: Project, events: Events, setting: &Setting) -> Result<Self> {
        let wake = Arc::new(Notify::new());
        let way = way(&mut project.recipe, &wake)?;
        let name = &project.recipe.name;
        let liveness = Liveness::new(name.clone(), setting);
        let intake = project.intake(&events)?;
        let intake_loop = intake.map(|intake| IntakeLoop::new(name, intake, events.clone(), wake, setting));
        let queue = project.source_queue()?;
        let backlog = queue.map(|queue| Backlog::new(name, queue, events.clone(), setting));
        let (ledger, waiting, given_up, failures, said) = (None, liveness.now(), None, 0, String::new());
        Ok(Self { project, events, liveness, way, intake_loop, backlog, ledger, waiting, given_up, failures, said })
    }

    /// Opens the recipe, unless its servers are unreachable.
    ///
    /// *Errors*: those that the user has to fix; [`go`](Self::go) tries again all the same.
    pub async fn open(mut self) -> (Self, Result<()>) {
        let opened = match self.look().await {
            Ok(_) => Ok(()),
            Err(error) if self.liveness.is_asked() && error.kind() == Kind::Stopped => Ok(()),
            Err(error) if error.may_retry() => {
                self.failures = 1;
                self.events.error(&error);
                self.lack(&error);
                Ok(())
            }
            Err(error) => {
                self.lack(&error);
                Err(error)
            }
        };
        (self, opened)
    }

    /// The recipe's file.
    pub fn path(&self) -> &Path {
        &self.project.recipe.path
    }

    /// Reports what is wrong with a recipe after others have begun, and continues: it may be fixed later.
    pub fn complain(&self, error: &Error) {
        self.events.error(error);
    }

    /// Runs its loops until the service stops.
    ///
    /// *Errors*: a loop panicked.
    pub async fn go(mut self) -> Result<(), JoinError> {
        let mut loops = JoinSet::new();
        if let Some(intake_loop) = self.intake_loop.take() {
            loops.spawn(intake_loop.keep());
        }
        if let Some(backlog) = self.backlog.take() {
            loops.spawn(backlog.keep());
        }
        loops.spawn(self.keep());
        while let Some(ended) = loops.join_next().await {
            ended?;
        }
        Ok(())
    }

    async fn keep(mut self) {
        if self.ledger.is_none() {
            self.liveness.pause_after(self.failures.max(1), AWAY).await;
        }
        while !self.liveness.is_asked() {
            let begun = Instant::now();
            let turned = self.turn().await;
            // A loop that worked for long enough did not fail in a row.
            if turned.is_ok() || begun.elapsed() > AWAY {
                self.failures = 0;
            }
            if let Err(error) = turned {
                self.fail(error).await;
            }
        }
    }

    /// Waits until a run is due, or does it.
    async fn turn(&mut self) -> Result<()> {
        let ledger = match self.ledger.clone() {
            Some(ledger) => ledger,
            None => self.look().await?,
        };
        let Way::Times(schedule) = &self.way else { return self.run(None).await };
        match self.due(&*ledger, schedule).await? {
            // Another process may end that run before this one starts, and then nothing is left to do.
            Due::Unfinished(since) | Due::Now(since) => self.run(Some(since)).await?,
            Due::At(at) => {
                self.say(at.to_string(), Event::Due { at });
                self.liveness.until(at).await;
            }
            Due::Never => {
                let text = "`[schedule]` names no time that is still to come".to_owned();
                self.say(text.clone(), Event::Warning { text });
                self.liveness.pause(NEVER).await;
            }
        }
        Ok(())
    }

    /// Opens the recipe and checks its servers.
    async fn look(&mut self) -> Result<Arc<dyn Ledger>> {
        let looked = async {
            let job = self.project.job(self.liveness.setting.may_build, &self.events).await?;
            job.connect().await?;
            Ok(job.ledger)
        };
        let ledger = self.unless_asked(looked).await??;
        self.liveness.pulse.ready();
        Ok(self.ledger.insert(ledger).clone())
    }

    /// Waits for a server, but not once the service has to stop: nothing is in flight yet.
    async fn unless_asked<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let stopped = || Error::new(Kind::Stopped, "stopped before the recipe was open");
        self.liveness.until_asked(Duration::ZERO, work).await.ok_or_else(stopped)
    }

    async fn due(&self, ledger: &dyn Ledger, schedule: &Schedule) -> Result<Due> {
        let (runs, now) = (ledger.runs(&self.project.recipe.name, ENOUGH).await?, self.liveness.now());
        Ok(Past::of(&runs, self.waiting, now).due(schedule, self.given_up, now))
    }

    /// Runs the recipe; a finished run counts, if this or another process began it at `since` or later.
    async fn run(&mut self, since: Option<Timestamp>) -> Result<()> {
        let follow = if let Way::Always(follow) = &self.way { follow.clone() } else { None };
        let options = Options { work: Work::Full, fresh: fresh(&self.project.recipe.source), follow, since };
        // Opened again each time: a plugin or a file may have been replaced since the last run.
        let mut job = self.unless_asked(self.project.job(self.liveness.setting.may_build, &self.events)).await??;
        job.clock = self.liveness.setting.clock.clone();
        let summary = self.liveness.beating(job.run(options, &self.events, &self.liveness.setting.stop)).await?;
        self.given_up = None;
        self.events.note(ending(&summary));
        Ok(())
    }

    /// Reports a failure, and waits before the next attempt.
    async fn fail(&mut self, error: Error) {
        if self.liveness.is_asked() && error.kind() == Kind::Stopped {
            return self.events.note(error.message());
        }
        self.failures = self.failures.saturating_add(1);
        if is_held(&error) {
            let text = format!("{error}; waiting for its end");
            self.say(text.clone(), Event::Note { text });
            return self.liveness.pause_after(self.failures, HELD).await;
        }
        self.events.error(&error);
        if matches!(self.way, Way::Times(_)) && !is_of_place(&error) && self.ledger.is_some() {
            self.given_up = Some(self.liveness.now());
            return;
        }
        self.lack(&error);
        self.liveness.pause_after(self.failures, AWAY).await;
    }

    /// Marks the loop as not ready: the servers are checked again before the next attempt.
    fn lack(&mut self, error: &Error) {
        self.ledger = None;
        self.liveness.pulse.lacks(error.message());
    }

    /// Reports what it waits for, unless it reported the same last.
    fn say(&mut self, what: String, event: Event) {
        if self.said != what {
            self.said = what;
            self.events.send(event);
        }
    }
}

/// When a recipe runs, by its schedule and its source.
fn way(recipe: &mut Recipe, wake: &Arc<Notify>) -> Result<Way> {
    let follow = match (&recipe.schedule, &mut recipe.source) {
        (Some(schedule), _) => return Ok(Way::Times(schedule.clone())),
        (None, Source::Requests { poll, .. }) => Some(Follow { wake: wake.clone(), poll: *poll }),
        (None, Source::Queue { consuming, .. }) => {
            consuming.idle = Duration::ZERO;
            None
        }
        (None, _) => {
            return Err(Error::usage(format!("nothing says when recipe `{}` is to run", recipe.name))
                .with("recipe", recipe.path.display().to_string())
                .hint("add `[schedule]`; every day at 5:30 is: cron = \"30 5 * * *\""));
        }
    };
    Ok(Way::Always(follow))
}

/// If items are removed only when they are done, giving up an unfinished run that differs loses nothing.
fn fresh(source: &Source) -> Fresh {
    match source {
        Source::Requests { .. } | Source::Queue { .. } => Fresh::IfDifferent,
        Source::Scan { .. } | Source::File { .. } | Source::Export { .. } => Fresh::Never,
    }
}

/// Whether another process works on the recipe, so that this one waits.
fn is_held(error: &Error) -> bool {
    error.kind() == Kind::Usage && error.may_retry()
}

/// Whether servers, disks or permissions have to be fixed, not the recipe: that is retried after growing pauses.
fn is_of_place(error: &Error) -> bool {
    error.may_retry() || matches!(error.kind(), Kind::Unavailable | Kind::Denied)
}

fn ending(summary: &Summary) -> String {
    text::ending(&Ending {
        run: Some(&summary.run.id),
        finished: summary.is_finished(),
        counts: summary.counts,
        elapsed: summary.elapsed,
    })
}
