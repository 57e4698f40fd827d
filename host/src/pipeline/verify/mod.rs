//! Checks whether an index holds what the source has: each record is read and mapped once more, and each of its
//! documents is compared with the existing one.
//!
//! A difference is checked twice, since a record may change meanwhile. A document that is newer than its record was is
//! explained, and so is one whose record has a row in the ledger. The remaining differences are reported by kind with
//! some ids, and repaired if the caller asks for it. Memory is bounded by the pages in flight and by [`suspects`].

mod expected;
mod sample;
mod suspects;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use serde::Serialize;

pub use sample::Sample;

use super::{
    Pipeline, backoff,
    batch::Batch,
    source::{Entry, Line, Scanned, Segments},
    task,
};
use crate::{
    capability::index::{Index, Write},
    error::{Error, Kind, Result},
    event::Event,
    ledger::Filter,
    record::Version,
};
use expected::{Difference, Differing, Expected, Verdict};
use suspects::Suspects;

/// How many ids are kept as examples of one kind of difference.
const EXAMPLES: usize = 10;
/// How many rows of the ledger are read at a time.
const ROWS: usize = 1000;
/// After how many documents progress is reported.
const PROGRESS: u64 = 10_000;

/// Which differing documents are written again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Repair {
    /// None; nothing is changed.
    #[default]
    Nothing,
    /// Those whose record has a higher version by now.
    Older,
    /// All of them.
    Everything,
}

/// How documents are compared.
#[derive(Debug, Clone, Default)]
pub struct How {
    /// What is written again.
    pub repair: Repair,
    /// Whether records can be read again by id.
    pub keyed: bool,
    /// The indexes whose documents cannot be compared.
    pub left_out: BTreeSet<String>,
}

/// Documents that differ in one way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// How many there are.
    pub count: u64,
    /// The ids of some.
    pub examples: Vec<String>,
}

impl Found {
    fn add(&mut self, id: &str) {
        self.join(&Self { count: 1, examples: vec![id.to_owned()] });
    }

    fn join(&mut self, other: &Self) {
        self.count += other.count;
        let room = EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(other.examples.iter().take(room).cloned());
    }
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verified {
    /// Records read.
    pub records: u64,
    /// Records left out, since the ledger has the reason why they are not done.
    pub open: u64,
    /// Records that cannot be mapped, though the ledger has no reason for them: no run has seen them as they are.
    pub refused: Found,
    /// Documents compared.
    pub compared: u64,
    /// Documents in the index whose version is higher than that of their record when it was read.
    pub newer: u64,
    /// Documents that were written again and match now.
    pub repaired: u64,
    /// Those of them that did not exist before.
    pub added: u64,
    /// Documents that do not exist.
    pub missing: Found,
    /// Documents with another content.
    pub different: Found,
    /// Documents whose record has a higher version.
    pub older: Found,
    /// Documents that should not be there.
    pub extra: Found,
    /// How many documents of the records exist.
    #[serde(skip)]
    pub there: u64,
    /// Documents whose id is not their item's.
    #[serde(skip)]
    pub other_ids: u64,
    /// The positions of the records of missing documents; not all of them if there are very many.
    #[serde(skip)]
    pub positions: Vec<String>,
}

impl Verified {
    /// How many documents differ.
    pub fn differing(&self) -> u64 {
        self.missing.count + self.different.count + self.older.count + self.extra.count
    }

    /// Whether no document differs, and every record that has none is explained.
    pub fn is_equal(&self) -> bool {
        self.differing() + self.refused.count == 0
    }

    /// The kinds of differences by name.
    pub fn kinds(&self) -> [(&'static str, &Found); 4] {
        [
            ("missing", &self.missing),
            ("different", &self.different),
            ("older than their records", &self.older),
            ("extra", &self.extra),
        ]
    }
}

/// The result for some records.
#[derive(Debug, Default)]
struct Page {
    seen: Verified,
    /// The documents that match: their keys, the versions they should have, and whether they should be absent.
    settled: Vec<(u64, Option<u64>, bool)>,
    differing: Vec<Differing>,
}

/// How documents are compared, and which records have rows.
struct Check {
    how: How,
    /// The positions of records that have a row in the ledger.
    open: HashSet<u64>,
    hasher: RandomState,
}

impl Check {
    fn key(&self, expected: &Expected) -> u64 {
        self.hasher.hash_one((&expected.index, &expected.id))
    }

    fn is_open(&self, position: &str) -> bool {
        !self.open.is_empty() && self.open.contains(&self.hasher.hash_one(position))
    }
}

impl Pipeline {
    /// Compares the documents of the whole source.
    ///
    /// *Errors*: [`Kind::Stopped`] if the run is asked to stop.
    pub async fn verify(&self, how: &How) -> Result<Verified> {
        let check = self.look_at_rows(how).await?;
        let one_by_one = how.repair == Repair::Everything && self.parts.shape.version == Version::None;
        // If only the order decides which write is the last one, the order is kept.
        let (segments, abreast) = if one_by_one { (1, 1) } else { (self.at_once(), self.workers_and_one()) };
        let pages = self.pages(segments).map(|page| self.checked(page, check.clone()));
        self.gather(pages.buffered(abreast).boxed()).await
    }

    /// Compares the documents of some records, chosen at random from the whole source.
    pub async fn verify_some(&self, how: &How, size: usize) -> Result<Verified> {
        let mut pages = self.pages(self.at_once());
        let (mut seen, mut chosen) = (0, Vec::with_capacity(size.min(1 << 16)));
        while let Some(entries) = pages.try_next().await? {
            for entry in entries {
                seen += 1;
                match usize::try_from(backoff::chance() % seen) {
                    _ if chosen.len() < size => chosen.push(entry),
                    Ok(at) if at < size => chosen[at] = entry,
                    _ => {}
                }
            }
        }
        self.verify_entries(how, chosen).await
    }

    /// Compares the documents of the records at these positions.
    pub async fn verify_at(&self, how: &How, positions: &[String]) -> Result<Verified> {
        let check = self.look_at_rows(how).await?;
        let parts: Vec<_> = positions.chunks(self.page_size()).map(<[String]>::to_vec).collect();
        let pages = stream::iter(parts).map(|part| {
            let check = check.clone();
            async move { self.checked(self.read_again(&part).await, check).await }
        });
        self.gather(pages.buffered(2).boxed()).await
    }

    /// Whether these indexes are the ones written to from the beginning; a run may follow an alias that moves.
    pub fn wrote_to(&self, targets: &BTreeMap<String, String>) -> bool {
        self.parts.run.targets == *targets
    }

    async fn verify_entries(&self, how: &How, mut entries: Vec<Entry>) -> Result<Verified> {
        let check = self.look_at_rows(how).await?;
        let mut parts = Vec::new();
        while !entries.is_empty() {
            let rest = entries.split_off(entries.len().min(self.page_size()));
            parts.push(Ok(std::mem::replace(&mut entries, rest)));
        }
        let pages = stream::iter(parts).map(|page| self.checked(page, check.clone()));
        self.gather(pages.buffered(2).boxed()).await
    }

    async fn gather(&self, mut pages: BoxStream<'_, Result<Page>>) -> Result<Verified> {
        let (mut all, mut suspects, mut said) = (Verified::default(), Suspects::default(), 0);
        while let Some(page) = pages.try_next().await? {
            all.add(&page.seen);
            suspects.take(page);
            if all.compared / PROGRESS > said {
                said = all.compared / PROGRESS;
                let reason = format!("{} documents are compared with their records", all.compared);
                self.parts.events.send(Event::Waiting { reason });
            }
        }
        suspects.tell(&mut all);
        Ok(all)
    }

    /// Reads the rows of the run, so that the records they explain are left out.
    async fn look_at_rows(&self, how: &How) -> Result<Arc<Check>> {
        let (ledger, run, hasher) = (&self.parts.ledger, &self.parts.run, RandomState::new());
        let (mut open, mut after, every) = (HashSet::new(), None::<String>, Filter::default());
        loop {
            let read = || ledger.rows(&run.id, &every, after.as_deref(), ROWS);
            let rows = backoff::insist(self.parts.config.attempts, &self.parts.events, read).await?;
            open.extend(rows.iter().map(|row| hasher.hash_one(&*row.position)));
            match rows.last() {
                Some(last) => after = Some(last.position.clone()),
                None => return Ok(Arc::new(Check { how: how.clone(), open, hasher })),
            }
        }
    }

    /// The records of the source, several segments side by side.
    fn pages(&self, segments: usize) -> BoxStream<'_, Result<Vec<Entry>>> {
        let all = Segments { scan: self.parts.scan.clone(), total: self.parts.run.segments }.all();
        stream::iter(all).map(|segment| self.pages_of(segment)).flatten_unordered(segments.max(1)).boxed()
    }

    fn pages_of(&self, segment: Scanned) -> BoxStream<'_, Result<Vec<Entry>>> {
        let read = move |after: Option<Option<String>>| {
            let segment = segment.clone();
            async move {
                let Some(after) = after else { return Ok(None) };
                if self.must_stop() {
                    return Err(Error::new(Kind::Stopped, "stopped before every document was compared"));
                }
                let config = &self.parts.config;
                let read = || segment.read(after.as_deref(), self.page_size());
                let (entries, next) = backoff::insist(config.attempts, &self.parts.events, read).await?;
                Ok(Some((entries, next.map(Some))))
            }
        };
        stream::try_unfold(Some(None), read).boxed()
    }

    fn page_size(&self) -> usize {
        self.parts.config.batch_records.max(1) as usize
    }

    fn workers_and_one(&self) -> usize {
        self.parts.config.worker_count() + 1
    }

    fn checked(&self, page: Result<Vec<Entry>>, check: Arc<Check>) -> impl Future<Output = Result<Page>> + use<> {
        let pipeline = self.clone();
        let checked = task::spawn(async move { pipeline.check_page(page?, &check).await });
        checked.join()
    }

    async fn check_page(&self, entries: Vec<Entry>, check: &Check) -> Result<Page> {
        let mut page = Page::default();
        page.seen.records = entries.len() as u64;
        let expected = self.expected(entries, check, &mut page).await?;
        page.seen.compared = expected.iter().filter(|expected| expected.is_known()).count() as u64;
        let differing = self.compare_with(expected, check, &mut page).await?;
        let differing = self.compare_again(differing, check, &mut page).await?;
        let (mend, left): (Vec<_>, _) =
            differing.into_iter().partition(|differing| differing.difference.is_covered(check.how.repair));
        page.differing = left;
        self.mend(mend, check, &mut page).await?;
        Ok(page)
    }

    /// Returns the documents that should exist. Of several effects on one document, the one that wins.
    async fn expected(&self, entries: Vec<Entry>, check: &Check, page: &mut Page) -> Result<Vec<Expected>> {
        let (open, entries): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| check.is_open(&entry.origin.position));
        page.seen.open += open.len() as u64;
        let aliases = || self.parts.run.targets.keys();
        let mut all = BTreeMap::new();
        let mut add = |expected: Expected| expected.join(&mut all);
        for entry in open.into_iter().filter(|_| check.how.keyed) {
            aliases().for_each(|alias| add(Expected::unknown(alias, &entry.origin.position)));
        }
        for mapped in self.map(Batch { entries, last: false }).join().await?.into_entries() {
            if mapped.is_refused() {
                page.seen.refused.add(&mapped.id);
            }
            let documents = Expected::of(mapped, &mut page.seen.other_ids);
            match documents {
                Ok(documents) => documents.into_iter().for_each(&mut add),
                Err(id) if check.how.keyed => aliases().for_each(|alias| add(Expected::unknown(alias, &id))),
                Err(_) => {}
            }
        }
        Ok(all.into_values().filter(|expected| !check.how.left_out.contains(&expected.index)).collect())
    }

    /// Checks differing documents once more, with the current state of their records. Records that cannot be read again
    /// by id do not change either.
    async fn compare_again(&self, differing: Vec<Differing>, check: &Check, page: &mut Page) -> Result<Vec<Differing>> {
        if !check.how.keyed || differing.is_empty() {
            return Ok(differing);
        }
        let keys: HashSet<_> = differing.iter().map(|differing| differing.key).collect();
        let positions: BTreeSet<_> = differing.into_iter().map(|differing| differing.expected.position).collect();
        let entries = self.read_again(&positions.into_iter().collect::<Vec<_>>()).await?;
        let mut expected = self.expected(entries, check, &mut Page::default()).await?;
        expected.retain(|expected| keys.contains(&check.key(expected)));
        self.compare_with(expected, check, page).await
    }

    async fn read_again(&self, positions: &[String]) -> Result<Vec<Entry>> {
        let read = || self.parts.scan.reread(positions);
        let rows = backoff::insist(self.parts.config.attempts, &self.parts.events, read).await?;
        Ok(rows.into_iter().flatten().map(Entry::from).collect())
    }

    /// Reads every document, and returns those that differ.
    async fn compare_with(&self, expected: Vec<Expected>, check: &Check, page: &mut Page) -> Result<Vec<Differing>> {
        let mut differing = Vec::new();
        for (name, expected) in by_index(expected) {
            let ids: Vec<_> = expected.iter().map(|expected| expected.id.clone()).collect();
            let (index, concrete) = self.index(&name)?;
            let read = || index.get_many(Some(concrete), &ids);
            let found = backoff::insist(self.parts.config.attempts, &self.parts.events, read).await?;
            for (expected, found) in expected.into_iter().zip(found) {
                let key = check.key(&expected);
                match expected.compare(found.as_ref()) {
                    Verdict::Unknown => page.seen.there += u64::from(found.is_some()),
                    Verdict::Differs(difference) => differing.push(Differing { key, expected, difference }),
                    verdict => {
                        page.seen.newer += u64::from(verdict == Verdict::Newer);
                        page.seen.there += u64::from(found.is_some());
                        page.settled.push((key, expected.version, found.is_none()));
                    }
                }
            }
        }
        Ok(differing)
    }

    /// Writes documents again, and reads them afterwards.
    async fn mend(&self, mend: Vec<Differing>, check: &Check, page: &mut Page) -> Result<()> {
        if mend.is_empty() {
            return Ok(());
        }
        let count = |mend: &[Differing]| {
            (mend.len() as u64, mend.iter().filter(|one| one.difference == Difference::Missing).count() as u64)
        };
        let (all, missing) = count(&mend);
        let expected: Vec<_> = mend.into_iter().map(|differing| differing.expected).collect();
        for (name, expected) in by_index(expected.clone()) {
            let (index, concrete) = self.index(&name)?;
            let write = || index.write(concrete, expected.iter().map(Expected::write).collect::<Vec<Write>>());
            // A document whose write is refused still differs below.
            backoff::insist(self.parts.config.attempts, &self.parts.events, write).await?;
        }
        let left = self.compare_with(expected, check, page).await?;
        let (all_left, missing_left) = count(&left);
        page.seen.repaired += all - all_left;
        page.seen.added += missing.saturating_sub(missing_left);
        page.differing.extend(left);
        Ok(())
    }

    fn index(&self, name: &str) -> Result<(&dyn Index, &str)> {
        let sinks = &self.parts.sinks;
        let unset = || Error::usage(format!("there is no index `{name}` to compare with"));
        let index = sinks.resources.indexes.get(name).ok_or_else(unset)?;
        let concrete = self.parts.run.targets.get(name).ok_or_else(unset)?;
        Ok((&**index, concrete))
    }
}

impl Verified {
    /// Adds the counts of a part; the kinds of differences are added at the end.
    fn add(&mut self, part: &Self) {
        self.records += part.records;
        self.open += part.open;
        self.refused.join(&part.refused);
        self.compared += part.compared;
        self.newer += part.newer;
        self.repaired += part.repaired;
        self.added += part.added;
        self.there += part.there;
        self.other_ids += part.other_ids;
    }
}

fn by_index(expected: Vec<Expected>) -> BTreeMap<String, Vec<Expected>> {
    let mut by_index = BTreeMap::<_, Vec<_>>::new();
    for expected in expected {
        by_index.entry(expected.index.clone()).or_default().push(expected);
    }
    by_index
}
