//! Keeping one recipe going: a run whenever one is due, whatever fails in between.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::{sync::Notify, task::JoinSet, time::sleep};

use super::{
    Setting,
    due::{Due, Past},
    health::Pulse,
};
use crate::{
    error::{Error, Kind, Result},
    event::{Event, Events},
    ledger::Ledger,
    observe::text::{self, Ending},
    pipeline::{Follow, jittered},
    recipe::{Schedule, Source},
    run::{Fresh, Options, Project, Work},
};

/// How long a loop sleeps before it looks at the clock again, which may be turned, or go on while the machine sleeps.
const STEP: Duration = Duration::from_millis(250);
/// How often to look whether another process has let go of the recipe.
const HELD: Duration = Duration::from_secs(1);
/// How long to wait after the first failure that may pass by itself; each further one doubles it.
const FIRST: Duration = Duration::from_secs(1);
/// ... up to this.
const LONGEST: Duration = Duration::from_secs(300);
/// How many runs are looked through for the newest of the whole source.
const ENOUGH: usize = 100;

/// When a recipe runs.
enum Way {
    /// At these times.
    Times(Schedule),
    /// Without end, as requests or messages come.
    Always { follow: Option<Follow> },
}

/// One recipe of a service.
pub(super) struct Keeper {
    project: Project,
    events: Events,
    setting: Setting,
    pulse: Pulse,
    way: Way,
    /// None until the recipe could be opened, and after its servers went away.
    ledger: Option<Arc<dyn Ledger>>,
    /// Since when it waits for its first run.
    waiting: Timestamp,
    /// When an attempt failed that is not to be repeated before the next time.
    given_up: Option<Timestamp>,
    /// How many attempts failed in a row.
    failures: u32,
    /// What it last said it waits for.
    said: String,
}

impl Keeper {
    /// Opens a recipe, unless its servers are away.
    ///
    /// *Errors*: what a person has to mend.
    pub async fn open(mut project: Project, events: Events, setting: &Setting) -> Result<Self> {
        let way = way(&mut project)?;
        let pulse = setting.health.pulse(project.recipe.name.clone(), "not open yet");
        let (waiting, setting) = (setting.clock.now(), setting.clone());
        let (ledger, given_up, failures, said) = (None, None, 0, String::new());
        let mut keeper =
            Self { project, events, setting, pulse, way, ledger, waiting, given_up, failures, said };
        match keeper.look().await {
            Err(error) if !error.may_retry() => return Err(error),
            Err(error) => keeper.lack(&error),
            Ok(_) => {}
        }
        Ok(keeper)
    }

    /// Starts its loops.
    pub fn start(self, loops: &mut JoinSet<()>) {
        loops.spawn(self.keep());
    }

    async fn keep(mut self) {
        while !self.is_asked() {
            self.pulse.beat();
            match self.turn().await {
                Ok(()) => self.failures = 0,
                Err(error) => self.fail(error).await,
            }
        }
    }

    /// Waits until a run is due, or does it.
    async fn turn(&mut self) -> Result<()> {
        let ledger = match self.ledger.clone() {
            Some(ledger) => ledger,
            None => self.look().await?,
        };
        match self.due(&*ledger).await? {
            Due::Unfinished => self.run(None).await,
            Due::Now(time) => self.run(Some(time)).await,
            Due::At(time) => {
                self.say(&format!("due {time}"), || Event::Due { at: time });
                self.until(time).await;
                Ok(())
            }
            Due::Never => {
                self.say("never due", || Event::Warning { text: "`[schedule]` has no time that is still to come".into() });
                self.pause(LONGEST).await;
                Ok(())
            }
        }
    }

    /// Opens the recipe and looks at its servers.
    async fn look(&mut self) -> Result<Arc<dyn Ledger>> {
        let looked = async {
            let job = self.project.job(self.setting.may_build, &self.events).await?;
            job.connect().await?;
            Ok(job.ledger)
        };
        let ledger = self.beating(looked).await?;
        self.pulse.ready();
        Ok(self.ledger.insert(ledger).clone())
    }

    async fn due(&self, ledger: &dyn Ledger) -> Result<Due> {
        let Way::Times(schedule) = &self.way else { return Ok(Due::Unfinished) };
        let (runs, now) = (ledger.runs(&self.project.recipe.name, ENOUGH).await?, self.setting.clock.now());
        Ok(Past::of(&runs, self.waiting, now).due(schedule, self.given_up, now))
    }

    /// Runs the recipe; a run that began `since` then, by whomever, will do.
    async fn run(&mut self, since: Option<Timestamp>) -> Result<()> {
        let (fresh, follow) = match &self.way {
            Way::Times(_) => (Fresh::Never, None),
            Way::Always { follow } => (Fresh::IfDifferent, follow.clone()),
        };
        let options = Options { work: Work::Full, fresh, follow, since };
        let ran = async {
            // Opened anew each time: a plugin or a file may have been exchanged since the last run.
            let mut job = self.project.job(self.setting.may_build, &self.events).await?;
            job.clock = self.setting.clock.clone();
            job.run(options, &self.events, &self.setting.stop).await
        };
        let summary = self.beating(ran).await?;
        self.given_up = None;
        let ending = Ending {
            run: Some(&summary.run.id),
            finished: summary.is_finished(),
            counts: summary.counts,
            elapsed: summary.elapsed,
        };
        self.events.note(text::ending(&ending));
        Ok(())
    }

    /// Says what failed, and waits as long as it makes sense.
    async fn fail(&mut self, error: Error) {
        if self.is_asked() && error.kind() == Kind::Stopped {
            return self.events.note(error.message());
        }
        if is_held(&error) {
            let text = format!("{error}; waiting for it to end");
            self.say(&text, || Event::Note { text: text.clone() });
            return self.pause(HELD).await;
        }
        self.events.error(&error);
        if matches!(self.way, Way::Times(_)) && !error.may_retry() {
            self.given_up = Some(self.setting.clock.now());
            return;
        }
        self.lack(&error);
        self.failures = self.failures.saturating_add(1);
        self.pause(jittered(growing(self.failures))).await;
    }

    /// Is not ready any more: the servers are looked at again before the next attempt.
    fn lack(&mut self, error: &Error) {
        self.ledger = None;
        self.pulse.lacks(error.message());
    }

    /// Says what it waits for, unless it said so last.
    fn say(&mut self, what: &str, event: impl FnOnce() -> Event) {
        if self.said != what {
            what.clone_into(&mut self.said);
            self.events.send(event());
        }
    }

    /// Sleeps until a time has come.
    async fn until(&self, time: Timestamp) {
        while !self.is_asked() && self.setting.clock.now() < time {
            self.pulse.beat();
            sleep(STEP).await;
        }
    }

    /// Sleeps so long.
    async fn pause(&self, long: Duration) {
        let end = Instant::now() + long;
        while !self.is_asked() && Instant::now() < end {
            self.pulse.beat();
            sleep(STEP.min(long)).await;
        }
    }

    /// Works, and shows that the loop moves while its thread does.
    async fn beating<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                answer = &mut work => return answer,
                () = sleep(STEP) => self.pulse.beat(),
            }
        }
    }

    fn is_asked(&self) -> bool {
        self.setting.stop.is_asked()
    }
}

/// When a recipe runs, by what it says and where its items come from.
fn way(project: &mut Project) -> Result<Way> {
    let recipe = &mut project.recipe;
    if let Some(schedule) = &recipe.schedule {
        return Ok(Way::Times(schedule.clone()));
    }
    match &mut recipe.source {
        Source::Requests { poll, .. } => {
            Ok(Way::Always { follow: Some(Follow { wake: Arc::new(Notify::new()), poll: *poll }) })
        }
        Source::Queue { consuming, .. } => {
            consuming.idle = Duration::ZERO;
            Ok(Way::Always { follow: None })
        }
        _ => Err(Error::usage(format!("nothing says when recipe `{}` is to run", recipe.name))
            .with("recipe", recipe.path.display().to_string())
            .hint("add `[schedule]` with, for every day at 5:30: cron = \"30 5 * * *\"")),
    }
}

/// Whether another process works on the recipe, so that this one waits.
fn is_held(error: &Error) -> bool {
    error.kind() == Kind::Usage && error.may_retry()
}

/// How long to wait after so many failures.
fn growing(failures: u32) -> Duration {
    FIRST.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1))).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_growing() {
        let pauses = [1, 2, 3, 9, 10, u32::MAX].map(|failures| growing(failures).as_secs());
        assert_eq!(pauses, [1, 2, 4, 256, 300, 300]);
    }
}
