//! Backends that fail or hang at a chosen call, before or after they did what was asked.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use reindex::{
    capability::{
        index::{self, Concrete, Document, Index, Listed, Listing, Route, Stamp, Write, Written},
        queue::{Delivery, Depth, Message, Queue},
        storage::{Page, Row, Sameness, Scan, Segment, SourceInfo},
    },
    error::{Error, Kind, Result},
    ledger::{
        Commit, Filter, Group, IdRow, Lease, Ledger, Progress, Run, State,
        list::{self, List, Loaded, Move},
    },
};
use tokio::sync::watch;

type Hook = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Counts calls, and spoils one of them: an odd number before the call is made, an even one after it.
#[derive(Clone)]
pub struct Fuse {
    calls: Arc<AtomicUsize>,
    at: usize,
    /// What happens after the next write to an index.
    after_write: Arc<Mutex<Option<Hook>>>,
    /// Whether it hangs there, with everything that is called later, until it is woken.
    hanging: Option<Arc<watch::Sender<Hanging>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hanging {
    NotYet,
    Now,
    Woken,
}

impl Default for Fuse {
    fn default() -> Self {
        Self::at(0)
    }
}

impl Fuse {
    /// Fails at half-call `at`; 0 never fails.
    pub fn at(at: usize) -> Self {
        Self { calls: Arc::default(), at, after_write: Arc::default(), hanging: None }
    }

    /// Hangs at half-call `at`.
    pub fn hang_at(at: usize) -> Self {
        Self { hanging: Some(Arc::new(watch::Sender::new(Hanging::NotYet))), ..Self::at(at) }
    }

    /// Lets this happen once, after the next write to an index and before its caller hears of it.
    pub fn after_write(&self, hook: impl Future<Output = ()> + Send + 'static) {
        *self.after_write.lock().unwrap() = Some(Box::pin(hook));
    }

    /// How many half-calls there were.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Whether the half-call came that it spoils.
    pub fn has_blown(&self) -> bool {
        self.at > 0 && self.calls() >= self.at
    }

    /// Hangs from now on, unless it was woken before.
    pub fn hang(&self) {
        if let Some(hanging) = &self.hanging {
            hanging.send_if_modified(|hanging| {
                let now = *hanging == Hanging::NotYet;
                *hanging = if now { Hanging::Now } else { *hanging };
                now
            });
        }
    }

    /// Waits until it hangs.
    pub async fn hung(&self) {
        self.wait_for(|hanging| hanging != Hanging::NotYet).await;
    }

    /// Lets everything go on that hangs.
    pub fn wake(&self) {
        if let Some(hanging) = &self.hanging {
            hanging.send_replace(Hanging::Woken);
        }
    }

    async fn call<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.burn().await?;
        let answer = call.await;
        self.burn().await?;
        answer
    }

    async fn burn(&self) -> Result<()> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        match &self.hanging {
            None if call == self.at => Err(Error::new(Kind::Unavailable, "the fuse blew")),
            Some(_) => {
                if call == self.at {
                    self.hang();
                }
                self.wait_for(|hanging| hanging != Hanging::Now).await;
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn wait_for(&self, state: impl Fn(Hanging) -> bool) {
        if let Some(hanging) = &self.hanging {
            hanging.subscribe().wait_for(|hanging| state(*hanging)).await.unwrap();
        }
    }
}

/// A backend behind a fuse.
pub struct Faulty<T: ?Sized> {
    pub inner: Arc<T>,
    pub fuse: Fuse,
    /// Whether a ledger says that others share it.
    pub shared: bool,
}

#[async_trait]
impl Scan for Faulty<dyn Scan> {
    async fn info(&self) -> Result<SourceInfo> {
        self.fuse.call(self.inner.info()).await
    }
    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        self.fuse.call(self.inner.compare(fingerprint)).await
    }
    async fn read(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        self.fuse.call(self.inner.read(segment, after, limit)).await
    }
    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        self.fuse.call(self.inner.reread(positions)).await
    }
}

#[async_trait]
impl Queue for Faulty<dyn Queue> {
    async fn send(&self, messages: &[Message]) -> Result<Vec<Result<()>>> {
        self.fuse.call(self.inner.send(messages)).await
    }
    async fn receive(&self, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>> {
        self.fuse.call(self.inner.receive(max, lease, wait)).await
    }
    async fn acknowledge(&self, receipts: &[String]) -> Result<Vec<bool>> {
        self.fuse.call(self.inner.acknowledge(receipts)).await
    }
    async fn extend(&self, receipts: &[String], lease: Duration) -> Result<Vec<bool>> {
        self.fuse.call(self.inner.extend(receipts, lease)).await
    }
    async fn peek(&self, max: usize) -> Result<Vec<Message>> {
        self.fuse.call(self.inner.peek(max)).await
    }
    async fn depth(&self) -> Result<Depth> {
        self.fuse.call(self.inner.depth()).await
    }
}

#[async_trait]
impl index::Documents for Faulty<dyn Index> {
    async fn write(&self, concrete: &str, writes: Vec<Write>) -> Result<Vec<Written>> {
        let written = self.fuse.call(self.inner.write(concrete, writes)).await;
        let hook = self.fuse.after_write.lock().unwrap().take();
        if let Some(hook) = hook {
            hook.await;
        }
        written
    }
    async fn get_many(&self, concrete: Option<&str>, ids: &[String]) -> Result<Vec<Option<Document>>> {
        self.fuse.call(self.inner.get_many(concrete, ids)).await
    }
    async fn count(&self, concrete: &str) -> Result<u64> {
        self.fuse.call(self.inner.count(concrete)).await
    }
    async fn refresh(&self, concrete: &str) -> Result<()> {
        self.fuse.call(self.inner.refresh(concrete)).await
    }
    async fn search(&self, query: &str, limit: usize) -> Result<(u64, Vec<Document>)> {
        self.fuse.call(self.inner.search(query, limit)).await
    }
}

#[async_trait]
impl index::Alias for Faulty<dyn Index> {
    async fn cluster(&self) -> Result<Option<String>> {
        self.fuse.call(self.inner.cluster()).await
    }
    async fn current(&self) -> Result<Option<Concrete>> {
        self.fuse.call(self.inner.current()).await
    }
    async fn route(&self) -> Result<Route> {
        self.fuse.call(self.inner.route()).await
    }
    async fn describe(&self, name: &str) -> Result<Concrete> {
        self.fuse.call(self.inner.describe(name)).await
    }
    async fn announce(&self, name: &str) -> Result<()> {
        self.fuse.call(self.inner.announce(name)).await
    }
    fn contradictions(&self, found: &Concrete, definition: &str) -> Vec<String> {
        self.inner.contradictions(found, definition)
    }
    async fn create(&self, name: &str, definition: &str, stamp: &Stamp) -> Result<()> {
        self.fuse.call(self.inner.create(name, definition, stamp)).await
    }
    async fn swap(&self, from: Option<&str>, to: &str) -> Result<()> {
        self.fuse.call(self.inner.swap(from, to)).await
    }
    async fn claim(&self, to: &str) -> Result<bool> {
        self.fuse.call(self.inner.claim(to)).await
    }
    async fn remove(&self, name: &str) -> Result<()> {
        self.fuse.call(self.inner.remove(name)).await
    }
}

#[async_trait]
impl index::List for Faulty<dyn Index> {
    async fn watermark(&self, concrete: &str) -> Result<Option<u64>> {
        self.fuse.call(self.inner.listed()?.watermark(concrete)).await
    }
    async fn list(
        &self,
        concrete: &str,
        query: Option<&str>,
        until: Option<u64>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listing> {
        self.fuse.call(self.inner.listed()?.list(concrete, query, until, after, limit)).await
    }
    async fn remove_listed(&self, concrete: &str, documents: &[Listed]) -> Result<Vec<bool>> {
        self.fuse.call(self.inner.listed()?.remove_listed(concrete, documents)).await
    }
}

#[async_trait]
impl index::Tune for Faulty<dyn Index> {
    async fn load_settings(&self, concrete: &str) -> Result<String> {
        self.fuse.call(tuned(&*self.inner)?.load_settings(concrete)).await
    }
    async fn tune(&self, concrete: &str) -> Result<()> {
        self.fuse.call(tuned(&*self.inner)?.tune(concrete)).await
    }
    async fn restore(&self, concrete: &str, before: &str) -> Result<()> {
        self.fuse.call(tuned(&*self.inner)?.restore(concrete, before)).await
    }
}

impl Index for Faulty<dyn Index> {
    fn lists(&self) -> Option<&dyn index::List> {
        self.inner.lists().map(|_| self as _)
    }
    fn tunes(&self) -> Option<&dyn index::Tune> {
        self.inner.tunes().map(|_| self as _)
    }
}

fn tuned(index: &dyn Index) -> Result<&dyn index::Tune> {
    index.tunes().ok_or_else(|| Error::bug("a load changes no settings"))
}

#[async_trait]
impl List for Faulty<dyn List> {
    async fn load(&self, ids: &[String], reset: bool) -> Result<Loaded> {
        self.fuse.call(self.inner.load(ids, reset)).await
    }
    async fn page(&self, state: Option<State>, from: Option<&str>, limit: usize) -> Result<list::Page> {
        self.fuse.call(self.inner.page(state, from, limit)).await
    }
    async fn shift(&self, moves: &[Move]) -> Result<Vec<bool>> {
        self.fuse.call(self.inner.shift(moves)).await
    }
    async fn counts(&self) -> Result<BTreeMap<State, u64>> {
        self.fuse.call(self.inner.counts()).await
    }
}

#[async_trait]
impl Ledger for Faulty<dyn Ledger> {
    fn is_shared(&self) -> bool {
        self.shared || self.inner.is_shared()
    }
    async fn begin(&self, run: &Run, after: Option<&str>) -> Result<bool> {
        self.fuse.call(self.inner.begin(run, after)).await
    }
    async fn save(&self, run: &mut Run) -> Result<bool> {
        self.fuse.call(self.inner.save(run)).await
    }
    async fn find(&self, run: &str) -> Result<Option<Run>> {
        self.fuse.call(self.inner.find(run)).await
    }
    async fn claim(
        &self,
        run: &str,
        line: u32,
        found: Option<&Lease>,
        owner: &str,
        lasting: Duration,
    ) -> Result<Option<Progress>> {
        self.fuse.call(self.inner.claim(run, line, found, owner, lasting)).await
    }
    async fn hold(&self, run: &str, line: u32, token: u64) -> Result<bool> {
        self.fuse.call(self.inner.hold(run, line, token)).await
    }
    async fn release(&self, run: &str, line: u32, token: u64) -> Result<bool> {
        self.fuse.call(self.inner.release(run, line, token)).await
    }
    async fn runs(&self, recipe: &str, limit: usize) -> Result<Vec<Run>> {
        self.fuse.call(self.inner.runs(recipe, limit)).await
    }
    async fn progress(&self, run: &Run) -> Result<Vec<Progress>> {
        self.fuse.call(self.inner.progress(run)).await
    }
    async fn commit(&self, run: &str, token: u64, commit: &Commit) -> Result<bool> {
        self.fuse.call(self.inner.commit(run, token, commit)).await
    }
    async fn rows(&self, run: &str, filter: &Filter, after: Option<&str>, limit: usize) -> Result<Vec<IdRow>> {
        let mut rows = self.fuse.call(self.inner.rows(run, filter, after, limit)).await?;
        // A ledger may hand out fewer rows than there are.
        rows.truncate(rows.len().div_ceil(2));
        Ok(rows)
    }
    async fn groups(&self, run: &str, examples: usize) -> Result<Vec<Group>> {
        self.fuse.call(self.inner.groups(run, examples)).await
    }
}
