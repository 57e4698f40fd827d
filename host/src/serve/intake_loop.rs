//! Takes in events of a bucket for as long as the service runs, also while its recipe waits for its time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::{AWAY, Setting, liveness::Liveness};
use crate::{event::Events, request::Intake};

/// How long work in flight may take when the service has to stop. Events that are not acknowledged by then are
/// delivered again.
const GRACE: Duration = Duration::from_secs(5);

/// The intake of one recipe.
pub(super) struct IntakeLoop {
    intake: Intake,
    events: Events,
    wake: Arc<Notify>,
    liveness: Liveness,
    /// How often the intake failed since the last success.
    failures: Arc<AtomicU32>,
}

impl IntakeLoop {
    /// Takes in nothing yet; wakes the tasks that wait for requests. It is ready while events can be taken in.
    pub fn new(recipe: &str, intake: Intake, events: Events, wake: Arc<Notify>, setting: &Setting) -> Self {
        let liveness = Liveness::new(format!("intake of {recipe}"), setting);
        let failures = Arc::<AtomicU32>::default();
        let (pulse, counted) = (liveness.pulse.clone(), failures.clone());
        let intake = intake.reporting(Box::new(move |error| match error {
            Some(error) => pulse.lacks(error.message()),
            None => {
                counted.store(0, Relaxed);
                pulse.ready();
            }
        }));
        Self { intake, events, wake, liveness, failures }
    }

    /// Takes in events until the service stops.
    pub async fn keep(self) {
        while !self.liveness.is_asked() {
            let taking = self.intake.run(&self.liveness.setting.stop, &self.wake);
            if let Some(Err(error)) = self.liveness.until_asked(GRACE, taking).await {
                let failures = self.failures.fetch_add(1, Relaxed).saturating_add(1);
                self.liveness.pulse.lacks(error.message());
                self.events.error(&error);
                self.liveness.pause_after(failures, AWAY).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use async_trait::async_trait;
    use tokio::sync::mpsc;

    use super::*;
    use crate::{
        backend::{Backends, Mode},
        capability::storage::{ObjectInfo, Watch},
        clock::System,
        error::{Error, Kind, Result},
        event::Event,
        pipeline::Stop,
        request::{Choice, Notifier, Requests, Served},
        serve::Health,
    };

    /// A server that is unreachable, or a resource that does not exist, until it is fixed.
    struct Broken {
        kind: Kind,
        mended: AtomicBool,
    }

    #[async_trait]
    impl Watch for Broken {
        async fn arrivals(&self, _: Duration) -> Result<Vec<ObjectInfo>> {
            tokio::task::yield_now().await;
            if self.mended.load(Relaxed) { Ok(Vec::new()) } else { Err(Error::new(self.kind, "it is away")) }
        }

        async fn acknowledge(&self, _: &[ObjectInfo]) -> Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_keeps_events_from_being_taken_in_is_seen_at_once_and_until_it_is_mended() {
        for kind in [Kind::Unavailable, Kind::NotFound] {
            let (directory, stop) = (tempfile::tempdir().unwrap(), Stop::new());
            let clock = Arc::new(System);
            let backends = Backends::new(directory.path(), directory.path(), Mode::ReadWrite, clock.clone());
            let served = |name: &str| Served { name: name.to_owned(), bucket: backends.bucket(name, None).unwrap() };
            let requests = Arc::new(Requests::new(served("requests"), "", served("objects"), 1 << 20));
            let (say, mut heard) = mpsc::unbounded_channel();
            let events = Events::new(move |event| drop(say.send(event)));
            let broken = Arc::new(Broken { kind, mended: false.into() });
            let intake = Intake::new(Notifier::Watch(broken.clone()), requests, Choice::default(), events.clone());
            let health = Health::new(&stop);
            let setting = Setting { may_build: false, clock, health: health.clone(), stop: stop.clone() };
            let kept = tokio::spawn(IntakeLoop::new("pictures", intake, events, Arc::default(), &setting).keep());
            while !matches!(heard.recv().await.unwrap(), Event::Error { message, .. } if message == "it is away") {}
            assert_eq!(health.unready(), ["intake of pictures: it is away"]);
            broken.mended.store(true, Relaxed);
            while !health.unready().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            stop.ask();
            kept.await.unwrap();
        }
    }
}
