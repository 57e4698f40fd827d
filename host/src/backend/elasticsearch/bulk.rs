//! The bulk writer: combines the writes of many callers into few requests, each of the best size, and as many as the
//! cluster accepts.
//!
//! A document has at most one write in flight; later ones wait, so that the order of a caller is kept. Requests
//! continue when a caller is dropped. No task outlives its last request: there is no idle background task.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OnceCell, oneshot};

use super::{
    body::{BulkChunk, Packer},
    client::Client,
    pace::Pace,
    request::{BulkBody, BulkTarget},
};
use crate::{
    capability::index::{Write, Written},
    error::{Error, Result},
};

/// While other requests are in flight, one with fewer bytes waits for more.
const LITTLE: usize = 1_000_000;

/// Everything written through one index.
#[derive(Debug)]
pub(super) struct Bulk {
    client: Arc<Client>,
    enough: usize,
    packer: OnceCell<Packer>,
    pace: Mutex<Pace>,
    work: Mutex<Work>,
}

#[derive(Debug, Default)]
struct Work {
    waiting: VecDeque<Waiting>,
    /// The documents whose writes are in flight.
    under_way: HashSet<u64>,
    requests: usize,
}

type Answered = oneshot::Receiver<Result<Vec<Written>>>;

#[derive(Debug)]
struct Waiting {
    index: Arc<str>,
    chunk: BulkChunk,
    answer: oneshot::Sender<Result<Vec<Written>>>,
}

impl Bulk {
    pub(super) fn new(client: Arc<Client>, enough: usize, most_requests: u32) -> Self {
        let pace = Mutex::new(Pace::new(most_requests));
        Self { client, enough: enough.max(1), packer: OnceCell::new(), pace, work: Mutex::default() }
    }

    /// Writes in order; returns one answer per write.
    pub(super) async fn write(self: &Arc<Self>, index: &str, writes: &[Write]) -> Result<Vec<Written>> {
        let packer = self.packer.get_or_try_init(|| self.packer()).await?;
        let mut answers: Vec<Option<Written>> = vec![None; writes.len()];
        let chunks = packer.pack(index, writes, |place, reason| answers[place] = Some(Written::Refused(reason)));
        let sent: Vec<_> = self.enqueue(index, chunks);
        self.go_on();
        let mut failed = None;
        for (places, answer) in sent {
            match answer.await.unwrap_or_else(|_| Err(Error::bug("a bulk request died on its way"))) {
                Ok(written) => {
                    places.into_iter().zip(written).for_each(|(place, written)| answers[place] = Some(written));
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let unanswered = || Error::bug("a write was not answered");
        failed.map_or_else(|| answers.into_iter().map(|answer| answer.ok_or_else(unanswered)).collect(), Err)
    }

    /// Sends one chunk in a request of its own, beside all others.
    pub(super) async fn alone(&self, index: &str, mut chunk: BulkChunk) -> Result<Vec<Written>> {
        let target = BulkTarget { client: &self.client, index, pace: &self.pace };
        target.carry(&BulkBody::of(std::iter::once(&mut chunk))).await
    }

    async fn packer(&self) -> Result<Packer> {
        Ok(Packer::new(self.enough, self.client.longest().await?))
    }

    /// Queues chunks; returns the index of each write in its call, and the receivers of the answers.
    fn enqueue(&self, index: &str, chunks: Vec<BulkChunk>) -> Vec<(Vec<usize>, Answered)> {
        let index: Arc<str> = index.into();
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let mut enqueue = |mut chunk: BulkChunk| {
            let places = std::mem::take(&mut chunk.places);
            let (answer, answered) = oneshot::channel();
            work.waiting.push_back(Waiting { index: index.clone(), chunk, answer });
            (places, answered)
        };
        chunks.into_iter().map(&mut enqueue).collect()
    }

    /// Sends as many requests as the pace allows now.
    fn go_on(self: &Arc<Self>) {
        loop {
            let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.pace.lock().unwrap_or_else(PoisonError::into_inner).admits(work.requests) {
                return;
            }
            let taken = work.take(self.packer.get().map_or(self.enough, Packer::enough));
            if taken.is_empty() {
                return;
            }
            drop(work);
            tokio::spawn(self.clone().carry(taken));
        }
    }

    async fn carry(self: Arc<Self>, mut taken: Vec<Waiting>) {
        let Some(index) = taken.first().map(|first| first.index.clone()) else { return };
        let load = BulkBody::of(taken.iter_mut().map(|waiting| &mut waiting.chunk));
        let target = BulkTarget { client: &self.client, index: &index, pace: &self.pace };
        let outcome = target.carry(&load).await;
        self.work.lock().unwrap_or_else(PoisonError::into_inner).done(&taken);
        deliver(taken, outcome);
        self.go_on();
    }
}

impl Work {
    /// Takes what one request can hold, in order; nothing if it is too little or has to wait for other requests.
    fn take(&mut self, enough: usize) -> Vec<Waiting> {
        let waiting: usize = self.waiting.iter().map(|waiting| waiting.chunk.lines.len()).sum();
        if self.requests > 0 && waiting < LITTLE.min(enough) {
            return Vec::new();
        }
        let (mut taken, mut bytes, mut held, mut at) = (Vec::<Waiting>::new(), 0, HashSet::new(), 0);
        while let Some(next) = self.waiting.get(at) {
            let length = next.chunk.lines.len();
            if bytes > 0 && bytes + length > enough {
                break;
            }
            let elsewhere = taken.first().is_some_and(|first| first.index != next.index);
            if elsewhere || next.chunk.ids.iter().any(|id| self.under_way.contains(id) || held.contains(id)) {
                held.extend(next.chunk.ids.iter().copied());
                at += 1;
            } else if let Some(next) = self.waiting.remove(at) {
                self.under_way.extend(next.chunk.ids.iter().copied());
                bytes += length;
                taken.push(next);
            }
        }
        self.requests += usize::from(!taken.is_empty());
        taken
    }

    fn done(&mut self, taken: &[Waiting]) {
        self.requests -= 1;
        for id in taken.iter().flat_map(|waiting| &waiting.chunk.ids) {
            self.under_way.remove(id);
        }
    }
}

/// Sends each caller its part. A dropped caller needs none.
fn deliver(taken: Vec<Waiting>, outcome: Result<Vec<Written>>) {
    match outcome {
        Ok(written) => {
            let mut written = written.into_iter();
            for waiting in taken {
                let part = written.by_ref().take(waiting.chunk.ids.len()).collect();
                let _gone = waiting.answer.send(Ok(part));
            }
        }
        Err(error) => {
            for waiting in taken {
                let _gone = waiting.answer.send(Err(same(&error)));
            }
        }
    }
}

/// Copies an error for one more caller.
fn same(error: &Error) -> Error {
    let retry = if error.may_retry() { crate::error::Retry::Later } else { crate::error::Retry::Never };
    let mut same = Error::new(error.kind(), error.message()).retry(retry).tried(error.tries());
    for (label, value) in error.context() {
        same = same.with(label, value.clone());
    }
    if let Some(hint) = error.hint_text() {
        same = same.hint(hint);
    }
    match std::error::Error::source(error) {
        Some(cause) => same.because(std::io::Error::other(cause.to_string())),
        None => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(index: &str, ids: &[u64], bytes: usize) -> Waiting {
        let chunk = BulkChunk { lines: vec![0; bytes], ids: ids.to_vec(), ..BulkChunk::default() };
        Waiting { index: index.into(), chunk, answer: oneshot::channel().0 }
    }

    fn ids(taken: &[Waiting]) -> Vec<u64> {
        taken.iter().flat_map(|waiting| waiting.chunk.ids.clone()).collect()
    }

    #[test]
    fn a_document_has_one_write_under_way_and_the_others_keep_their_order() {
        let mut work = Work::default();
        work.waiting.extend([
            waiting("i", &[1, 2], LITTLE),
            waiting("i", &[2, 3], LITTLE),
            waiting("i", &[3], LITTLE),
            waiting("i", &[4], LITTLE),
        ]);
        let first = work.take(10 * LITTLE);
        assert_eq!(ids(&first), [1, 2, 4]);
        assert!(work.take(10 * LITTLE).is_empty(), "3 waits behind 2");
        work.done(&first);
        let second = work.take(10 * LITTLE);
        assert_eq!(ids(&second), [2, 3]);
        work.done(&second);
        assert_eq!(ids(&work.take(10 * LITTLE)), [3]);
    }

    #[test]
    fn a_request_is_for_one_index_and_no_longer_than_it_should_be() {
        let mut work = Work::default();
        work.waiting.extend([
            waiting("i", &[1], LITTLE),
            waiting("j", &[2], LITTLE),
            waiting("i", &[3], LITTLE),
            waiting("i", &[4], 2 * LITTLE),
        ]);
        assert_eq!(ids(&work.take(3 * LITTLE)), [1, 3]);
        assert_eq!(ids(&work.take(3 * LITTLE)), [2]);
        assert_eq!(ids(&work.take(LITTLE)), [4], "what is longer goes alone");
    }

    #[test]
    fn a_little_waits_only_while_others_are_under_way() {
        let mut work = Work::default();
        work.waiting.push_back(waiting("i", &[1], 10));
        let first = work.take(LITTLE);
        assert_eq!(ids(&first), [1]);
        work.waiting.push_back(waiting("i", &[2], 10));
        assert!(work.take(LITTLE).is_empty());
        work.done(&first);
        assert_eq!(ids(&work.take(LITTLE)), [2]);
    }
}
