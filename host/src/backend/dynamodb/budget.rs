//! How many units of read capacity a scan may use, and when. Pure: the caller passes the time.
//!
//! The cost of a page is known only when it is there, so each page is charged with its possible cost first and settled
//! afterwards. Two rules apply. Pages begin at the interval of the rate, which keeps the average and spreads the load.
//! And no page begins while the pages of the last [`WINDOW`], those in flight included, have used the rate up, so that
//! late answers that arrive together do not exceed it either.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// The time over which the rate is kept, except for one page.
pub(super) const WINDOW: Duration = Duration::from_secs(5);

/// How much of the rate one page may use.
const PAGE: Duration = Duration::from_secs(1);

/// How fast the cost of an item is forgotten when items become smaller, per page.
const FORGET: f64 = 0.05;

/// A page that may be requested.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    /// How many items it may have.
    pub items: i32,
    charged: f64,
    begun: Instant,
}

/// The capacity that a scan may use.
#[derive(Debug)]
pub(super) struct Budget {
    rate: f64,
    workers: u32,
    /// When the charges so far are paid.
    due: Instant,
    answered: VecDeque<(Instant, f64)>,
    under_way: f64,
    /// The highest recent cost of an item, on average over a page; before the first page, the highest possible cost.
    per_item: f64,
    measured: bool,
    /// The shortest time a page took.
    quickest: Option<Duration>,
}

impl Budget {
    /// Allows `rate` units a second; an item costs `dearest` at most.
    pub fn new(rate: f64, dearest: f64, now: Instant) -> Self {
        Self {
            rate,
            workers: 1,
            due: now,
            answered: VecDeque::new(),
            under_way: 0.0,
            per_item: dearest,
            measured: false,
            quickest: None,
        }
    }

    /// Divides the rate among `workers`.
    pub fn share(&mut self, workers: u32) {
        self.workers = workers.max(1);
    }

    fn rate(&self) -> f64 {
        self.rate / f64::from(self.workers)
    }

    /// Charges a page, or returns when to ask again; an earlier answer may allow one sooner.
    pub fn begin(&mut self, now: Instant) -> Result<Ticket, Instant> {
        if self.due > now {
            return Err(self.due);
        }
        self.forget(now);
        let most = self.rate() * WINDOW.as_secs_f64();
        if self.under_way + self.answered.iter().map(|(_, units)| units).sum::<f64>() > most {
            return Err(self.answered.front().map_or(now + PAGE, |(at, _)| self.leaves(*at)).max(now + TICK));
        }
        let items = (self.rate() * PAGE.as_secs_f64() / self.per_item).floor().clamp(1.0, f64::from(i32::MAX));
        let charged = items * self.per_item;
        self.under_way += charged;
        self.due = now + self.pays(charged);
        // Bounded by `i32::MAX` above.
        Ok(Ticket { items: items as i32, charged, begun: now })
    }

    /// Settles a page with its cost; without an answer, with its charge.
    pub fn end(&mut self, ticket: &Ticket, cost: Option<Cost>, now: Instant) {
        self.under_way = (self.under_way - ticket.charged).max(0.0);
        let units = cost.map_or(ticket.charged, |cost| cost.units);
        self.answered.push_back((now, units));
        if units > ticket.charged {
            self.due += self.pays(units - ticket.charged);
        } else {
            self.due = self.due.checked_sub(self.pays(ticket.charged - units)).unwrap_or(self.due);
        }
        if let Some(cost) = cost {
            let took = now.saturating_duration_since(ticket.begun);
            self.quickest = Some(self.quickest.map_or(took, |quickest| quickest.min(took)));
            self.learn(cost);
        }
    }

    fn learn(&mut self, cost: Cost) {
        if cost.items == 0 {
            return;
        }
        let average = cost.units / cost.items as f64;
        self.per_item =
            if self.measured { average.max(self.per_item + (average - self.per_item) * FORGET) } else { average };
        self.measured = true;
    }

    /// A page that begins now is answered no sooner than the quickest page so far, so answers that have left the window
    /// by then are dropped.
    fn forget(&mut self, now: Instant) {
        while self.answered.front().is_some_and(|(at, _)| self.leaves(*at) <= now) {
            self.answered.pop_front();
        }
    }

    fn leaves(&self, at: Instant) -> Instant {
        at + WINDOW.saturating_sub(self.quickest.unwrap_or_default())
    }

    fn pays(&self, units: f64) -> Duration {
        Duration::try_from_secs_f64(units / self.rate()).unwrap_or(WINDOW)
    }
}

/// The shortest wait.
const TICK: Duration = Duration::from_millis(1);

/// What a page cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Units of read capacity.
    pub units: f64,
    /// The items that it read.
    pub items: u64,
}

#[cfg(test)]
#[path = "budget/tests.rs"]
mod tests;
