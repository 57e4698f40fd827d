//! Taking in events of a bucket for as long as the service goes on, also while its recipe waits for its time.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{AWAY, Setting, heart::Heart};
use crate::{event::Events, request::Intake};

/// The intake of one recipe.
pub(super) struct Taker {
    intake: Intake,
    events: Events,
    wake: Arc<Notify>,
    heart: Heart,
}

impl Taker {
    /// Takes in nothing yet; wakes whoever waits for requests.
    pub fn new(recipe: &str, intake: Intake, events: Events, wake: Arc<Notify>, setting: &Setting) -> Self {
        Self { intake, events, wake, heart: Heart::new(format!("intake of {recipe}"), setting) }
    }

    /// Takes in events until the service is to stop.
    pub async fn keep(self) {
        let mut failures = 0;
        while !self.heart.is_asked() {
            self.heart.pulse.ready();
            let taken = self.heart.beating(self.intake.run(&self.heart.setting.stop, &self.wake)).await;
            if let Err(error) = taken {
                failures += 1;
                self.heart.pulse.lacks(error.message());
                self.events.error(&error);
                self.heart.pause_after(failures, AWAY).await;
            }
        }
    }
}
