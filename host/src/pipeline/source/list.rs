//! A list of ids as a source: ready ids are claimed in small groups, and settled once their effects are acknowledged.
//!
//! The owner of a claimed id is a lease on a line of a run. The id is free again when that lease is released, taken
//! over or stands still. Whether a document reached the index is not checked here; `run/loaded.rs` does that at the
//! end.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Before, Ended, Entry, Line, Origin, Receipt, Source};

use crate::{
    capability::storage::Scan,
    error::Result,
    ledger::{
        Progress, State,
        list::{List, Listed, Move},
    },
    pipeline::{
        backoff,
        lease::{Held, Leases},
        sink::Work,
    },
    record::Effect,
};

/// How many ids are claimed at once: each claim is a write, and if the worker dies its claims only delay the ids.
const MOST: usize = 100;

/// The longest pause before looking again for ids that other workers may put back.
const LOOK: Duration = Duration::from_secs(1);

/// How long to wait when only ids in flight here can come back.
const SOON: Duration = Duration::from_millis(50);

/// The documents that were written for an id under its own name: by index, each with its version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed(pub BTreeMap<String, Option<u64>>);

impl Handed {
    /// Reads the reason of an id that is done; empty if this program did not write it.
    pub fn read(reason: &str) -> Self {
        serde_json::from_str(reason).unwrap_or_default()
    }

    /// The documents of acknowledged effects.
    fn of(work: &Work, listed: &str) -> Self {
        let mut handed = BTreeMap::new();
        for effect in work.effects.iter().filter(|_| work.id == listed) {
            match effect {
                Effect::PutDocument { index, id, version, .. } if *id == work.id => {
                    handed.insert(index.clone(), version.or(work.version));
                }
                Effect::DeleteDocument { index, id, .. } if *id == work.id => drop(handed.remove(index)),
                _ => {}
            }
        }
        Self(handed)
    }

    /// Writes it as a reason; empty if there is no document to look for.
    pub(in crate::pipeline) fn text(work: &Work, listed: &str) -> String {
        match Self::of(work, listed) {
            Self(handed) if handed.is_empty() => String::new(),
            handed => serde_json::to_string(&handed).unwrap_or_default(),
        }
    }
}

/// A list as a source.
pub(in crate::pipeline) struct Loaded(Arc<Shared>);

/// A list, as all lines of one process share it.
struct Shared {
    list: Arc<dyn List>,
    scan: Arc<dyn Scan>,
    leases: Arc<Leases>,
    run: String,
    /// One line claims at a time.
    round: tokio::sync::Mutex<Round>,
    /// The ids in flight in this process, as they were when they were claimed. An id that the list assigns to it and
    /// that is not here was claimed by a call whose answer was lost, and any line may take it.
    in_hand: Mutex<HashMap<String, Listed>>,
    /// Ids that were put back, since they may succeed later.
    tries: Mutex<HashMap<String, Try>>,
}

/// How far this process has read the list.
#[derive(Default)]
struct Round {
    from: Option<String>,
    /// Ids of owners that are unknown here, and since when they have not changed.
    seen: HashMap<String, (u64, Instant)>,
    /// When the next look is due.
    next: Option<Instant>,
    /// How often in a row no id was ready or in progress.
    quiet: u32,
    over: bool,
}

#[derive(Debug, Clone, Copy)]
struct Try {
    attempts: u32,
    next: Instant,
}

/// One lease of a line, as an owner of ids.
struct Claims {
    loaded: Arc<Shared>,
    owner: String,
}

impl Loaded {
    /// Takes ids from a list and reads their records, for a run.
    pub fn new(list: Arc<dyn List>, scan: Arc<dyn Scan>, leases: Arc<Leases>, run: String) -> Self {
        let (round, in_hand, tries) = Default::default();
        Self(Arc::new(Shared { list, scan, leases, run, round, in_hand, tries }))
    }
}

impl Source for Loaded {
    fn open(&self, line: u32, held: &Arc<Held>) -> Arc<dyn Line> {
        let Self(loaded) = self;
        let owner = format!("{} {line} {}", loaded.run, held.token);
        Arc::new(Claims { loaded: loaded.clone(), owner })
    }
}

/// The cursor is ignored, since the list itself records what is done.
#[async_trait]
impl Line for Claims {
    async fn read(&self, _: Option<&str>, limit: usize) -> Result<(Vec<Entry>, Option<String>)> {
        let (claimed, over) = self.claim_or_rest(limit.clamp(1, MOST)).await?;
        if claimed.is_empty() {
            return Ok((Vec::new(), (!over).then(String::new)));
        }
        let records = match self.loaded.scan.reread(&claimed).await {
            Ok(records) => records,
            Err(error) => {
                self.put_back(&claimed).await;
                return Err(error);
            }
        };
        let entries = claimed.into_iter().zip(records);
        let entries = entries.map(|(id, record)| self.loaded.entry(id, record.map(|record| record.body)));
        Ok((entries.collect(), Some(String::new())))
    }

    /// Moves ids to the state in which they ended. An id that another lease took over meanwhile is left to that lease.
    async fn settle(&self, ends: &[Ended]) -> Result<()> {
        let step = |end: &Ended| {
            let found = self.in_hand(end.receipt.name())?;
            Some(Move { found, state: end.state, reason: end.reason.clone(), owner: None })
        };
        // Before the move, so that no line here claims it again too soon.
        self.loaded.remember(ends);
        self.loaded.list.shift(&ends.iter().filter_map(step).collect::<Vec<_>>()).await?;
        for end in ends {
            self.drop(end.receipt.name());
        }
        Ok(())
    }

    /// Puts every id that is still in flight back to ready.
    async fn close(&self) {
        let is_own = |listed: &&Listed| listed.owner.as_ref() == Some(&self.owner);
        let ids: Vec<_> = self.loaded.in_hand().values().filter(is_own).map(|listed| listed.id.clone()).collect();
        self.put_back(&ids).await;
    }
}

impl Claims {
    async fn put_back(&self, ids: &[String]) {
        let taken: Vec<_> = ids.iter().filter_map(|id| self.drop(id)).collect();
        let ready = |found: Listed| Move { state: State::Ready, reason: found.reason.clone(), owner: None, found };
        let _ = self.loaded.list.shift(&taken.into_iter().map(ready).collect::<Vec<_>>()).await;
    }

    /// Claims ids; if there are none now, waits for a while. Returns whether no more ids are expected.
    async fn claim_or_rest(&self, limit: usize) -> Result<(Vec<String>, bool)> {
        let rest = {
            let mut round = self.loaded.round.lock().await;
            if round.over {
                return Ok((Vec::new(), true));
            }
            let (pace, now) = (self.loaded.pace(), Instant::now());
            if round.next.is_none_or(|next| next <= now) {
                let claimed = self.claim(limit, &mut round).await?;
                round.next = claimed.is_empty().then(|| Instant::now() + pace);
                if !claimed.is_empty() || round.over {
                    return Ok((claimed, round.over));
                }
            }
            pace
        };
        tokio::time::sleep(rest).await;
        Ok((Vec::new(), false))
    }

    async fn claim(&self, limit: usize, round: &mut Round) -> Result<Vec<String>> {
        let (whole, mut open) = (round.from.is_none(), false);
        loop {
            let page = self.loaded.list.page(Some(State::Ready), round.from.as_deref(), limit).await?;
            open |= !page.ids.is_empty();
            let due = page.ids.into_iter().filter(|listed| self.loaded.is_due(&listed.id));
            let taken = self.take(due.collect()).await?;
            round.from = page.next;
            if !taken.is_empty() {
                round.quiet = 0;
                return Ok(taken);
            }
            if round.from.is_none() {
                break;
            }
        }
        let (taken, in_progress) = self.take_over(limit, round).await?;
        round.quiet = if whole && !open && !in_progress { round.quiet + 1 } else { 0 };
        // An id that another worker is moving may be in neither state for a moment.
        round.over = round.quiet > u32::from(self.loaded.leases.are_shared());
        Ok(taken)
    }

    /// Takes over ids in progress whose owner is dead. Returns also whether any are in progress.
    async fn take_over(&self, limit: usize, round: &mut Round) -> Result<(Vec<String>, bool)> {
        let (mut from, mut any) = (None, false);
        loop {
            let page = self.loaded.list.page(Some(State::InProgress), from.as_deref(), limit).await?;
            any |= !page.ids.is_empty();
            // The leases are read after the ids, so that the owner of each claimed id had its lease by then.
            let lines = if page.ids.is_empty() { Vec::new() } else { self.loaded.leases.look().await? };
            let free = page.ids.into_iter().filter(|listed| self.loaded.is_free(listed, &lines, &mut round.seen));
            let taken = self.take(free.collect()).await?;
            if !taken.is_empty() || page.next.is_none() {
                return Ok((taken, any));
            }
            from = page.next;
        }
    }

    /// Claims ids as they were found; returns those that no other worker claimed first.
    async fn take(&self, found: Vec<Listed>) -> Result<Vec<String>> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let claim = |found: Listed| Move {
            state: State::InProgress,
            reason: found.reason.clone(),
            owner: Some(self.owner.clone()),
            found,
        };
        let claims: Vec<_> = found.into_iter().map(claim).collect();
        let moved = self.loaded.list.shift(&claims).await?;
        let taken =
            claims.into_iter().zip(moved).filter(|(_, moved)| *moved).map(|(Move { found, state, owner, .. }, _)| {
                let token = found.token + 1;
                Listed { state, owner, token, ..found }
            });
        let taken: Vec<_> = taken.collect();
        let ids = taken.iter().map(|listed| listed.id.clone()).collect();
        self.loaded.in_hand().extend(taken.into_iter().map(|listed| (listed.id.clone(), listed)));
        Ok(ids)
    }

    /// An id as this lease claimed it; none if it did not, or if another line took it over since.
    fn in_hand(&self, id: &str) -> Option<Listed> {
        self.loaded.in_hand().get(id).filter(|listed| listed.owner.as_ref() == Some(&self.owner)).cloned()
    }

    fn drop(&self, id: &str) -> Option<Listed> {
        let found = self.in_hand(id)?;
        self.loaded.in_hand().remove(id);
        Some(found)
    }
}

impl Shared {
    fn entry(&self, id: String, body: Option<Vec<u8>>) -> Entry {
        let attempts = self.tries().get(&id).map(|before| before.attempts);
        let origin = Origin {
            cursor: String::new(),
            position: id.clone(),
            before: attempts.map(|attempts| Before { state: State::Ready, attempts }),
            receipt: Some(Receipt::Listed(id.clone(), String::new())),
        };
        Entry { origin, id: Some(id), body, ..Entry::default() }
    }

    /// Whether an id has no living owner.
    fn is_free(&self, listed: &Listed, lines: &[Progress], seen: &mut HashMap<String, (u64, Instant)>) -> bool {
        if self.in_hand().get(&listed.id).is_some_and(|held| held.token == listed.token) {
            return false;
        }
        if !self.leases.are_shared() {
            return true;
        }
        let Some((line, token)) = listed.owner.as_deref().and_then(|owner| lease_of(owner, &self.run)) else {
            let (token, since) = *seen
                .entry(listed.id.clone())
                .and_modify(|(token, since)| {
                    if *token != listed.token {
                        (*token, *since) = (listed.token, Instant::now());
                    }
                })
                .or_insert_with(|| (listed.token, Instant::now()));
            return token == listed.token && since.elapsed() >= self.leases.lasting();
        };
        match lines.get(line as usize).and_then(|progress| progress.lease.as_ref()) {
            Some(lease) if lease.token == token => self.leases.are_own(lease) || self.leases.stands_still(line),
            _ => true,
        }
    }

    fn is_due(&self, id: &str) -> bool {
        self.tries().get(id).is_none_or(|before| before.next <= Instant::now())
    }

    fn remember(&self, ends: &[Ended]) {
        let mut tries = self.tries();
        for end in ends {
            let id = end.receipt.name();
            if end.state == State::Ready {
                let next = Instant::now() + backoff::pause(end.attempts);
                tries.insert(id.to_owned(), Try { attempts: end.attempts, next });
            } else {
                tries.remove(id);
            }
        }
    }

    fn in_hand(&self) -> MutexGuard<'_, HashMap<String, Listed>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tries(&self) -> MutexGuard<'_, HashMap<String, Try>> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pace(&self) -> Duration {
        if self.leases.are_shared() { LOOK.min(self.leases.lasting() / 6) } else { SOON }
    }
}

/// The line and the token in an owner's name, if it belongs to this run.
fn lease_of(owner: &str, run: &str) -> Option<(u32, u64)> {
    let (line, token) = owner.strip_prefix(run)?.strip_prefix(' ')?.split_once(' ')?;
    Some((line.parse().ok()?, token.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Counts;

    fn put(index: &str, id: &str, version: Option<u64>) -> Effect {
        Effect::PutDocument { index: index.into(), id: id.into(), version, body: "{}".into() }
    }

    fn handed(effects: Vec<Effect>, listed: &str) -> Handed {
        let work = Work { id: "a".into(), version: Some(7), effects, counts: Counts::default(), failure: None };
        Handed::read(&Handed::text(&work, listed))
    }

    #[test]
    fn what_was_handed_over_under_the_ids_own_name_can_be_looked_for() {
        let effects = vec![put("x", "a", None), put("y", "a", Some(9)), put("x", "b", None)];
        let expected = BTreeMap::from([("x".to_owned(), Some(7)), ("y".to_owned(), Some(9))]);
        assert_eq!(handed(effects.clone(), "a"), Handed(expected));
        assert_eq!(handed(effects, "another"), Handed::default());
        let delete = Effect::DeleteDocument { index: "x".into(), id: "a".into(), version: None };
        assert_eq!(handed(vec![put("x", "a", None), delete], "a"), Handed::default());
        assert_eq!(Handed::read("what another tool wrote"), Handed::default());
    }

    #[test]
    fn an_owner_names_its_lease_to_its_own_run_only() {
        assert_eq!(lease_of("r-1 3 12", "r-1"), Some((3, 12)));
        for owner in ["r-1 3", "r-12 3 12", "r-1", "", "somebody", "r-1 x 1"] {
            assert_eq!(lease_of(owner, "r-1"), None, "{owner}");
        }
    }
}
