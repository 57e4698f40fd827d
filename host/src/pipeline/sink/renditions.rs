//! Renditions: made of images and stored while they are read, or only measured.

use std::sync::Arc;

use super::{
    Refusal, Settled, Sinks, Work,
    objects::{Slots, Target, overtaken},
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

impl Sinks {
    /// Makes a rendition and stores it. An error that stops work on all images ends the run.
    pub(super) async fn render(
        &self,
        target: Target<'_>,
        put: Put,
        rendition: &Rendition,
        slots: &Slots,
    ) -> Result<Settled<Counts>> {
        let content_type = put.content_type.clone().or_else(|| Some(rendition.format.media_type().to_owned()));
        let put = Put { content_type, ..put };
        // A stream can be read only once, so each retry makes the rendition again.
        let made = self.insist(|| self.made(target, &put, rendition, slots)).await?;
        Ok(made.map(|picture| Counts { objects: 1, ..counted(picture) }))
    }

    /// Returns the size of the picture that the rendition was made of.
    async fn made(&self, target: Target<'_>, put: &Put, rendition: &Rendition, slots: &Slots) -> Result<Settled<Size>> {
        let rendered = match self.images()?.render(&self.origin(&rendition.picture)?, rendition).await? {
            Ok(rendered) => rendered,
            Err(flaw) => return Ok(Err(flawed(flaw, &rendition.picture))),
        };
        let _hand = slots.free().await?;
        let put = Put { size: Some(rendered.bytes), ..put.clone() };
        let stored = target.bucket.write(target.key, &put, rendered.content).await;
        Ok(settled(stored, &[target.key])?
            .and_then(|stored| stored.map(|_| rendered.picture).ok_or_else(|| overtaken(target.key))))
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
        let (images, origin) = (self.images()?, self.origin(&rendition.picture)?);
        let look = async || match images.measure(&origin, rendition).await? {
            Ok(_) => images.describe(&origin).await,
            Err(flaw) => Ok(Err(flaw)),
        };
        let header = self.insist(look).await?;
        let size = header.map(|header| Size { width: header.width, height: header.height });
        Ok(size.map(counted).map_err(|flaw| flawed(flaw, &rendition.picture)))
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
        Flaw::Refused(reason) => refusal(State::KnownError, format!("the image `{key}` is not opened: {reason}")),
        Flaw::Unreadable(reason) => refusal(State::KnownError, format!("the image `{key}` cannot be read: {reason}")),
        Flaw::Fatal(reason) => refusal(State::UnknownError, format!("the image `{key}` cannot be worked on: {reason}")),
    }
}
