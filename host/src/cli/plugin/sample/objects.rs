//! What a sample says of objects and of images.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use crate::{
    capability::{
        image::{Answer, Block, Flaw, Header},
        storage::ObjectInfo,
    },
    cli::plugin::memory::{Object, Picture},
    error::{Error, Result},
};

/// `"buckets": {"<name>": {"<key>": …}}`. Everything has a default.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SaidObject {
    /// Without it, the text's.
    size: Option<u64>,
    #[serde(default = "some_etag")]
    etag: String,
    content_type: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    text: String,
}

fn some_etag() -> String {
    "etag".to_owned()
}

impl SaidObject {
    pub(super) fn object(self, key: &str) -> Object {
        let info = ObjectInfo {
            key: key.to_owned(),
            size: self.size.unwrap_or(self.text.len() as u64),
            etag: self.etag,
            content_type: self.content_type,
            metadata: self.metadata,
            modified: None,
        };
        Object { info, content: self.text.into() }
    }
}

/// `"images": {"<bucket>": {"<key>": …}}`: its header, as far as it differs from that of a usual photograph, or a flaw.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SaidImage {
    flaw: Option<SaidFlaw>,
    format: String,
    size: u64,
    width: u32,
    height: u32,
    pages: u32,
    bands: u32,
    bits: u32,
    colour: String,
    alpha: bool,
    orientation: u8,
    /// In base64.
    profile: Option<String>,
    blocks: Vec<SaidBlock>,
}

impl Default for SaidImage {
    fn default() -> Self {
        Self {
            flaw: None,
            format: "jpeg".to_owned(),
            size: 0,
            width: 0,
            height: 0,
            pages: 1,
            bands: 3,
            bits: 8,
            colour: "srgb".to_owned(),
            alpha: false,
            orientation: 1,
            profile: None,
            blocks: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SaidFlaw {
    Missing,
    Changed,
    Refused(String),
    Unreadable(String),
    Fatal(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidBlock {
    name: String,
    #[serde(default)]
    offset: u64,
    base64: String,
}

impl SaidImage {
    /// *Errors*: it is no picture, or something in it is not base64.
    pub(super) fn picture(self) -> Result<Answer<Picture>> {
        if let Some(flaw) = self.flaw {
            return Ok(Err(flaw.into()));
        }
        if self.width == 0 || self.height == 0 {
            return Err(Error::usage("an image of the sample has neither a `flaw` nor a `width` and a `height`")
                .hint("say how large it is, or what is wrong with it; `reindex plugin test --help` tells how"));
        }
        let header = Header {
            format: self.format,
            size: self.size,
            width: self.width,
            height: self.height,
            pages: self.pages,
            bands: self.bands,
            bits: self.bits,
            colour: self.colour,
            alpha: self.alpha,
            orientation: self.orientation,
            profile: self.profile.map(|text| bytes(&text)).transpose()?.map(Into::into),
        };
        let block = |SaidBlock { name, offset, base64 }| Ok(Block { name, offset, data: bytes(&base64)?.into() });
        let blocks = self.blocks.into_iter().map(block).collect::<Result<_>>()?;
        Ok(Ok(Picture { header, blocks }))
    }
}

impl From<SaidFlaw> for Flaw {
    fn from(flaw: SaidFlaw) -> Self {
        match flaw {
            SaidFlaw::Missing => Self::Missing,
            SaidFlaw::Changed => Self::Changed,
            SaidFlaw::Refused(reason) => Self::Refused(reason),
            SaidFlaw::Unreadable(reason) => Self::Unreadable(reason),
            SaidFlaw::Fatal(reason) => Self::Fatal(reason),
        }
    }
}

fn bytes(base64: &str) -> Result<Vec<u8>> {
    STANDARD
        .decode(base64)
        .map_err(|error| Error::usage("an image of the sample has something that is not base64").because(error))
}
