//! One bulk request, carried out completely: every write is settled, or the whole request ends in an error and may be
//! repeated.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;

use super::{
    answer::{self, Verdict},
    body::{Asked, BulkChunk},
    client::{Client, Reply},
    concrete,
    fault::{self, Said},
    pace::{Pace, Round},
};
use crate::{
    capability::index::Written,
    error::{Error, Kind, Result},
};

const OPERATION: &str = "documents cannot be written";

/// The size allowed for an answer: a minimum, and an amount for each write and for each byte sent.
const LONG_ANSWER: usize = 1 << 20;
const LONG_ITEM: usize = 4 << 10;
const REPEATED: usize = 8;

/// The lines of the writes that are sent together.
#[derive(Debug)]
pub(super) struct BulkBody {
    lines: Bytes,
    ends: Vec<usize>,
}

impl BulkBody {
    /// Joins chunks, in order; takes their lines.
    pub(super) fn of<'a>(chunks: impl ExactSizeIterator<Item = &'a mut BulkChunk>) -> Self {
        let alone = chunks.len() == 1;
        let (mut lines, mut ends) = (Vec::new(), Vec::new());
        for chunk in chunks {
            ends.extend(chunk.ends.iter().map(|end| lines.len() + end));
            let more = std::mem::take(&mut chunk.lines);
            if alone {
                lines = more;
            } else {
                lines.extend_from_slice(&more);
            }
        }
        Self { lines: lines.into(), ends }
    }

    fn select(&self, which: &[usize]) -> Bytes {
        if which.len() == self.ends.len() {
            return self.lines.clone();
        }
        which.iter().flat_map(|at| self.of_write(*at).iter().copied()).collect()
    }

    /// The lines of one write.
    fn of_write(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.lines[start..self.ends[at]]
    }

    /// The content of some of the writes.
    fn asked(&self, which: &[usize]) -> Result<Vec<Asked<'_>>> {
        let read = |at: &usize| Asked::read(self.of_write(*at)).ok_or_else(|| Error::bug("a bulk line has no action"));
        which.iter().map(read).collect()
    }
}

/// The target of requests, and their pace.
pub(super) struct BulkTarget<'a> {
    pub client: &'a Client,
    /// An index, or its write alias.
    pub index: &'a str,
    pub pace: &'a Mutex<Pace>,
}

/// The result of sending some writes.
enum Sent {
    /// One verdict per write.
    Each(Vec<Verdict>),
    /// The request as a whole is refused, perhaps because of one write.
    Refused(String),
}

impl BulkTarget<'_> {
    /// Sends writes until each is settled: temporary failures are retried, a request that is refused as a whole is
    /// halved.
    ///
    /// *Errors*: no answer, so that the result is unknown; or nothing can be written to this index now. Repeating the
    /// whole call is safe.
    pub(super) async fn carry(&self, load: &BulkBody) -> Result<Vec<Written>> {
        let mut settled: Vec<Option<Written>> = vec![None; load.ends.len()];
        let mut pieces = vec![(0..load.ends.len()).collect::<Vec<_>>()];
        let mut patience = Patience::default();
        while let Some(piece) = pieces.pop() {
            let round = self.pace().round();
            let sent = self.send(load, &piece).await;
            match sent.map_err(|error| error.tried(patience.in_vain + 1))? {
                Sent::Each(verdicts) => {
                    let left = self.settle(piece, verdicts, &mut settled)?;
                    self.adapt(&left, round);
                    pieces.extend(self.wait(left, &mut patience, &mut settled).await?);
                }
                Sent::Refused(reason) => match piece.as_slice() {
                    [alone] => settled[*alone] = Some(Written::Refused(reason)),
                    _ => {
                        let (first, second) = piece.split_at(piece.len() / 2);
                        pieces.extend([second.to_vec(), first.to_vec()]);
                    }
                },
            }
        }
        let unsettled = || Error::bug("a write was neither settled nor sent again");
        settled.into_iter().map(|written| written.ok_or_else(unsettled)).collect()
    }

    async fn send(&self, load: &BulkBody, piece: &[usize]) -> Result<Sent> {
        let write_alias = if concrete::behind(self.index).is_some() { "&require_alias=true" } else { "" };
        let path = format!("{}/_bulk?filter_path={}{write_alias}", self.index, answer::FILTER);
        let lines = load.select(piece);
        // An answer repeats refused values, each perhaps for several causes.
        let most = LONG_ANSWER + piece.len() * LONG_ITEM + lines.len() * REPEATED;
        let reply = self.client.lines(OPERATION, &path, lines, most).await?;
        if reply.status == 200 {
            return answer::verdicts(&reply.body, &load.asked(piece)?)
                .map(Sent::Each)
                .map_err(|reason| unusable(&reason).with("index", self.name()));
        }
        self.refused(&reply, piece.len())
    }

    /// The meaning of an error of the whole request for its writes.
    fn refused(&self, reply: &Reply, writes: usize) -> Result<Sent> {
        let said = Said::of(reply);
        let each =
            |verdict: fn(String) -> Verdict| Sent::Each((0..writes).map(|_| verdict(said.reason.clone())).collect());
        match (reply.status, said.kind.as_str()) {
            (_, "cluster_block_exception") => Ok(each(Verdict::Blocked)),
            (_, kind) if answer::is_pushing_back(kind) => Ok(each(Verdict::Slower)),
            (429, _) => Ok(each(Verdict::Slower)),
            (413, _) => Ok(Sent::Refused(said.words().to_owned())),
            (400, kind) if kind != "index_closed_exception" && !said.foreign => {
                Ok(Sent::Refused(said.words().to_owned()))
            }
            _ => Err(fault::explain(OPERATION, self.client.engine(), reply.status, &said).with("index", self.name())),
        }
    }

    /// Records what is settled, and returns what is not.
    fn settle(&self, piece: Vec<usize>, verdicts: Vec<Verdict>, settled: &mut [Option<Written>]) -> Result<Left> {
        let mut left = Left::default();
        for (at, verdict) in piece.into_iter().zip(verdicts) {
            let reason = match verdict {
                Verdict::Settled(written) => {
                    settled[at] = Some(written);
                    left.progress = true;
                    continue;
                }
                Verdict::Slower(reason) => {
                    left.slower = true;
                    reason
                }
                Verdict::Again(reason) => reason,
                Verdict::Blocked(reason) => {
                    left.blocked = true;
                    reason
                }
                Verdict::Hopeless(kind, reason) => return Err(self.hopeless(kind, reason)),
            };
            left.writes.push(at);
            left.reason = reason;
        }
        Ok(left)
    }

    fn hopeless(&self, kind: String, reason: String) -> Error {
        let status = match kind.as_str() {
            "index_not_found_exception" => return concrete::no_index(self.name()),
            "security_exception" => 403,
            _ => 400,
        };
        let said = Said { kind, reason, foreign: false };
        fault::explain(OPERATION, self.client.engine(), status, &said).with("index", self.name())
    }

    fn adapt(&self, left: &Left, round: Round) {
        if left.slower {
            self.pace().pushed_back(round);
        } else if left.writes.is_empty() {
            self.pace().taken();
        }
    }

    /// Waits before the remaining writes are sent again; gives up after too many tries.
    async fn wait(
        &self,
        left: Left,
        patience: &mut Patience,
        settled: &mut [Option<Written>],
    ) -> Result<Option<Vec<usize>>> {
        if left.writes.is_empty() {
            return Ok(None);
        }
        match patience.pause(&left) {
            Some(pause) => tokio::time::sleep(pause).await,
            None if left.blocked => {
                let kind = "cluster_block_exception".to_owned();
                let said = Said { kind, reason: left.reason, foreign: false };
                return Err(fault::explain(OPERATION, self.client.engine(), 403, &said).with("index", self.name()));
            }
            // An overloaded cluster is not the fault of these documents.
            None if left.slower => {
                let kind = "es_rejected_execution_exception".to_owned();
                let said = Said { kind, reason: left.reason, foreign: false };
                let error = fault::explain(OPERATION, self.client.engine(), 429, &said);
                return Err(error.with("index", self.name()).tried(Patience::TRIES));
            }
            None => {
                left.writes.iter().for_each(|at| settled[*at] = Some(Written::Failed(left.reason.clone())));
                return Ok(None);
            }
        }
        Ok(Some(left.writes))
    }

    /// The name of the index for display.
    fn name(&self) -> &str {
        concrete::behind(self.index).unwrap_or(self.index)
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of an answer that shows nothing reliable about the writes.
fn unusable(reason: &str) -> Error {
    Error::new(Kind::Unavailable, format!("{OPERATION}: {reason}")).hint(
        "nothing of this request counts as written; if it persists, look at what stands before the cluster, and at the index's ingest pipelines",
    )
}

/// The writes that are not settled yet.
#[derive(Debug, Default)]
struct Left {
    writes: Vec<usize>,
    reason: String,
    progress: bool,
    slower: bool,
    blocked: bool,
}

/// How long to wait before writes are sent again, until no write was settled for too long.
#[derive(Debug, Default)]
struct Patience {
    in_vain: u32,
}

impl Patience {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(5);
    const TRIES: u32 = 10;
    /// The user removes a block, or the cluster does once a minute, so it is checked less often.
    const BLOCKED: [Duration; 4] =
        [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

    fn pause(&mut self, left: &Left) -> Option<Duration> {
        self.in_vain = if left.progress { 1 } else { self.in_vain + 1 };
        let before = self.in_vain - 1;
        if left.blocked {
            return Self::BLOCKED.get(before as usize).copied();
        }
        let pause = Self::FIRST.saturating_mul(2u32.saturating_pow(before)).min(Self::LONGEST);
        (self.in_vain <= Self::TRIES).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_writes_can_go_again() {
        let chunk =
            |text: &str, ends: &[usize]| BulkChunk { lines: text.into(), ends: ends.to_vec(), ..BulkChunk::default() };
        let mut chunks = [chunk("aabbb", &[2, 5]), chunk("c", &[1])];
        let load = BulkBody::of(chunks.iter_mut());
        assert_eq!(load.select(&[0, 1, 2]), "aabbbc");
        assert_eq!(load.select(&[1]), "bbb");
        assert_eq!(load.select(&[0, 2]), "aac");
        assert_eq!(BulkBody::of([chunk("aa", &[2])].iter_mut()).select(&[0]), "aa");
    }

    #[test]
    fn patience_ends_unless_something_is_settled() {
        let left = |progress, blocked| Left { progress, blocked, ..Left::default() };
        let mut patience = Patience::default();
        let pauses: Vec<_> = std::iter::from_fn(|| patience.pause(&left(false, false))).collect();
        assert_eq!(pauses.len(), Patience::TRIES as usize);
        assert!(pauses.is_sorted() && pauses.last() == Some(&Patience::LONGEST));
        assert_eq!(patience.pause(&left(true, false)), Some(Patience::FIRST));
        let mut patience = Patience::default();
        assert_eq!(std::iter::from_fn(|| patience.pause(&left(false, true))).count(), Patience::BLOCKED.len());
    }
}
