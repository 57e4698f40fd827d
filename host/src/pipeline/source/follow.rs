//! Following a source whose records go away when they are done: pass after pass over what is there, for ever.
//!
//! The source alone says what is left to do, so no checkpoint moves. What is in hand, or failed as it is, is remembered
//! here and passed over; after a death it is taken again, over the rows that the ledger has of it. What was not found may
//! come without a word, so it is looked for again after growing pauses.

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

/// How soon a wait notices that somebody asks to stop.
const NOTICE: Duration = Duration::from_millis(100);

/// How long to wait before what was not found is looked for again, at first ...
const ABSENT: Duration = Duration::from_secs(1);

/// ... and at most, since each further pause is twice as long.
const ABSENT_LONG: Duration = Duration::from_secs(10 * 60);

/// How many rows of the ledger are read at a time.
const ROWS: usize = 100;

/// How a run that follows its source learns of new records.
#[derive(Debug, Clone)]
pub struct Follow {
    /// Whoever brought some notifies everybody who waits.
    pub wake: Arc<Notify>,
    /// How long it waits at most before it looks by itself.
    pub poll: Duration,
}

/// The segments of a source that is followed.
#[derive(Clone)]
pub(in crate::pipeline) struct Followed {
    /// What is followed.
    pub scan: Arc<dyn Scan>,
    /// How it is followed.
    pub follow: Follow,
    /// Where the run is written down.
    pub ledger: Arc<dyn Ledger>,
    /// The run.
    pub run: Run,
    /// What the run comes to so far.
    pub total: Arc<Mutex<Totals>>,
    /// Ends every line.
    pub stop: Stop,
}

/// One line of work that follows a segment. It knows nothing yet of what was handed out under earlier leases.
struct Follower {
    followed: Followed,
    segment: Segment,
    /// The right to work on the line.
    held: Arc<Held>,
    look: Mutex<Look>,
}

/// How far the source was looked through, and what is known of the records that are there.
#[derive(Default)]
struct Look {
    pass: u64,
    /// Where this pass goes on.
    at: Option<String>,
    known: BTreeMap<String, Known>,
}

/// A record that was handed out.
struct Known {
    /// What was in it.
    hash: blake3::Hash,
    /// When it was last seen.
    pass: u64,
    tries: u32,
    stand: Stand,
}

#[derive(Clone, Copy)]
enum Stand {
    /// It is worked on.
    InHand,
    /// It is to be handed out again then, should it still be there: it asked for that, was not found, or was done and did
    /// not go away.
    Later(Instant),
    /// Another try of the same would end as the last one.
    Over,
}

impl Source for Followed {
    fn open(&self, line: u32, held: &Arc<Held>) -> Arc<dyn Line> {
        let segment = Segment { number: line, total: self.run.segments };
        Arc::new(Follower { followed: self.clone(), segment, held: held.clone(), look: Mutex::default() })
    }
}

/// The cursor says nothing, since what is done went away.
#[async_trait]
impl Line for Follower {
    /// Waits for records to hand out; there are none only if the line is to end.
    async fn read(&self, _: Option<&str>, limit: usize) -> Result<(Vec<Entry>, Option<String>)> {
        loop {
            // A notification during a pass may be of a record that was written behind it.
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
    /// Goes on with the pass until there is something to hand out, or to its end.
    async fn pass(&self, limit: usize) -> Result<Vec<Entry>> {
        while !self.must_end() {
            let at = self.look().at.clone();
            let Page { rows, next } = self.followed.scan.read(self.segment, at.as_deref(), limit).await?;
            let rows = self.look().choose(rows);
            let mut before = self.before(&rows).await?;
            // Nothing is noted down before everything was read: what failed is read again.
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

    /// The rows of earlier tries: they are taken up again, not counted twice.
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

    /// Waits until somebody notifies, a record is to be tried again, it is time to look, or the line is to end.
    async fn rest(&self, woken: Notified<'_>) {
        let mut woken = std::pin::pin!(woken);
        let look_again = Instant::now() + self.followed.follow.poll;
        loop {
            let now = Instant::now();
            // What is in hand meanwhile may end, and be due sooner.
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
    /// The rows that are to be handed out now, with what is in them.
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

    /// Notes down what is handed out, and goes on after it. At the end of a pass, what went away is forgotten.
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

    /// When the next record is to be handed out again.
    fn next(&self) -> Option<Instant> {
        let due = |known: &Known| if let Stand::Later(due) = known.stand { Some(due) } else { None };
        self.known.values().filter_map(due).min()
    }
}

/// How long to wait before what was not found so often is looked for again.
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
