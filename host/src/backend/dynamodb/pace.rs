//! Waiting until the budget allows the next page, for all segments of one scan together.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::{sync::Notify, time::Instant};

use super::budget::{Budget, Cost, Ticket};

/// A budget that is waited for.
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

    /// Divides the budget by so many workers.
    pub fn share(&self, workers: u32) {
        self.budget().share(workers);
    }

    /// Waits until a page may be asked for.
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

/// A page that may be asked for now. It is settled when it is dropped, whatever became of it.
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

    /// What the server says it cost.
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
