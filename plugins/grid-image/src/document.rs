//! The document of an image.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    FileMetadata, ImageId, ImageMetadata, Settings, UsageRights,
    asset::Asset,
    dates::DateTime,
    image_metadata::from_file,
    merge::{crops::Crop, deletion::Deletion, edits::Edits, leases::Leases},
    processors::{Image, process},
    upload::Upload,
};

/// The document of an image. Its fields have the names of its JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the JSON")]
pub struct Document {
    pub id: ImageId,
    pub upload_time: DateTime,
    pub uploaded_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_deleted_metadata: Option<Deletion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<DateTime>,
    pub identifiers: BTreeMap<String, String>,
    pub upload_info: UploadInfo,
    pub source: Asset,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<Asset>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimised_png: Option<Asset>,
    pub file_metadata: FileMetadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_metadata: Option<Edits>,
    pub metadata: ImageMetadata,
    pub original_metadata: ImageMetadata,
    pub usage_rights: UsageRights,
    pub original_usage_rights: UsageRights,
    pub exports: Vec<Crop>,
    pub usages: Vec<Map<String, Value>>,
    pub leases: Leases,
    pub collections: Vec<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syndication_rights: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_metadata_last_modified: Option<DateTime>,
}

/// What is known of the file that was uploaded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UploadInfo {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

/// The files of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Assets {
    /// The original.
    pub source: Asset,
    /// The thumbnail.
    pub thumbnail: Option<Asset>,
    /// The optimised PNG.
    pub optimised_png: Option<Asset>,
}

impl Document {
    /// The document of an image as it would be if it were uploaded today, before its users edited it.
    ///
    /// Metadata and rights are those that the configured rules leave, also the original ones.
    pub fn base(id: ImageId, upload: Upload, assets: Assets, file: FileMetadata, settings: &Settings) -> Self {
        let upload_time = upload.upload_time;
        let mut image = Image {
            file: &file,
            upload_time,
            metadata: from_file(&file, upload_time, settings.parity),
            usage_rights: UsageRights::default(),
        };
        process(&mut image, settings);
        let Image { metadata, usage_rights, .. } = image;
        Self {
            id,
            upload_time,
            uploaded_by: upload.uploaded_by,
            soft_deleted_metadata: None,
            last_modified: Some(upload_time),
            identifiers: upload.identifiers,
            upload_info: UploadInfo { filename: upload.file_name },
            source: assets.source,
            thumbnail: assets.thumbnail,
            optimised_png: assets.optimised_png,
            original_metadata: metadata.clone(),
            metadata,
            original_usage_rights: usage_rights.clone(),
            usage_rights,
            file_metadata: file,
            user_metadata: None,
            exports: Vec::new(),
            usages: Vec::new(),
            leases: Leases::default(),
            collections: Vec::new(),
            syndication_rights: None,
            user_metadata_last_modified: None,
        }
    }
}
