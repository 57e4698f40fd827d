//! Objects: stored, copied, and removed; those of several items at a time, unless they touch one object.

use std::collections::HashMap;

use bytes::Bytes;
use futures::future::try_join_all;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Refusal, Settled, Sinks, Work, bound, settled};
use crate::{
    capability::storage::{Bucket, Put, chunks},
    error::{Error, Result},
    ledger::{Counts, State},
    record::{Content, Effect},
};

/// How many objects of a batch are transferred to or between buckets at a time.
const AT_ONCE: usize = 16;

/// Limits how many objects are transferred at a time.
pub(super) struct Slots(Semaphore);

impl Slots {
    /// Waits for a free slot.
    pub(super) async fn free(&self) -> Result<SemaphorePermit<'_>> {
        self.0.acquire().await.map_err(|_| Error::bug("nobody carries objects any more"))
    }
}

/// Where an object goes.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub bucket: &'a dyn Bucket,
    pub key: &'a str,
}

impl Sinks {
    pub(super) async fn objects(&self, batch: &mut [Work]) -> Result<()> {
        let slots = Slots(Semaphore::new(AT_ONCE));
        for wave in waves(batch, stored) {
            try_join_all(wave.into_iter().map(|work| self.objects_of(work, &slots))).await?;
        }
        Ok(())
    }

    /// Carries out the effects of one item on objects, in their order, until one fails.
    async fn objects_of(&self, work: &mut Work, slots: &Slots) -> Result<()> {
        for at in 0..work.effects.len() {
            let made = match &work.effects[at] {
                Effect::PutObject { bucket, key, content, content_type, metadata, condition } => {
                    let target = Target { bucket: self.bucket(bucket)?, key };
                    let (content_type, metadata) = (content_type.clone(), metadata.clone());
                    let put = Put { content_type, metadata, condition: condition.clone(), size: None };
                    match content {
                        Content::Bytes(bytes) => self.store(target, put, bytes, slots).await?,
                        Content::Rendition(rendition) => self.render(target, put, rendition, slots).await?,
                    }
                }
                Effect::CopyObject { source_bucket, source_key, bucket, key } => {
                    self.copy((source_bucket, source_key), (bucket, key), slots).await?
                }
                _ => continue,
            };
            match made {
                Ok(made) => work.counts += made,
                Err(refusal) => {
                    work.fail(refusal);
                    break;
                }
            }
        }
        Ok(())
    }

    async fn store(&self, target: Target<'_>, put: Put, bytes: &[u8], slots: &Slots) -> Result<Settled<Counts>> {
        let _hand = slots.free().await?;
        let (put, bytes) = (Put { size: Some(bytes.len() as u64), ..put }, Bytes::copy_from_slice(bytes));
        let stored = self.insist(|| target.bucket.write(target.key, &put, chunks(bytes.clone()))).await;
        Ok(match settled(stored, &[target.key])? {
            Ok(Some(_)) => Ok(object()),
            Ok(None) => Err(overtaken(target.key)),
            Err(refusal) => Err(refusal),
        })
    }

    async fn copy(&self, from: (&str, &str), to: (&str, &str), slots: &Slots) -> Result<Settled<Counts>> {
        let _hand = slots.free().await?;
        let (source, target) = (self.bucket(from.0)?, self.bucket(to.0)?);
        let copied = self.insist(|| target.copy((source, from.1), to.1)).await;
        let missing = || Error::usage(format!("there is no object `{}` to copy in `{}`", from.1, from.0));
        let copied = copied.and_then(|copied| copied.ok_or_else(missing));
        Ok(settled(copied, &[from.1, to.1])?.map(|_| object()))
    }

    pub(super) async fn removals(&self, batch: &mut [Work]) -> Result<()> {
        let slots = Slots(Semaphore::new(AT_ONCE));
        for wave in waves(batch, removed) {
            let works = wave.into_iter().filter(|work| work.failure.is_none());
            try_join_all(works.map(|work| self.removals_of(work, &slots))).await?;
        }
        Ok(())
    }

    async fn removals_of(&self, work: &mut Work, slots: &Slots) -> Result<()> {
        for at in 0..work.effects.len() {
            let Effect::DeleteObject { bucket, key, etag } = &work.effects[at] else { continue };
            let _hand = slots.free().await?;
            let target = self.bucket(bucket)?;
            let removed = match etag {
                Some(etag) => self.insist(|| target.delete_if(key, etag)).await,
                None => self.insist(|| target.delete(key)).await.map(|()| true),
            };
            match settled(removed, &[key])? {
                // An object that was replaced meanwhile is kept, as the effect asks.
                Ok(removed) => work.counts.objects += u64::from(removed),
                Err(refusal) => work.fail(refusal),
            }
        }
        Ok(())
    }

    pub(super) fn bucket(&self, name: &str) -> Result<&dyn Bucket> {
        bound(&self.resources.buckets, "bucket", name).map(AsRef::as_ref)
    }
}

fn object() -> Counts {
    Counts { objects: 1, ..Counts::default() }
}

/// The failure of a condition that did not hold: the plugin may decide otherwise on the next try.
pub(super) fn overtaken(key: &str) -> Refusal {
    Refusal::new(State::Ready, format!("another object was stored as `{key}` meanwhile"), &[key])
}

/// The objects that storing and copying touch, by bucket and key.
fn stored(effect: &Effect) -> Vec<(&str, &str)> {
    match effect {
        Effect::PutObject { bucket, key, content: Content::Rendition(rendition), .. } => {
            vec![(bucket, key), (&rendition.picture.bucket, &rendition.picture.key)]
        }
        Effect::PutObject { bucket, key, .. } => vec![(bucket, key)],
        Effect::CopyObject { source_bucket, source_key, bucket, key } => {
            vec![(source_bucket, source_key), (bucket, key)]
        }
        _ => Vec::new(),
    }
}

/// The object that a removal touches.
fn removed(effect: &Effect) -> Vec<(&str, &str)> {
    match effect {
        Effect::DeleteObject { bucket, key, .. } => vec![(bucket, key)],
        _ => Vec::new(),
    }
}

/// Groups items whose effects can be carried out at the same time into waves: of two that touch one object, the later
/// one waits for the earlier one.
fn waves(batch: &mut [Work], touched: fn(&Effect) -> Vec<(&str, &str)>) -> Vec<Vec<&mut Work>> {
    let mut free: HashMap<(&str, &str), usize> = HashMap::new();
    let mut numbers = Vec::with_capacity(batch.len());
    for work in batch.iter() {
        let objects: Vec<_> = work.effects.iter().flat_map(touched).collect();
        let number = objects.iter().filter_map(|object| free.get(object)).max().copied().unwrap_or(0);
        free.extend(objects.into_iter().map(|object| (object, number + 1)));
        numbers.push(number);
    }
    let mut waves: Vec<Vec<&mut Work>> = Vec::new();
    for (work, number) in batch.iter_mut().zip(numbers) {
        waves.resize_with(waves.len().max(number + 1), Vec::new);
        waves[number].push(work);
    }
    waves
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An item that copies objects to other keys.
    fn work(id: usize, copies: &[(u8, u8)]) -> Work {
        let copy = |(from, to): &(u8, u8)| Effect::CopyObject {
            source_bucket: "b".to_owned(),
            source_key: from.to_string(),
            bucket: "b".to_owned(),
            key: to.to_string(),
        };
        let effects = copies.iter().map(copy).collect();
        Work { id: id.to_string(), version: None, effects, counts: Counts::default(), failure: None }
    }

    fn ids(batch: &[Vec<(u8, u8)>]) -> Vec<Vec<usize>> {
        let mut works: Vec<_> = batch.iter().enumerate().map(|(id, copies)| work(id, copies)).collect();
        let waves = waves(&mut works, stored);
        waves.into_iter().map(|wave| wave.into_iter().map(|work| work.id.parse().unwrap()).collect()).collect()
    }

    #[test]
    fn items_that_touch_nothing_in_common_go_together() {
        assert_eq!(ids(&[vec![(0, 1)], vec![], vec![(2, 3), (2, 4)], vec![(1, 5)]]), [vec![0, 1, 2], vec![3]]);
        assert!(ids(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn of_two_that_touch_one_object_the_later_waits(
            batch in prop::collection::vec(prop::collection::vec((0u8..8, 0u8..8), 0..3), 0..12),
        ) {
            let waves = ids(&batch);
            let wave = |id: usize| waves.iter().position(|wave| wave.contains(&id)).unwrap();
            let touched = |id: usize| batch[id].iter().flat_map(|(from, to)| [*from, *to]).collect::<Vec<_>>();
            prop_assert_eq!(waves.iter().map(Vec::len).sum::<usize>(), batch.len());
            for later in 0..batch.len() {
                for earlier in 0..later {
                    if touched(earlier).iter().any(|object| touched(later).contains(object)) {
                        prop_assert!(wave(earlier) < wave(later));
                    }
                }
            }
        }
    }
}
