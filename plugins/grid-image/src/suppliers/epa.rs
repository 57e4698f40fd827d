//! EPA.

use super::refer;
use crate::{Settings, UsageRights, processors::Image};

const NAME: &str = "EPA";

/// Recognises its name as a word of the credit.
pub fn apply(image: &mut Image, _: &Settings) {
    if image.metadata.credit.as_deref().is_some_and(names_it) {
        image.usage_rights = UsageRights::agency(NAME, None);
        refer(image, image.file.iptc.get("Unique Document Identifier").map(String::as_str));
    }
}

fn names_it(credit: &str) -> bool {
    let is_between = |c: char| !c.is_alphanumeric() && c != '_';
    !credit.contains(['\n', '\r']) && credit.split(is_between).any(|word| word == NAME)
}
