//! A service within the test's own process, under a clock that the test turns, with everything it says.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use reindex::{
    backend::Mode,
    clock::Clock,
    error::Result,
    event::{Event, Events},
    ledger::Run,
    pipeline::Stop,
    run::{Project, backends},
    serve::{Health, Service, Setting},
};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use crate::place::Place;

/// No wait of these tests takes nearly as long.
const PATIENCE: Duration = Duration::from_secs(120);

/// A clock that shows what it was last set to.
#[derive(Clone)]
pub struct Turned(Arc<Mutex<Timestamp>>);

impl Turned {
    pub fn at(time: &str) -> Self {
        Self(Arc::new(Mutex::new(time.parse().unwrap())))
    }

    pub fn to(&self, time: &str) {
        *self.0.lock().unwrap() = time.parse().unwrap();
    }
}

impl Clock for Turned {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A service that is kept going, and what its recipes say.
pub struct Kept {
    pub health: Health,
    stop: Stop,
    heard: mpsc::UnboundedReceiver<(String, Event)>,
    running: JoinHandle<Result<()>>,
}

impl Kept {
    /// Keeps these recipes of a place going.
    pub async fn going(place: &Place, recipes: &[&str], clock: &Turned) -> Self {
        Self::with(recipes.iter().map(|recipe| project(place, recipe)).collect(), clock).await
    }

    /// Keeps recipes going that are right.
    pub async fn with(projects: Vec<Project>, clock: &Turned) -> Self {
        let (say, heard) = mpsc::unbounded_channel();
        let hear = |project: Project| {
            let (say, name) = (say.clone(), project.recipe.name.clone());
            let events = Events::new(move |event| drop(say.send((name.clone(), event))));
            (project, events)
        };
        let (stop, clock) = (Stop::new(), Arc::new(clock.clone()));
        let health = Health::new(&stop);
        let setting = Setting { may_build: false, clock, health: health.clone(), stop: stop.clone() };
        let opened = Service::open(projects.into_iter().map(hear).collect(), &setting).await;
        let service = opened.map_err(|wrong| format!("{wrong:?}")).unwrap();
        Self { health, stop, heard, running: tokio::spawn(service.run()) }
    }

    /// The next event of a recipe that this is asked of and has an answer to.
    pub async fn hear<T>(&mut self, recipe: &str, mut answer: impl FnMut(&Event) -> Option<T>) -> T {
        let listen = async {
            loop {
                let (of, event) = self.heard.recv().await.expect("the service says something");
                if let Some(answer) = answer(&event).filter(|_| of == recipe) {
                    return answer;
                }
            }
        };
        timeout(PATIENCE, listen).await.expect("the service goes on")
    }

    /// Waits until a run of a recipe is over.
    pub async fn finished(&mut self, recipe: &str) {
        self.hear(recipe, |event| matches!(event, Event::Ended { finished: true, .. }).then_some(())).await;
    }

    /// Waits until a recipe says when it is due.
    pub async fn due(&mut self, recipe: &str) -> String {
        self.hear(recipe, |event| if let Event::Due { at } = event { Some(at.to_string()) } else { None }).await
    }

    /// Waits until a recipe says what failed.
    pub async fn error(&mut self, recipe: &str) -> String {
        self.hear(recipe, |event| if let Event::Error { message, .. } = event { Some(message.clone()) } else { None })
            .await
    }

    /// Lets it end.
    pub async fn stop(self) {
        self.stop.ask();
        timeout(PATIENCE, self.running).await.expect("the service ends").unwrap().unwrap();
    }
}

pub fn project(place: &Place, recipe: &str) -> Project {
    Project::open(&place.path(&format!("{recipe}.toml")), None, Mode::ReadWrite, &|_| None).unwrap()
}

/// Every run of a recipe, the newest first.
pub async fn runs(place: &Place, recipe: &str) -> Vec<Run> {
    let ledger = backends(&project(place, recipe).environment, Mode::ReadWrite).ledger().unwrap();
    ledger.runs(recipe, 100).await.unwrap()
}
