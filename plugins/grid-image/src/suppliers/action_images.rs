//! Action Images.

use super::supplied;
use crate::{Settings, UsageRights, processors::Image};

const CREDITS: [&str; 4] = ["Action Images", "Action Images/Reuters", "Action images/Reuters", "Action Images/REUTERS"];

/// Recognises its credits.
pub fn apply(image: &mut Image, _: &Settings) {
    if image.metadata.credit.as_deref().is_some_and(|credit| CREDITS.contains(&credit)) {
        let reference = image.file.iptc.get("Fixture Identifier").map(String::as_str);
        supplied(image, UsageRights::agency("Action Images", None), "Action Images/Reuters", reference);
    }
}
