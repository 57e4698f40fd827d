//! AP, and its collection Invision.

use super::supplied;
use crate::{Settings, UsageRights, file_metadata::xmp_head, processors::Image, text::strip_prefix_in_any_case};

const NAME: &str = "AP";

/// How the credits of its partners end.
const PARTNER: &str = "/ap";

/// Recognises its credits, those of Invision and those of its partners.
pub fn apply(image: &mut Image, _: &Settings) {
    let Some(credit) = image.metadata.credit.clone() else { return };
    let reference = xmp_head(image.file, "plus:ImageSupplierImageID");
    match credit.to_lowercase().as_str() {
        "ap" | "ap photo" | "associated press" => supplied(image, UsageRights::agency(NAME, None), NAME, reference),
        "invision" | "invision/ap" => supplied(image, UsageRights::agency(NAME, Some("Invision")), credit, reference),
        _ if strip_prefix_in_any_case(&credit, "invision for ").is_some_and(|name| !name.is_empty()) => {
            supplied(image, UsageRights::agency(NAME, Some("Invision")), credit, reference);
        }
        _ => {
            let split = credit.len().checked_sub(PARTNER.len()).and_then(|end| credit.split_at_checked(end));
            if let Some((partner, end)) = split
                && end.eq_ignore_ascii_case(PARTNER)
                && !partner.is_empty()
            {
                supplied(image, UsageRights::agency(NAME, Some(partner)), format!("{partner}/{NAME}"), reference);
            }
        }
    }
}
