//! Carrying out effects, in an order that leaves nothing half-said: objects and copies, records, documents,
//! messages, removals of objects. An item whose effect fails gets none of its later ones.

use std::collections::{BTreeMap, HashSet};

use crate::{
    capability::{
        Resources,
        index::{Write, Written},
        queue::Message,
    },
    error::{Error, Kind, Result},
    event::Events,
    ledger::{Counts, State},
    record::{Content, Effect, Outcome},
    sandbox::Failure,
};

use super::{backoff, mapping::Mapped, reason};

/// The effects of one item.
#[derive(Debug)]
pub(super) struct Work {
    /// The item's id, which makes its messages' ids.
    pub id: String,
    /// The version its documents take unless they carry their own.
    pub version: Option<u64>,
    /// What is to be done.
    pub effects: Vec<Effect>,
    /// What was written.
    pub counts: Counts,
    /// Why something could not be done.
    pub failure: Option<Failure>,
}

impl Work {
    /// Takes the effects out of an entry's answer.
    pub fn of(entry: &mut Mapped) -> Self {
        let effects = match &mut entry.answer {
            Ok(Outcome::Effects(effects)) => std::mem::take(effects),
            _ => Vec::new(),
        };
        Self { id: entry.id.clone(), version: entry.version, effects, counts: Counts::default(), failure: None }
    }
}

/// Everything effects can reach.
#[derive(Clone)]
pub struct Sinks {
    /// The resources by the recipe's names.
    pub resources: Resources,
    /// The concrete index each alias stands for during this run.
    pub targets: BTreeMap<String, String>,
    /// The run's id.
    pub run: String,
    /// How often a write is tried.
    pub attempts: u32,
    /// Who is told about waits.
    pub events: Events,
}

impl Sinks {
    /// Carries out the effects of a batch; what could not be done stands in each item's `failure` afterwards.
    ///
    /// *Errors*: a resource that cannot be reached, after every attempt. Doing it all again is safe.
    pub(super) async fn apply(&self, batch: &mut [Work]) -> Result<()> {
        self.objects(batch).await?;
        self.records(batch).await?;
        self.documents(batch).await?;
        self.messages(batch).await?;
        self.removals(batch).await
    }

    async fn objects(&self, batch: &mut [Work]) -> Result<()> {
        for work in batch {
            for at in 0..work.effects.len() {
                let stored = match &work.effects[at] {
                    Effect::PutObject { bucket, key, content: Content::Bytes(bytes), content_type, .. } => {
                        self.store(bucket, key, bytes, content_type.as_deref()).await
                    }
                    Effect::CopyObject { source_bucket, source_key, bucket, key } => {
                        self.copy((source_bucket, source_key), (bucket, key)).await
                    }
                    _ => continue,
                };
                work.counts.objects += u64::from(settled(stored, &mut work.failure)?);
                if work.failure.is_some() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn store(&self, bucket: &str, key: &str, bytes: &[u8], content_type: Option<&str>) -> Result<()> {
        let target = bound(&self.resources.buckets, "bucket", bucket)?;
        self.insist(|| target.put(key, bytes.to_vec(), content_type)).await
    }

    async fn copy(&self, from: (&str, &str), to: (&str, &str)) -> Result<()> {
        let source = bound(&self.resources.buckets, "bucket", from.0)?;
        let target = bound(&self.resources.buckets, "bucket", to.0)?;
        let copied = self.insist(|| target.copy((&**source, from.1), to.1)).await?;
        let missing = || Error::new(Kind::NotFound, format!("there is no object `{}` to copy in `{}`", from.1, from.0));
        copied.map(drop).ok_or_else(missing)
    }

    async fn records(&self, batch: &mut [Work]) -> Result<()> {
        let mut tables: BTreeMap<String, (Vec<usize>, Vec<String>)> = BTreeMap::new();
        for (at, work) in batch.iter().enumerate().filter(|(_, work)| work.failure.is_none()) {
            for effect in &work.effects {
                if let Effect::PutRecord { table, body } = effect {
                    let (owners, records) = tables.entry(table.clone()).or_default();
                    owners.push(at);
                    records.push(body.clone());
                }
            }
        }
        for (name, (owners, records)) in tables {
            let table = bound(&self.resources.tables, "table", &name)?;
            let answers = self.insist(|| table.put_many(&records)).await?;
            for (at, answer) in owners.into_iter().zip(answers) {
                let work = &mut batch[at];
                work.counts.records += u64::from(settled(answer, &mut work.failure)?);
            }
        }
        Ok(())
    }

    async fn documents(&self, batch: &mut [Work]) -> Result<()> {
        let mut indexes: BTreeMap<String, Vec<(usize, Write)>> = BTreeMap::new();
        for (at, work) in batch.iter_mut().enumerate().filter(|(_, work)| work.failure.is_none()) {
            let version = work.version;
            for effect in &mut work.effects {
                if let Some((index, write)) = document(effect, version) {
                    work.counts.other_ids += u64::from(write.body.is_some() && write.id != work.id);
                    indexes.entry(index).or_default().push((at, write));
                }
            }
        }
        for (name, writes) in indexes {
            self.write(&name, writes, batch).await?;
        }
        Ok(())
    }

    /// Writes until every document is answered for good or its attempts are spent.
    async fn write(&self, name: &str, mut writes: Vec<(usize, Write)>, batch: &mut [Work]) -> Result<()> {
        let index = bound(&self.resources.indexes, "index", name)?;
        let unset = || Error::bug(format!("the run has no concrete index for `{name}`"));
        let concrete = self.targets.get(name).ok_or_else(unset)?;
        for attempt in 1.. {
            let send = || index.write(concrete, writes.iter().map(|(_, write)| write.clone()).collect());
            let answers = self.insist(send).await?;
            let mut again = HashSet::new();
            let mut left = Vec::new();
            for ((at, write), answer) in writes.into_iter().zip(answers) {
                let held_back = again.contains(&write.id);
                match answer {
                    Written::Failed(_) if attempt < self.attempts => {
                        again.insert(write.id.clone());
                        left.push((at, write));
                    }
                    // It overtook a write of the same document that will come again, so it must come after it.
                    _ if held_back => left.push((at, write)),
                    answer => answered(&mut batch[at], &write, answer),
                }
            }
            if left.is_empty() {
                return Ok(());
            }
            writes = left;
            tokio::time::sleep(backoff::pause(attempt)).await;
        }
        Ok(())
    }

    async fn messages(&self, batch: &mut [Work]) -> Result<()> {
        let mut queues: BTreeMap<String, (Vec<usize>, Vec<Message>)> = BTreeMap::new();
        for (at, work) in batch.iter().enumerate().filter(|(_, work)| work.failure.is_none()) {
            for (ordinal, effect) in work.effects.iter().enumerate() {
                if let Effect::SendMessage { queue, body, priority } = effect {
                    let id = message_id(&self.run, &work.id, ordinal);
                    let (owners, messages) = queues.entry(queue.clone()).or_default();
                    owners.push(at);
                    messages.push(Message { id, body: body.clone(), priority: *priority });
                }
            }
        }
        for (name, (owners, messages)) in queues {
            let queue = bound(&self.resources.queues, "queue", &name)?;
            let answers = self.insist(|| queue.send(&messages)).await?;
            for (at, answer) in owners.into_iter().zip(answers) {
                let work = &mut batch[at];
                work.counts.messages += u64::from(settled(answer, &mut work.failure)?);
            }
        }
        Ok(())
    }

    async fn removals(&self, batch: &mut [Work]) -> Result<()> {
        for work in batch.iter_mut().filter(|work| work.failure.is_none()) {
            for effect in &work.effects {
                if let Effect::DeleteObject { bucket, key, .. } = effect {
                    let target = bound(&self.resources.buckets, "bucket", bucket)?;
                    let removed = self.insist(|| target.delete(key)).await;
                    work.counts.objects += u64::from(settled(removed, &mut work.failure)?);
                }
            }
        }
        Ok(())
    }

    async fn insist<T, F: Future<Output = Result<T>>>(&self, call: impl FnMut() -> F) -> Result<T> {
        backoff::insist(self.attempts, &self.events, call).await
    }
}

/// Names every message for good, so that a repeated one can be told.
fn message_id(run: &str, item: &str, ordinal: usize) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [run, item, &ordinal.to_string()] {
        hasher.update(&part.len().to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// The write a document effect means; takes the body out of the effect, since it is needed only here.
fn document(effect: &mut Effect, version: Option<u64>) -> Option<(String, Write)> {
    match effect {
        Effect::PutDocument { index, id, version: own, body } => {
            let write = Write { id: id.clone(), version: own.or(version), body: Some(std::mem::take(body)) };
            Some((index.clone(), write))
        }
        Effect::DeleteDocument { index, id, version: own } => {
            Some((index.clone(), Write { id: id.clone(), version: own.or(version), body: None }))
        }
        _ => None,
    }
}

fn answered(work: &mut Work, write: &Write, answer: Written) {
    let counts = &mut work.counts;
    match answer {
        Written::Done if write.body.is_some() => counts.documents += 1,
        Written::Done => counts.deletions += 1,
        Written::NewerThere => counts.newer_there += 1,
        Written::Refused(reason) => fail(work, State::KnownError, format!("the index refuses the document: {reason}")),
        Written::Failed(reason) => {
            fail(work, State::UnknownError, format!("the document could not be written: {reason}"));
        }
    }
}

fn fail(work: &mut Work, state: State, reason: String) {
    let group = reason::group(&reason, &work.id);
    work.failure.get_or_insert(Failure { state, reason, group });
}

/// A failure that concerns this item alone becomes its reason; anything else ends the run.
fn settled(answer: Result<()>, failure: &mut Option<Failure>) -> Result<bool> {
    match answer {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), Kind::Usage | Kind::NotFound) => {
            let reason = error.message().to_owned();
            failure.get_or_insert(Failure { state: State::KnownError, group: reason::group(&reason, ""), reason });
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn bound<'a, T>(resources: &'a BTreeMap<String, T>, what: &str, name: &str) -> Result<&'a T> {
    resources.get(name).ok_or_else(|| Error::usage(format!("the environment has no {what} `{name}`")))
}
