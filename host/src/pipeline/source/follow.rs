//! Follows a source whose records are removed when they are done: pass after pass over the records that are there,
//! without end.
//!
//! Only the source knows what is left to do, so no checkpoint moves. A record that is in flight, or that failed and did
//! not change, is remembered here and passed over; after a restart it is read again, and replaces its row in the
//! ledger. A missing object may appear without a notification, so its record is tried again after growing pauses.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::{Notify, futures::Notified},
    time::Instant,
};

use super::{Before, Ended, Entry, Line, Origin, Receipt, Source};
use crate::{
    capability::storage::{Page, Row, Scan, Segment},
    error::Result,
    ledger::{Filter, Ledger, Run, State},
    pipeline::{backoff, lease::Held, stop::Stop, totals::Totals},
};

/// How often a wait checks the stop request.
const NOTICE: Duration = Duration::from_millis(100);

/// The first pause before a record whose object was not found is tried again ...
const ABSENT: Duration = Duration::from_secs(1);

/// ... and the longest one, since each pause is twice as long as the one before.
const ABSENT_LONG: Duration = Duration::from_secs(10 * 60);

/// How many rows of the ledger are read at a time.
const ROWS: usize = 100;

/// How a run that follows its source is notified of new records.
#[derive(Debug, Clone)]
pub struct Follow {
    /// The intake of new records notifies all waiting lines.
    pub wake: Arc<Notify>,
    /// The longest pause between two polls.
    pub poll: Duration,
}

/// The segments of a source that is followed.
#[derive(Clone)]
pub(in crate::pipeline) struct Followed {
    /// What is scanned.
    pub scan: Arc<dyn Scan>,
    /// How it is notified.
    pub follow: Follow,
    /// Where the run is recorded.
    pub ledger: Arc<dyn Ledger>,
    /// The run.
    pub run: Run,
    /// The run's counts so far.
    pub total: Arc<Mutex<Totals>>,
    /// Ends every line.
    pub stop: Stop,
}

/// One line of work that follows a segment. It knows nothing of records that were read under earlier leases.
struct Follower {
    followed: Followed,
    segment: Segment,
    /// The lease of the line.
    held: Arc<Held>,
    look: Mutex<Look>,
}

/// The position of the current pass, and the records that are known.
#[derive(Default)]
struct Look {
    pass: u64,
    /// Where this pass resumes.
    at: Option<String>,
    known: BTreeMap<String, Known>,
}

/// A record that was handed out.
struct Known {
    /// The hash of its content.
    hash: blake3::Hash,
    /// The last pass in which it was seen.
    pass: u64,
    tries: u32,
    stand: Stand,
}

#[derive(Clone, Copy)]
enum Stand {
    /// It is in flight.
    InHand,
    /// It is handed out again at this time, if it is still there: it asked for that, was not found, or was done and not
    /// removed.
    Later(Instant),
    /// Another try of the same content would end in the same way.
    Over,
}

impl Source for Followed {
    fn open(&self, line: u32, held: &Arc<Held>) -> Arc<dyn Line> {
        let segment = Segment { number: line, total: self.run.segments };
        Arc::new(Follower { followed: self.clone(), segment, held: held.clone(), look: Mutex::default() })
    }
}

/// The cursor is ignored, since done records are removed.
#[async_trait]
impl Line for Follower {
    /// Waits for records to hand out; returns none only if the line has to end.
    async fn read(&self, _: Option<&str>, limit: usize) -> Result<(Vec<Entry>, Option<String>)> {
        loop {
            // A notification during a pass may be about a record that was written behind the pass.
            let woken = self.followed.follow.wake.notified();
            let was_whole = self.look().at.is_none();
            let entries = self.pass(limit).await?;
            if !entries.is_empty() || self.must_end() {
                return Ok((entries, Some(String::new())));
            }
            if was_whole {
                self.rest(woken).await;
            }
        }
    }

    async fn settle(&self, ends: &[Ended]) -> Result<()> {
        let mut look = self.look();
        for end in ends {
            let Some(known) = look.known.get_mut(end.receipt.name()) else { continue };
            known.tries += 1;
            known.stand = match end.state {
                State::Done | State::Ready => Stand::Later(Instant::now() + backoff::pause(known.tries)),
                State::NotFound => Stand::Later(Instant::now() + absent(known.tries)),
                _ => Stand::Over,
            };
        }
        Ok(())
    }
}

impl Follower {
    /// Continues the pass until there is a record to hand out, or the pass ends.
    async fn pass(&self, limit: usize) -> Result<Vec<Entry>> {
        while !self.must_end() {
            let at = self.look().at.clone();
            let Page { rows, next } = self.followed.scan.read(self.segment, at.as_deref(), limit).await?;
            let rows = self.look().choose(rows);
            let mut before = self.before(&rows).await?;
            // Nothing is recorded before everything is read: if a read fails, it is repeated.
            self.look().take(&rows, next.clone());
            let entries = rows.into_iter().map(|(row, _)| {
                let Row { position, body, .. } = row;
                let receipt = Some(Receipt::Followed(position.clone()));
                let before = before.remove(&position);
                let origin = Origin { cursor: String::new(), position, before, receipt };
                Entry { origin, body: Some(body), ..Entry::default() }
            });
            let entries: Vec<_> = entries.collect();
            if !entries.is_empty() || next.is_none() {
                return Ok(entries);
            }
        }
        Ok(Vec::new())
    }

    /// The rows of earlier tries: they are replaced, so that a record is not counted twice.
    async fn before(&self, rows: &[(Row, blake3::Hash)]) -> Result<BTreeMap<String, Before>> {
        let mut found = BTreeMap::new();
        let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last()) else { return Ok(found) };
        let Followed { ledger, run, total, .. } = &self.followed;
        if total.lock().unwrap_or_else(PoisonError::into_inner).open() == 0 {
            return Ok(found);
        }
        let mut after = just_before(&first.position).to_owned();
        loop {
            let rows = ledger.rows(&run.id, &Filter::default(), Some(&after), ROWS).await?;
            let Some(end) = rows.last().map(|row| row.position.clone()) else { return Ok(found) };
            let goes_on = end < last.position;
            found.extend(rows.into_iter().map(|row| {
                let before = Before::from(&row);
                (row.position, before)
            }));
            if !goes_on {
                return Ok(found);
            }
            after = end;
        }
    }

    /// Waits until it is notified, a record has to be tried again, the next poll is due, or the line has to end.
    async fn rest(&self, woken: Notified<'_>) {
        let mut woken = std::pin::pin!(woken);
        let look_again = Instant::now() + self.followed.follow.poll;
        loop {
            let now = Instant::now();
            // A record that is in flight may end meanwhile, and be due sooner.
            let until = self.look().next().map_or(look_again, |next| next.min(look_again));
            if self.must_end() || until <= now {
                return;
            }
            tokio::select! {
                () = &mut woken => return,
                () = tokio::time::sleep_until(until.min(now + NOTICE)) => {}
            }
        }
    }

    fn must_end(&self) -> bool {
        self.followed.stop.is_asked() || self.held.is_lost()
    }

    fn look(&self) -> MutexGuard<'_, Look> {
        self.look.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Look {
    /// Selects the rows to hand out now, with the hashes of their content.
    fn choose(&mut self, rows: Vec<Row>) -> Vec<(Row, blake3::Hash)> {
        let (now, pass) = (Instant::now(), self.pass);
        let hashed = rows.into_iter().map(|row| {
            let hash = blake3::hash(&row.body);
            (row, hash)
        });
        let is_due = |(row, hash): &(Row, blake3::Hash)| {
            let Some(known) = self.known.get_mut(&row.position) else { return true };
            known.pass = pass;
            match known.stand {
                Stand::InHand => false,
                Stand::Later(due) => known.hash != *hash || due <= now,
                Stand::Over => known.hash != *hash,
            }
        };
        hashed.filter(is_due).collect()
    }

    /// Records what is handed out, and moves the position. At the end of a pass, removed records are forgotten.
    fn take(&mut self, rows: &[(Row, blake3::Hash)], next: Option<String>) {
        for (row, hash) in rows {
            let same = self.known.get(&row.position).filter(|known| known.hash == *hash);
            let tries = same.map_or(0, |known| known.tries);
            let known = Known { hash: *hash, pass: self.pass, tries, stand: Stand::InHand };
            self.known.insert(row.position.clone(), known);
        }
        if next.is_none() {
            let pass = self.pass;
            self.known.retain(|_, known| known.pass == pass || matches!(known.stand, Stand::InHand));
            self.pass += 1;
        }
        self.at = next;
    }

    /// When the next record has to be handed out again.
    fn next(&self) -> Option<Instant> {
        let due = |known: &Known| if let Stand::Later(due) = known.stand { Some(due) } else { None };
        self.known.values().filter_map(due).min()
    }
}

/// The pause after a record's object was not found this often.
fn absent(tries: u32) -> Duration {
    ABSENT.saturating_mul(2u32.saturating_pow(tries.saturating_sub(1))).min(ABSENT_LONG)
}

/// A text that sorts before another one, with little in between.
fn just_before(text: &str) -> &str {
    text.char_indices().next_back().map_or("", |(last, _)| &text[..last])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_before_what_is_absent_is_looked_for_grow_and_stay_bounded() {
        assert_eq!([1, 2, 3].map(absent), [1, 2, 4].map(Duration::from_secs));
        assert_eq!(absent(u32::MAX), ABSENT_LONG);
    }
}
