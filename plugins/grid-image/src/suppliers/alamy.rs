//! Alamy.

use super::supplied;
use crate::{Settings, UsageRights, processors::Image};

/// Recognises credits with its name, but not those of its live news.
pub fn apply(image: &mut Image, _: &Settings) {
    let credit = image.metadata.credit.as_deref().unwrap_or_default();
    if credit.contains("Alamy") && !credit.contains("Alamy Live News") {
        let credit = credit.replace("Alamy Stock Photo", "Alamy");
        supplied(image, UsageRights::agency("Alamy", None), credit, None);
    }
}
