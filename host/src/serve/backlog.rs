//! Measures the backlog of the queue that a recipe reads, from time to time, so that workers can be added.

use std::{sync::Arc, time::Duration};

use super::{Setting, liveness::Liveness};
use crate::{
    capability::queue::Queue,
    event::{Event, Events},
};

/// How often the queue is measured; each measurement is one or a few requests.
const EVERY: Duration = Duration::from_secs(15);

/// The backlog of one recipe.
pub(super) struct Backlog {
    queue: Arc<dyn Queue>,
    events: Events,
    liveness: Liveness,
}

impl Backlog {
    /// Measures nothing yet.
    pub fn new(recipe: &str, queue: Arc<dyn Queue>, events: Events, setting: &Setting) -> Self {
        Self { queue, events, liveness: Liveness::new(format!("backlog of {recipe}"), setting) }
    }

    /// Reports the backlog when it has changed, until the service stops.
    pub async fn keep(self) {
        self.liveness.pulse.ready();
        let mut told = None;
        while !self.liveness.is_asked() {
            // If the queue cannot be reached, the run that receives from it reports that.
            if let Ok(depth) = self.liveness.beating(self.queue.depth()).await
                && told.as_ref() != Some(&depth)
            {
                self.events.send(Event::Backlog(depth.clone()));
                told = Some(depth);
            }
            self.liveness.pause(EVERY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::{
        backend::{Backends, Mode},
        capability::queue::Message,
        clock::System,
        pipeline::Stop,
        serve::Health,
    };

    #[tokio::test]
    async fn what_waits_is_told_of() {
        let (directory, clock, stop) = (tempfile::tempdir().unwrap(), Arc::new(System), Stop::new());
        let backends = Backends::new(directory.path(), directory.path(), Mode::ReadWrite, clock.clone());
        let queue = backends.queue("work", None).unwrap();
        let message = |id: &str| Message { id: id.into(), body: "{}".into(), priority: 0 };
        queue.send(&["a", "b", "c"].map(message)).await.unwrap();
        queue.receive(1, Duration::from_secs(60), Duration::ZERO).await.unwrap();
        let (say, mut heard) = mpsc::unbounded_channel();
        let events = Events::new(move |event| drop(say.send(event)));
        let health = Health::new(&stop);
        let setting = Setting { may_build: false, clock, health: health.clone(), stop: stop.clone() };
        let kept = tokio::spawn(Backlog::new("works", queue, events, &setting).keep());
        let Some(Event::Backlog(depth)) = heard.recv().await else { panic!("another event came first") };
        assert_eq!((depth.waiting, depth.in_hand), (2, 1));
        assert_eq!(health.unready(), [""; 0]);
        stop.ask();
        kept.await.unwrap();
    }
}
