//! The whole of a projection, from what was read.

use crate::{
    Document, Failure, FileMetadata, ImageId, MimeType, Settings, Upload, address,
    asset::{Asset, Dimensions, ExifOrientation},
    dates::DateTime,
    derived::Original,
    document::Assets,
    merge::{Answers, merge},
};

/// Everything that a document is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The id.
    pub id: ImageId,
    /// The S3 user metadata of the original.
    pub user_metadata: Vec<(String, String)>,
    /// When the original was last modified.
    pub last_modified: DateTime,
    /// The size of the original in bytes.
    pub size: u64,
    /// What the original is.
    pub mime_type: MimeType,
    /// Its pixels as they are stored.
    pub dimensions: Dimensions,
    /// The value of its EXIF tag for orientation.
    pub orientation: Option<u32>,
    /// What it says of itself.
    pub file: FileMetadata,
    /// The thumbnail, stored or made.
    pub thumbnail: Option<DerivedFile>,
    /// The optimised PNG, stored or made.
    pub optimised_png: Option<DerivedFile>,
    /// What the other stores answered.
    pub answers: Answers,
    /// The time at which leases are active or not.
    pub now: DateTime,
}

/// A file that was made of an original.
#[derive(Debug, Clone, PartialEq)]
pub struct DerivedFile {
    /// Its size in bytes; not known before it is made.
    pub size: Option<u64>,
    /// Its media type, as the store or its bytes say it.
    pub mime_type: String,
    /// Its pixels; those of an optimised PNG are taken to be the original's.
    pub dimensions: Dimensions,
}

impl Input {
    /// The original, as far as decisions about derived images depend on it.
    pub fn original(&self) -> Original<'_> {
        Original {
            mime_type: self.mime_type,
            dimensions: self.dimensions,
            orientation: ExifOrientation::new(self.orientation),
            file: &self.file,
        }
    }
}

/// Makes the document of an image.
///
/// *Errors*: [`Failure`] as of its parts; nothing of a document is made then.
pub fn project(input: Input, settings: &Settings) -> Result<Document, Failure> {
    let assets = assets(&input, settings)?;
    let entries = input.user_metadata.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let upload = Upload::read(entries, input.last_modified)?;
    let base = Document::base(input.id, upload, assets, input.file, settings);
    merge(base, input.answers, input.now, settings)
}

fn assets(input: &Input, settings: &Settings) -> Result<Assets, Failure> {
    let stores = &settings.stores;
    let (key, optimised_key) = (input.id.key(), input.id.optimised_key());
    let file = |bucket: &str, key: &str| address(bucket, &stores.endpoint, key);
    let source = Asset::new(file(&stores.image_bucket, &key), Some(input.size), input.mime_type, input.dimensions)
        .held(ExifOrientation::new(input.orientation), settings.parity);
    let thumbnail = input.thumbnail.as_ref().map(|made| made.asset("thumbnail", file(&stores.thumbnail_bucket, &key)));
    let optimised_png = input.optimised_png.as_ref().map(|made| {
        let made = DerivedFile { dimensions: input.dimensions, ..made.clone() };
        made.asset("optimised PNG", file(&stores.image_bucket, &optimised_key))
    });
    Ok(Assets { source, thumbnail: thumbnail.transpose()?, optimised_png: optimised_png.transpose()? })
}

impl DerivedFile {
    fn asset(&self, which: &'static str, file: String) -> Result<Asset, Failure> {
        let mime_type = MimeType::named(&self.mime_type)
            .ok_or_else(|| Failure::Derived { which, found: self.mime_type.clone() })?;
        Ok(Asset::new(file, self.size, mime_type, self.dimensions))
    }
}
