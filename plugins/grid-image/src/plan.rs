//! What becomes of an image that was looked at: its document, and the derived images that are not there yet.

use reindex_guest::{
    Effect, Jpeg, Kept, Outcome, Png, Rendition, Space, Step,
    image::{Block, Header},
    storage::ObjectInfo,
};
use serde_json::Value;

use crate::{
    FileMetadata, ImageId, Input, MimeType, Settings,
    asset::{Dimensions, ExifOrientation},
    dates::DateTime,
    derived::{self, Decision, Optimised, Original, Thumbnail, Viewable},
    failure::Failure,
    merge::{Answer, Answers, crops::CropObject},
    project,
    projection::DerivedFile,
};

/// The index of the documents.
pub const INDEX: &str = "images";
/// The bucket of the originals and of the optimised PNGs.
pub const ORIGINALS: &str = "originals";
/// The bucket of the thumbnails.
pub const THUMBNAILS: &str = "thumbnails";

/// The block of a TIFF with the tags of its first directory.
const FIRST_DIRECTORY: &str = "tiff:IFD0";

/// What the stores hold of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The original.
    pub original: ObjectInfo,
    /// What the original says of its pixels.
    pub header: Header,
    /// What it says of itself.
    pub blocks: Vec<Block>,
    /// The stored thumbnail.
    pub thumbnail: Option<Header>,
    /// The stored optimised PNG.
    pub optimised: Option<Header>,
    /// The objects of its crops.
    pub crops: Vec<ObjectInfo>,
    /// The records of its users, by store.
    pub records: Records,
}

/// The records of an image's users, as JSON texts.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the stores")]
pub struct Records {
    pub edits: Option<String>,
    pub leases: Option<String>,
    pub collections: Option<String>,
    pub usages: Option<String>,
    pub syndication_rights: Option<String>,
    pub soft_deletions: Option<String>,
}

/// Says what is to be done about an image: what is derived of it is stored first, then its document.
///
/// *Errors*: the failure of its projection.
pub fn plan(id: &ImageId, seen: Seen, now: DateTime, settings: &Settings) -> Result<Vec<Effect>, Failure> {
    let format = format!("image/{}", seen.header.format);
    let named = MimeType::named(&format).ok_or(Failure::UnsupportedType { found: format })?;
    let directory = seen.blocks.iter().find(|block| block.name == FIRST_DIRECTORY);
    let mime_type = named.unless_raw(directory.map_or(&[], |block| &block.data))?;
    let (file, orientation) = read(&seen);
    if file.colour_model.is_none() {
        return Err(Failure::ColourModel { reason: format!("its colours are {}", seen.header.colour) });
    }
    let dimensions = dimensions(&seen.header);
    let original = Original { mime_type, dimensions, orientation: ExifOrientation::new(orientation), file: &file };

    let etag = &seen.original.etag;
    let mut effects = Vec::new();
    let thumbnail = match derived::thumbnail(original, seen.thumbnail.is_some(), settings) {
        Decision::Reuse => seen.thumbnail.as_ref().map(stored),
        Decision::Make(thumbnail) => {
            let made = made(MimeType::Jpeg, thumbnail.dimensions);
            effects.push(Effect::put_rendition(THUMBNAILS, id.key(), small(id, etag, &thumbnail)));
            Some(made)
        }
    };
    let colour_type = colour_type(original, &seen.header, settings);
    let optimised = derived::optimised(mime_type, colour_type, seen.optimised.is_some(), settings);
    let optimised_png = match (optimised, &seen.optimised) {
        (None, _) | (Some(Decision::Reuse), None) => None,
        // What would be made again would be the same.
        (Some(_), Some(header)) => Some(stored(header)),
        (Some(Decision::Make(optimised)), None) => {
            let rendition = png(id, etag, optimised, derived::viewable(mime_type, settings));
            effects.push(Effect::put_rendition(ORIGINALS, id.optimised_key(), rendition));
            Some(made(MimeType::Png, dimensions))
        }
    };
    let document = project(
        Input {
            id: id.clone(),
            last_modified: uploaded(&seen.original)?,
            user_metadata: seen.original.metadata,
            size: seen.original.size,
            mime_type,
            dimensions,
            orientation,
            file,
            thumbnail,
            optimised_png,
            answers: answers(seen.records, seen.crops)?,
            now,
        },
        settings,
    )?;
    let body = serde_json::to_string(&document).expect("a document's keys are texts, and none of its parts fails");
    effects.push(Effect::put_document(INDEX, id.as_str(), body));
    Ok(effects)
}

/// The outcome of a failure.
pub fn outcome(failure: &Failure) -> Outcome {
    match failure {
        Failure::NotFound { .. } => Outcome::NotFound(failure.to_string()),
        failure if failure.is_transient() => Outcome::Retry(failure.to_string()),
        failure => Outcome::Invalid(failure.to_string()),
    }
}

/// The metadata of a file, and the value of its tag for orientation.
fn read(seen: &Seen) -> (FileMetadata, Option<u32>) {
    let Header { format, colour, alpha, .. } = &seen.header;
    // A file without any block would not say what it is.
    let container = format!("{format}:");
    let container = image_metadata::Block { name: &container, data: &[] };
    let blocks = seen.blocks.iter().map(|block| image_metadata::Block { name: &block.name, data: &block.data });
    let blocks: Vec<_> = [container].into_iter().chain(blocks).collect();
    let picture = image_metadata::Picture { interpretation: colour, alpha: *alpha };
    let orientation = image_metadata::orientation(&blocks).and_then(|tag| tag.exif_orientation.try_into().ok());
    (image_metadata::read(&blocks, &picture), orientation)
}

/// Documents need a time of upload, and hosts do not say when an object was last modified.
fn uploaded(original: &ObjectInfo) -> Result<DateTime, Failure> {
    let is_time = |(name, _): &&(String, String)| name.replace('_', "-") == "upload-time";
    match original.metadata.iter().find(is_time) {
        Some(_) => Ok(DateTime::from_millis(0)),
        None => Err(Failure::Upload { name: "upload-time".to_owned(), problem: "is missing".to_owned() }),
    }
}

fn dimensions(header: &Header) -> Dimensions {
    Dimensions { width: header.width, height: header.height }
}

fn stored(header: &Header) -> DerivedFile {
    let mime_type = format!("image/{}", header.format);
    DerivedFile { size: Some(header.size), mime_type, dimensions: dimensions(header) }
}

fn made(mime_type: MimeType, dimensions: Dimensions) -> DerivedFile {
    DerivedFile { size: None, mime_type: mime_type.as_str().to_owned(), dimensions }
}

/// The colour type of the viewable image, where that is a PNG.
fn colour_type<'a>(original: Original<'a>, header: &Header, settings: &Settings) -> Option<&'a str> {
    let is_grey = matches!(header.colour.as_str(), "b-w" | "grey16");
    match (derived::viewable(original.mime_type, settings), header.alpha) {
        (Viewable::Original, _) => original.file.colour_model_information.get("colorType").map(String::as_str),
        (Viewable::Transcoded, false) if is_grey => Some("Greyscale"),
        (Viewable::Transcoded, true) if is_grey => Some("Greyscale with Alpha"),
        (Viewable::Transcoded, false) => Some("True Color"),
        (Viewable::Transcoded, true) => Some("True Color with Alpha"),
    }
}

fn small(id: &ImageId, etag: &str, thumbnail: &Thumbnail) -> Rendition {
    let Thumbnail { turn, orient, dimensions: Dimensions { width, height }, .. } = *thumbnail;
    let upright = Rendition::of(ORIGINALS, id.key()).unchanged_since(etag);
    let upright = match turn {
        _ if orient => upright.orient(),
        0 => upright,
        degrees => upright.turn(degrees),
    };
    let ignore_profile = thumbnail.assumed_profile.is_some();
    upright
        .thumbnail(width, height, true)
        .step(Step::Colour(reindex_guest::Colour { space: Space::Srgb, ignore_profile }))
        .flatten(thumbnail.background)
        .sharpen(thumbnail.sharpen.sigma, thumbnail.sharpen.amount)
        .written_as(Jpeg { quality: thumbnail.quality, progressive: true, keep: Kept::Profile })
}

fn png(id: &ImageId, etag: &str, optimised: Optimised, viewable: Viewable) -> Rendition {
    let palette = match optimised {
        Optimised::Palette { quality, .. } => Some(quality),
        Optimised::Viewable => None,
    };
    let picture = Rendition::of(ORIGINALS, id.key()).unchanged_since(etag);
    let picture = if viewable == Viewable::Transcoded { picture.colour(Space::Srgb) } else { picture };
    picture.written_as(Png { compression: 6, palette, keep: Kept::Profile })
}

fn answers(records: Records, crops: Vec<ObjectInfo>) -> Result<Answers, Failure> {
    let crops = crops.into_iter().map(|object| CropObject {
        key: object.key,
        size: object.size,
        content_type: object.content_type,
        metadata: object.metadata,
    });
    Ok(Answers {
        edits: answer("edits", records.edits)?,
        leases: answer("leases", records.leases)?,
        collections: answer("collections", records.collections)?,
        usages: answer("usages", records.usages)?,
        syndication_rights: answer("syndication rights", records.syndication_rights)?,
        deletion: answer("soft deletions", records.soft_deletions)?,
        crops: Answer::Found(crops.collect()),
    })
}

fn answer(store: &'static str, record: Option<String>) -> Result<Answer<Value>, Failure> {
    let Some(record) = record else { return Ok(Answer::NotFound) };
    let parsed = serde_json::from_str(&record);
    let failure = |error| Failure::Record { store, key: String::new(), problem: format!("is no JSON: {error}") };
    parsed.map(Answer::Found).map_err(failure)
}
