//! Waiting until the budget allows the next page, for all segments of one scan together.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::{sync::Notify, time::Instant};

use super::budget::{Budget, Cost, Ticket};

/// A budget with waiting.
#[derive(Debug)]
pub(super) struct Pace {
    budget: Mutex<Budget>,
    settled: Notify,
}

impl Pace {
    /// Keeps a budget.
    pub fn new(budget: Budget) -> Self {
        Self { budget: Mutex::new(budget), settled: Notify::new() }
    }

    /// Divides the budget among `workers`.
    pub fn share(&self, workers: u32) {
        self.budget().share(workers);
    }

    /// Waits until a page may be requested.
    pub async fn page(&self) -> Page<'_> {
        loop {
            let settled = self.settled.notified();
            let begun = self.budget().begin(Instant::now());
            match begun {
                Ok(ticket) => return Page { pace: self, ticket, cost: None },
                Err(later) => {
                    tokio::select! { () = settled => {}, () = tokio::time::sleep_until(later) => {} }
                }
            }
        }
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A page that may be requested now. It is settled when it is dropped, also after a failure.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pace: &'a Pace,
    ticket: Ticket,
    cost: Option<Cost>,
}

impl Page<'_> {
    /// How many items it may have.
    pub fn items(&self) -> i32 {
        self.ticket.items
    }

    /// Sets its cost, as the server reports it.
    pub fn cost(mut self, cost: Cost) {
        self.cost = Some(cost);
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        self.pace.budget().end(&self.ticket, self.cost, Instant::now());
        self.pace.settled.notify_one();
    }
}
