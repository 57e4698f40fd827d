//! Divides the lines of a run: each worker takes free ones, works through them, and continues with the next, until all
//! are at their end. A worker that finds no free line watches the others, and takes over a line whose lease stands
//! still.

use std::{collections::BTreeSet, sync::Arc};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};

use super::{
    Pipeline, backoff,
    lease::{self, Held},
    source::Source,
    task,
};
use crate::{
    error::{Error, Kind, Result},
    event::Event,
    ledger::{Phase, Progress},
};

/// How many lines a worker takes at a time on a shared ledger by default; fewer if a second worker would find none
/// otherwise.
const AT_ONCE: u32 = 16;

/// The lines this process works on now.
#[derive(Default)]
struct Lines {
    numbers: BTreeSet<u32>,
    work: FuturesUnordered<BoxFuture<'static, (u32, Result<bool>)>>,
}

impl Lines {
    fn start(&mut self, line: u32, work: impl Future<Output = Result<bool>> + Send + 'static) {
        let task = task::spawn(work);
        self.numbers.insert(line);
        self.work.push(async move { (line, task.join().await) }.boxed());
    }

    /// Waits until a line ends; none if no line is running.
    async fn next(&mut self) -> Option<Result<bool>> {
        let (line, ended) = self.work.next().await?;
        self.numbers.remove(&line);
        Some(ended)
    }
}

impl Pipeline {
    /// Works through the lines of a source, beside other workers. Returns whether all are at their end.
    pub(super) async fn divide(&self, source: &dyn Source) -> Result<bool> {
        let mut lines = Lines::default();
        let mut failure = None;
        let mut looks = 0;
        while !self.must_stop() || !lines.numbers.is_empty() {
            match self.fill(source, &mut lines).await {
                Ok(true) => return failure.map_or(Ok(true), Err),
                Ok(false) => {}
                Err(error) => failure = failure.or(Some(error)),
            }
            if failure.is_some() {
                self.halt();
            }
            looks = if lines.numbers.is_empty() { looks + 1 } else { 0 };
            let idle = self.must_stop() || !self.parts.leases.are_shared();
            tokio::select! {
                // The first error is the cause; the other lines fail because of it.
                Some(ended) = lines.next() => failure = failure.or(ended.err()),
                rested = self.parts.leases.rest(looks), if !idle => drop(rested),
                else => {}
            }
        }
        failure.map_or(Ok(false), Err)
    }

    /// Takes free lines, up to this process's share. Returns whether every line is at its end.
    async fn fill(&self, source: &dyn Source, lines: &mut Lines) -> Result<bool> {
        if self.must_stop() {
            return Ok(false);
        }
        let found = self.look_around(&lines.numbers).await?;
        let mut open: Vec<_> = (0..self.parts.run.segments).filter(|line| !found[*line as usize].ended).collect();
        if open.is_empty() && lines.numbers.is_empty() {
            return Ok(true);
        }
        // Workers that start at the same moment begin at different lines.
        if self.parts.leases.are_shared() {
            let first = self.chance as usize % open.len().max(1);
            open.rotate_left(first);
        }
        for line in open {
            if lines.numbers.len() >= self.at_once() || self.must_stop() {
                break;
            }
            if !lines.numbers.contains(&line)
                && let Some((held, progress)) = self.take(line, &found[line as usize]).await?
            {
                let held = Arc::new(held);
                let opened = source.open(line, &held);
                lines.start(line, self.clone().segment(held, opened, progress));
            }
        }
        Ok(false)
    }

    /// Takes a line, if it is free and not yet ended by a faster worker.
    async fn take(&self, line: u32, found: &Progress) -> Result<Option<(Held, Progress)>> {
        let leases = &self.parts.leases;
        if !leases.is_free(line, found) {
            return Ok(None);
        }
        let (attempts, events) = (self.parts.config.attempts, &self.parts.events);
        match backoff::insist(attempts, events, || leases.take(line, found)).await? {
            Some((held, progress)) if progress.ended => {
                leases.give_back(&held).await;
                Ok(None)
            }
            None if !leases.are_shared() => Err(lease::lost(line)),
            taken => Ok(taken),
        }
    }

    /// Reads the progress of each line; updates the totals, and the number of other workers.
    async fn look_around(&self, own: &BTreeSet<u32>) -> Result<Vec<Progress>> {
        let (leases, ledger, run) = (&self.parts.leases, &self.parts.ledger, &self.parts.run);
        let (attempts, events) = (self.parts.config.attempts, &self.parts.events);
        let found = backoff::insist(attempts, events, || leases.look()).await?;
        if !leases.are_shared() {
            return Ok(found);
        }
        let now = backoff::insist(attempts, events, || ledger.find(&run.id)).await?;
        if now.is_none_or(|run| run.phase == Phase::Abandoned) {
            return Err(Error::new(Kind::Stopped, format!("run {} was given up for a fresh one", run.id))
                .hint("run it again to work on that one"));
        }
        self.parts.scan.share(leases.workers());
        let (before, now) = {
            let mut total = self.total();
            let before = total.open();
            total.take_lines(&found, |line| own.contains(&line));
            (before, total.open())
        };
        if before != now {
            let groups = backoff::insist(attempts, events, || ledger.groups(&run.id, 0)).await?;
            self.total().take_groups(&groups);
        }
        let counts = self.counts();
        self.parts.config.check_hope(&counts)?;
        events.send(Event::Progress { counts });
        Ok(found)
    }

    /// How many lines this process works on at a time.
    pub(super) fn at_once(&self) -> usize {
        let segments = self.parts.run.segments.max(1);
        let lines = match self.parts.config.segments_at_once {
            0 if self.parts.leases.are_shared() => segments.div_ceil(2).min(AT_ONCE),
            0 => segments,
            lines => lines,
        };
        lines as usize
    }
}
