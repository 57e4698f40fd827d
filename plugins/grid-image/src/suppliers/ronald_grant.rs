//! The Ronald Grant Archive.

use super::supplied;
use crate::{Settings, UsageRights, processors::Image};

const NAME: &str = "Ronald Grant Archive";

/// Recognises its credits.
pub fn apply(image: &mut Image, _: &Settings) {
    if let Some("www.ronaldgrantarchive.com" | NAME) = image.metadata.credit.as_deref() {
        supplied(image, UsageRights::agency(NAME, None), "Ronald Grant", None);
    }
}
