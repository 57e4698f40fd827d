//! Renditions: made of images and stored as they come, or only measured.

use std::sync::Arc;

use super::{
    Refusal, Settled, Sinks, Work,
    objects::{Hands, Target, overtaken},
    settled,
};
use crate::{
    capability::{
        image::{Flaw, Images, Origin},
        storage::Put,
    },
    error::{Error, Result},
    ledger::{Counts, State},
    record::{Content, Effect, Picture, Rendition, Size},
};

/// What came of making and storing a rendition: the size of the picture it was made of; none where the condition did
/// not hold.
type Made = std::result::Result<Option<Size>, Flaw>;

impl Sinks {
    /// Makes a rendition and stores it.
    pub(super) async fn render(
        &self,
        target: Target<'_>,
        put: Put,
        rendition: &Rendition,
        hands: &Hands,
    ) -> Result<Settled<Counts>> {
        let content_type = put.content_type.clone().or_else(|| Some(rendition.format.media_type().to_owned()));
        let put = Put { content_type, ..put };
        // A stream can be read once only, so whatever is tried again begins with making it.
        let made = self.insist(|| self.made(target, &put, rendition, hands)).await;
        let picture = &rendition.picture;
        Ok(match settled(made, &[target.key, &picture.key])? {
            Ok(Ok(Some(size))) => Ok(Counts { objects: 1, ..counted(size) }),
            Ok(Ok(None)) => Err(overtaken(target.key)),
            Ok(Err(flaw)) => Err(flawed(flaw, picture)),
            Err(refusal) => Err(refusal),
        })
    }

    async fn made(&self, target: Target<'_>, put: &Put, rendition: &Rendition, hands: &Hands) -> Result<Made> {
        let rendered = match self.images()?.render(&self.origin(&rendition.picture)?, rendition).await? {
            Ok(rendered) => rendered,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let _hand = hands.free().await?;
        let put = Put { size: Some(rendered.bytes), ..put.clone() };
        let stored = target.bucket.write(target.key, &put, rendered.content).await?;
        Ok(Ok(stored.map(|_| rendered.picture)))
    }

    /// Measures the renditions of an item without making them; it fails where a run would fail.
    pub(in crate::pipeline) async fn measure(&self, work: &mut Work) -> Result<()> {
        for at in 0..work.effects.len() {
            let Effect::PutObject { content: Content::Rendition(rendition), .. } = &work.effects[at] else { continue };
            match self.measured(rendition).await? {
                Ok(measured) => work.counts += measured,
                Err(refusal) => {
                    work.fail(refusal);
                    break;
                }
            }
        }
        Ok(())
    }

    async fn measured(&self, rendition: &Rendition) -> Result<Settled<Counts>> {
        let look = async || {
            let (images, origin) = (self.images()?, self.origin(&rendition.picture)?);
            match images.measure(&origin, rendition).await? {
                Ok(_) => images.describe(&origin).await,
                Err(flaw) => Ok(Err(flaw)),
            }
        };
        let picture = &rendition.picture;
        Ok(match settled(self.insist(look).await, &[&picture.key])? {
            Ok(Ok(header)) => Ok(counted(Size { width: header.width, height: header.height })),
            Ok(Err(flaw)) => Err(flawed(flaw, picture)),
            Err(refusal) => Err(refusal),
        })
    }

    fn images(&self) -> Result<&Arc<dyn Images>> {
        self.resources.images.as_ref().ok_or_else(|| Error::usage("nobody makes renditions of images here"))
    }

    fn origin(&self, picture: &Picture) -> Result<Origin> {
        let bucket = super::bound(&self.resources.buckets, "bucket", &picture.bucket)?.clone();
        Ok(Origin::Object { bucket, name: picture.bucket.clone(), key: picture.key.clone() })
    }
}

fn counted(picture: Size) -> Counts {
    Counts { renditions: 1, pixels: picture.pixels(), ..Counts::default() }
}

fn flawed(flaw: Flaw, picture: &Picture) -> Refusal {
    let Picture { bucket, key, .. } = picture;
    let refusal = |state, reason: String| Refusal::new(state, reason, &[key]);
    match flaw {
        Flaw::Missing => refusal(State::NotFound, format!("there is no image `{key}` in `{bucket}`")),
        Flaw::Changed => refusal(State::Ready, format!("another object was stored as `{key}` meanwhile")),
        Flaw::Refused(reason) | Flaw::Unreadable(reason) => refusal(State::KnownError, reason),
        Flaw::Fatal(reason) => refusal(State::UnknownError, reason),
    }
}
