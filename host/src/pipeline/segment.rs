//! One line of work: read, map side by side, commit in order.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use tokio::{
    sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, mpsc},
    time::Instant,
};

use crate::{
    error::{Error, Result},
    event::Event,
    ledger::{MAX_ROWS, Progress},
    record::{Effect, Outcome, Version},
};

use super::{
    Parts, Pipeline, backoff,
    batch::{Batch, Cutter},
    conclusion::{Change, Conclusion},
    lease::{self, Held},
    mapping::{self, Mapped},
    settle,
    sink::Work,
    source::{Handed, Line, Receipt},
    task::{self, Task},
};

/// How many batches all segments of a process together write to the sinks at a time; at least one per segment.
const ABREAST: usize = 8;

/// A batch that went through the plugin.
pub(super) struct MappedBatch {
    entries: Vec<Mapped>,
    last: bool,
}

impl MappedBatch {
    /// The entries with their answers.
    pub fn into_entries(self) -> Vec<Mapped> {
        self.entries
    }
}

/// A batch's turn among those of its segment, until it is carried out.
enum Turn {
    /// Beside other batches that only write documents.
    Beside { _held: OwnedRwLockReadGuard<()> },
    /// Alone.
    Alone { _held: OwnedRwLockWriteGuard<()> },
}

impl Turn {
    /// Waits for the turn of a batch.
    async fn of(batch: &MappedBatch, turns: Arc<RwLock<()>>) -> Self {
        let answers = batch.entries.iter().filter_map(|entry| entry.answer.as_ref().ok());
        let documents = |effect: &Effect| matches!(effect, Effect::PutDocument { .. } | Effect::DeleteDocument { .. });
        let beside = answers.into_iter().all(|answer| match answer {
            Outcome::Effects(effects) => effects.iter().all(documents),
            _ => true,
        });
        if beside {
            Self::Beside { _held: turns.read_owned().await }
        } else {
            Self::Alone { _held: turns.write_owned().await }
        }
    }
}

impl Pipeline {
    /// Works through a line from its progress, while the lease is held. Returns whether it is at its end.
    pub(super) async fn segment(self, held: Arc<Held>, line: Arc<dyn Line>, progress: Progress) -> Result<bool> {
        let worked = self.work_on(&held, &line, progress).await;
        line.close().await;
        let leases = &self.parts.leases;
        if !held.is_lost() {
            leases.give_back(&held).await;
            return worked.map_err(Error::while_working).inspect_err(|_| self.halt());
        }
        if !leases.are_shared() {
            self.halt();
            return Err(lease::lost(held.line));
        }
        // Another worker resumes from what was acknowledged; the rest of the work here is discarded.
        self.parts
            .events
            .note(format!("another worker took over part {}, which was held for too long here", held.line));
        Ok(false)
    }

    async fn work_on(&self, held: &Arc<Held>, line: &Arc<dyn Line>, progress: Progress) -> Result<bool> {
        let (send, receive) = mpsc::channel(1);
        let reader = self.clone().read(held.clone(), line.clone(), progress.cursor.clone(), send);
        let reader = task::spawn(reader);
        let batches = futures::stream::unfold(receive, async |mut receive: mpsc::Receiver<Batch>| {
            Some((receive.recv().await?, receive))
        });
        // All segments together keep every worker busy, and each has one batch waiting.
        let depth = self.parts.config.worker_count().div_ceil(self.at_once()) + 1;
        let mapped = std::pin::pin!(batches.map(|batch| self.map(batch).join()).buffered(depth));
        let carried = std::pin::pin!(self.carried(mapped));
        let mut saving = None;
        let worked = self.commit(held, line, progress, carried, &mut saving).await;
        // Finished batches are committed, also if a later batch could not be carried out.
        let saved = saved(saving).await;
        let ended = worked.and_then(|ended| saved.map(|()| ended))?;
        if !held.is_lost() {
            reader.join().await?;
        }
        Ok(ended)
    }

    /// Reads batches until the line ends or the run is asked to stop.
    async fn read(
        self,
        held: Arc<Held>,
        line: Arc<dyn Line>,
        mut after: Option<String>,
        send: mpsc::Sender<Batch>,
    ) -> Result<()> {
        let config = &self.parts.config;
        let limit = config.batch_records.max(1) as usize;
        let bytes = usize::try_from(config.batch_bytes.as_u64()).unwrap_or(usize::MAX);
        let mut cutter = Cutter::new(limit, bytes, config.batch_age);
        while !self.must_stop() && !held.is_lost() {
            let from = after.clone();
            let read = || line.read(from.as_deref(), limit);
            let page = backoff::insist(config.attempts, &self.parts.events, read);
            let mut page = std::pin::pin!(page);
            let (entries, next) = loop {
                // An entry must not wait for a slow page longer than a batch may age.
                let due = cutter.deadline().unwrap_or_else(|| Instant::now() + config.batch_age);
                tokio::select! {
                    page = &mut page => break page?,
                    () = tokio::time::sleep_until(due) => if !deliver(cutter.cut(), &send).await { return Ok(()) },
                }
            };
            for entry in entries {
                if !deliver(cutter.push(entry, Instant::now()), &send).await {
                    return Ok(());
                }
            }
            match next {
                Some(cursor) => after = Some(cursor),
                None => {
                    let batch = Batch { last: true, ..cutter.cut().unwrap_or_default() };
                    deliver(Some(batch), &send).await;
                    return Ok(());
                }
            }
        }
        deliver(cutter.cut(), &send).await;
        Ok(())
    }

    /// Sends a batch through the plugin, beside other batches, as soon as a worker is free.
    pub(super) fn map(&self, batch: Batch) -> Task<Result<MappedBatch>> {
        let (parts, workers) = (self.parts.clone(), self.workers.clone());
        task::spawn(async move {
            let _worker = workers.acquire_owned().await.map_err(|_| Error::bug("the workers are gone"))?;
            let map = async move { mapping::map(&parts, batch.entries).await };
            let entries = task::spawn_computing(map).join().await?;
            Ok(MappedBatch { entries, last: batch.last })
        })
    }

    /// Carries out batches, in order. If few segments are worked on, several batches that only write documents are in
    /// flight at once, since the index would wait for each otherwise: their versions decide which one wins. Every other
    /// effect waits for the batches before it, and later batches wait for it.
    fn carried(&self, mapped: impl Stream<Item = Result<MappedBatch>>) -> impl Stream<Item = Result<Conclusion>> {
        let abreast = match self.parts.shape.version {
            Version::None => 1,
            Version::Attribute(_) => ABREAST.div_ceil(self.at_once()),
        };
        let turns = Arc::new(RwLock::new(()));
        let in_turn = mapped.then(move |batch| {
            let turns = turns.clone();
            async move {
                let batch = batch?;
                Ok((Turn::of(&batch, turns).await, batch))
            }
        });
        let pipeline = self.clone();
        let carry_out = move |batch: Result<(Turn, MappedBatch)>| {
            let pipeline = pipeline.clone();
            // A task of its own continues while the ledger is waited for.
            let carried = task::spawn(async move {
                let (_turn, batch) = batch?;
                pipeline.carry_out(batch).await
            });
            carried.join()
        };
        in_turn.map(carry_out).buffered(abreast)
    }

    /// Commits one batch while others are being carried out.
    async fn commit(
        &self,
        held: &Arc<Held>,
        line: &Arc<dyn Line>,
        mut progress: Progress,
        mut carried: impl Stream<Item = Result<Conclusion>> + Unpin,
        saving: &mut Option<Task<Result<()>>>,
    ) -> Result<bool> {
        let mut ended = false;
        while let Some(conclusion) = carried.next().await {
            let conclusion = conclusion?;
            if held.is_lost() {
                return Ok(false);
            }
            ended = conclusion.is_last();
            let changes = conclusion.commits(held.line, &mut progress);
            // Checkpoints are written one after the other, so that a later one never overtakes an earlier one.
            saved(saving.take()).await?;
            let (pipeline, save) = (self.clone(), self.clone().save(held.clone(), line.clone(), changes));
            // A line may wait for a commit; if the commit fails, the line must not wait for ever.
            *saving = Some(task::spawn(async move { save.await.inspect_err(|_| pipeline.halt()) }));
        }
        Ok(ended)
    }

    async fn carry_out(&self, mut batch: MappedBatch) -> Result<Conclusion> {
        let mut works: Vec<Work> = batch.entries.iter_mut().map(Work::of).collect();
        self.parts.sinks.apply(&mut works).await?;
        Ok(self.conclude(batch, works))
    }

    /// Writes commit after commit, and none once the lease is lost.
    async fn save(self, held: Arc<Held>, line: Arc<dyn Line>, changes: Vec<Change>) -> Result<()> {
        let Parts { ledger, run, config, events, .. } = &*self.parts;
        for Change { commit, closed, ends } in changes {
            let write = || ledger.commit(&run.id, held.token, &commit);
            if held.is_lost() || !backoff::insist(config.attempts, events, write).await? {
                held.lose();
                return Ok(());
            }
            for row in &commit.rows {
                settle::announce(row, events);
            }
            ends.iter().for_each(|end| settle::announce_listed(end, events));
            backoff::insist(config.attempts, events, || line.settle(&ends)).await?;
            let opened = commit.rows.iter().map(|row| row.state);
            self.total().take_commit(held.line, commit.progress.counts, &closed, opened);
            let counts = self.counts();
            config.check_hope(&counts)?;
            events.send(Event::Progress { counts });
        }
        Ok(())
    }

    fn conclude(&self, batch: MappedBatch, works: Vec<Work>) -> Conclusion {
        let mut conclusion = Conclusion::new(batch.last, MAX_ROWS);
        let now = self.parts.clock.now();
        for (mut entry, work) in batch.entries.into_iter().zip(works) {
            if let Some(Receipt::Listed(id, handed)) = &mut entry.origin.receipt {
                *handed = Handed::text(&work, id);
            }
            let end = entry.end(work.failure);
            conclusion.add(entry, end, work.counts, now, self.parts.config.attempts);
        }
        conclusion
    }
}

async fn saved(saving: Option<Task<Result<()>>>) -> Result<()> {
    match saving {
        Some(saving) => saving.join().await,
        None => Ok(()),
    }
}

/// Sends a batch. Returns whether the receiver still takes batches.
async fn deliver(batch: Option<Batch>, send: &mpsc::Sender<Batch>) -> bool {
    match batch {
        Some(batch) => send.send(batch).await.is_ok(),
        None => true,
    }
}
