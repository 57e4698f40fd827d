//! The chains of rules that a base document goes through.

use crate::{
    FileMetadata, ImageMetadata, Settings, UsageRights, cleaners, dates::DateTime, settings::Processor, suppliers,
};

/// The part of a document that rules read and change.
#[derive(Debug, Clone, PartialEq)]
pub struct Image<'a> {
    /// What the file says. No rule changes it.
    pub file: &'a FileMetadata,
    /// When the image was uploaded.
    pub upload_time: DateTime,
    /// The metadata.
    pub metadata: ImageMetadata,
    /// The rights.
    pub usage_rights: UsageRights,
}

/// A rule: it may change metadata and rights.
pub type Rule = fn(&mut Image, &Settings);

/// Sends an image through the chains that are configured.
pub fn process(image: &mut Image, settings: &Settings) {
    for processor in &settings.processors {
        let rules: &[Rule] = match processor {
            Processor::Cleaners => &cleaners::ALL,
            Processor::SupplierRules => &suppliers::ALL,
        };
        rules.iter().for_each(|rule| rule(image, settings));
    }
}
