//! Corbis.

use crate::{Settings, UsageRights, processors::Image};

/// Recognises it as the source.
pub fn apply(image: &mut Image, _: &Settings) {
    if image.metadata.source.as_deref() == Some("Corbis") {
        image.usage_rights = UsageRights::agency("Corbis", None);
    }
}
