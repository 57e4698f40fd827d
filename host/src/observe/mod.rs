//! The output of a run for a person or a log: each [`Event`] becomes a bar, a line, or JSON.
//!
//! Writes only to the output it is given, and never changes a run. Progress on a terminal is [`Bar`], in a log
//! [`Lines`], for a program [`Json`]; the texts they share are in [`text`]. [`Metrics`] count instead.

mod bar;
mod json;
mod lines;
mod metrics;
mod rate;
mod remarks;
pub mod text;
mod thin;
mod track;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

pub use bar::Bar;
pub use json::Json;
pub use lines::Lines;
pub use metrics::Metrics;
pub use rate::Rate;
pub use remarks::Tone;

use crate::event::{Event, Events};

/// Shows events in order.
pub trait View: Send {
    /// Shows an event.
    fn hear(&mut self, event: &Event, now: Instant);

    /// Called a few times a second, so that a run that hangs is visible.
    fn tick(&mut self, now: Instant);

    /// Prints other output without mixing it with the view's lines.
    fn aside(&mut self, print: &mut dyn FnMut()) {
        print();
    }

    /// Leaves the terminal or file in its final state. Later events are not shown.
    fn close(&mut self);
}

/// A view that many threads may send events to. Cheap to clone.
#[derive(Clone)]
pub struct Observer(Arc<Mutex<Box<dyn View>>>);

impl Observer {
    /// Puts a view behind a lock.
    pub fn new(view: impl View + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(view))))
    }

    /// Returns where to send events so that the view shows them.
    pub fn events(&self) -> Events {
        let observer = self.clone();
        Events::new(move |event| observer.with(|view| view.hear(&event, Instant::now())))
    }

    /// Tells the view that time has passed.
    pub fn tick(&self) {
        self.with(|view| view.tick(Instant::now()));
    }

    /// Prints other output without disturbing the view.
    pub fn aside(&self, print: &mut dyn FnMut()) {
        self.with(|view| view.aside(print));
    }

    /// Ends the view.
    pub fn close(&self) {
        self.with(|view| view.close());
    }

    /// A view that panicked once continues: a failed bar must not end a run.
    fn with(&self, show: impl FnOnce(&mut dyn View)) {
        show(self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut());
    }
}
