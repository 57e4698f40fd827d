//! AAP.

use super::supplied;
use crate::{Settings, UsageRights, processors::Image};

/// Recognises its credits.
pub fn apply(image: &mut Image, _: &Settings) {
    if let Some("AAPIMAGE" | "AAP IMAGE" | "AAP") = image.metadata.credit.as_deref() {
        supplied(image, UsageRights::agency("AAP", None), "AAP", None);
    }
}
