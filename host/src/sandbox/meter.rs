//! Measures the CPU time of one call: the thread's own clock, while the call is being polled.
//!
//! Epochs only tick: they continue while a call waits and while its thread is preempted, so they cannot measure how
//! much a plugin used. The clock is read at a tick; a call that ends between two ticks needs no reading. The error is
//! less than one tick per call.

use std::{
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// The CPU time of the current call. Shared by the epoch callback and the future that runs the call, which never run at
/// the same time.
#[derive(Default)]
pub struct Meter {
    budget: AtomicU64,
    used: AtomicU64,
    /// The thread's clock when it was first read in this poll; 0 before.
    since: AtomicU64,
}

impl Meter {
    /// Begins a call with a budget.
    pub fn begin(&self, budget: Duration) {
        self.budget.store(u64::try_from(budget.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        self.used.store(0, Relaxed);
        self.since.store(0, Relaxed);
    }

    /// Reads the clock; returns whether the call is still within its budget.
    pub fn tick(&self) -> bool {
        self.used.load(Relaxed) + self.this_poll() <= self.budget.load(Relaxed)
    }

    /// Measures every poll of a call.
    pub fn measure<F: Future + Unpin>(&self, call: F) -> Measured<'_, F> {
        Measured { meter: self, call, resumed: false }
    }

    fn this_poll(&self) -> u64 {
        let now = thread_time();
        match self.since.load(Relaxed) {
            0 => {
                self.since.store(now, Relaxed);
                0
            }
            since => now.saturating_sub(since),
        }
    }
}

fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec);
    u64::try_from(nanos).unwrap_or(0).max(1)
}

/// A call whose CPU time is measured.
pub struct Measured<'a, F> {
    meter: &'a Meter,
    call: F,
    resumed: bool,
}

impl<F: Future + Unpin> Future for Measured<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if self.resumed {
            self.meter.since.store(thread_time(), Relaxed);
        }
        let answer = Pin::new(&mut self.call).poll(context);
        if answer.is_pending() {
            self.resumed = true;
            let used = self.meter.this_poll();
            self.meter.used.fetch_add(used, Relaxed);
        }
        answer
    }
}
