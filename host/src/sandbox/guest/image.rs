//! The bridge to images.

use bytes::Bytes;

use super::{Guest, reindex::plugin::image};
use crate::{
    capability::image as promised,
    record::Size,
    sandbox::{
        reads::{Picture, Refused},
        rendition::converted,
    },
};
use image::{Block, Flaw, Header, ImageError, Origin};

type Answer<T> = wasmtime::Result<Result<T, ImageError>>;

fn answer<T, U>(read: Result<Vec<promised::Answer<T>>, Refused>, convert: fn(T) -> U) -> Answer<Vec<Result<U, Flaw>>> {
    Ok(Err(match read {
        Ok(answers) => return Ok(Ok(answers.into_iter().map(|answer| answer.map(convert).map_err(flaw)).collect())),
        Err(Refused::Denied(text)) => ImageError::Denied(text),
        Err(Refused::Unavailable(text)) => ImageError::Unavailable(text),
        Err(Refused::TooLarge(text)) => ImageError::TooLarge(text),
        Err(Refused::Other(text)) => ImageError::Other(text),
        Err(Refused::Call(exceeded)) => return Err(exceeded.into()),
    }))
}

fn flaw(flaw: promised::Flaw) -> Flaw {
    match flaw {
        promised::Flaw::Missing => Flaw::Missing,
        promised::Flaw::Refused(text) => Flaw::Refused(text),
        promised::Flaw::Unreadable(text) => Flaw::Unreadable(text),
        promised::Flaw::Changed => Flaw::Other("the object changed while it was looked at".to_owned()),
        // It was already retried if that could help. Plugins retry `other` errors.
        promised::Flaw::Fatal(text) => Flaw::Unreadable(text),
    }
}

fn block(block: promised::Block) -> Block {
    Block { name: block.name, offset: block.offset, data: block.data.to_vec() }
}

fn pictures(origins: Vec<Origin>) -> Vec<Picture> {
    origins
        .into_iter()
        .map(|origin| match origin {
            Origin::Object(image::Object { bucket, key }) => Picture::Object { bucket, key },
            Origin::Bytes(bytes) => Picture::Bytes(Bytes::from(bytes)),
        })
        .collect()
}

impl image::Host for Guest {
    async fn describe_many(&mut self, origins: Vec<Origin>) -> Answer<Vec<Result<Header, Flaw>>> {
        let headers = self.reads.headers(&self.services, &pictures(origins)).await;
        answer(headers, |header| Header {
            format: header.format,
            size: header.size,
            width: header.width,
            height: header.height,
            pages: header.pages,
            bands: header.bands,
            bits: header.bits,
            colour: header.colour,
            alpha: header.alpha,
            orientation: header.orientation,
            profile: header.profile.map(|profile| profile.to_vec()),
        })
    }

    async fn blocks_many(&mut self, origins: Vec<Origin>) -> Answer<Vec<Result<Vec<Block>, Flaw>>> {
        let blocks = self.reads.blocks(&self.services, &pictures(origins)).await;
        answer(blocks, |blocks| blocks.into_iter().map(block).collect())
    }

    async fn measure_many(&mut self, renditions: Vec<image::Rendition>) -> Answer<Vec<Result<image::Size, Flaw>>> {
        let renditions: Vec<_> = renditions.into_iter().map(converted).collect();
        let sizes = self.reads.sizes(&self.services, &renditions).await;
        answer(sizes, |Size { width, height }| image::Size { width, height })
    }
}
