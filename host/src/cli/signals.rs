//! Ctrl-C and its like: the first asks for a clean stop, the second ends the program at once.

use std::{future::Future, process, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time,
};

use super::{exit::Exit, ui::Ui};
use crate::{
    error::{Error, Result},
    observe::Observer,
    pipeline::Stop,
};

/// How often the view may notice that time has passed.
const TICK: Duration = Duration::from_millis(150);

/// Lets work go on under the eyes of views and of the signals; `resume` is the command that goes on afterwards.
pub(super) async fn watched<T>(
    ui: Ui,
    observers: &[Observer],
    stop: &Stop,
    resume: String,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let signals = Signals::new()?;
    // A task of its own, so that work which blocks its thread cannot make the program deaf.
    let watch = tokio::spawn(watch(ui, observers.to_vec(), stop.clone(), resume, signals));
    let answer = work.await;
    watch.abort();
    observers.iter().for_each(Observer::close);
    answer
}

async fn watch(ui: Ui, observers: Vec<Observer>, stop: Stop, resume: String, mut signals: Signals) {
    let mut ticks = time::interval(TICK);
    loop {
        tokio::select! {
            _ = ticks.tick() => observers.iter().for_each(Observer::tick),
            () = signals.next() => {
                if stop.is_asked() {
                    observers.iter().for_each(Observer::close);
                    ui.ending("stopped at once; nothing that was acknowledged is lost", &resume);
                    process::exit(Exit::Stopped as i32);
                }
                stop.ask();
                for observer in &observers {
                    observer.events().note("stopping after what is in flight; again to stop at once");
                }
            }
        }
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(|error| Error::bug("cannot listen to signals").because(error));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}
