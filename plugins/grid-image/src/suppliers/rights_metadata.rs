//! What the rights of an image say about its metadata.

use crate::{Settings, processors::Image};

const PHOTOGRAPH: &str = "Photograph";
const ILLUSTRATION: &str = "Illustration";
const COMPOSITE: &str = "Composite";

/// Takes byline, credit, copyright and type from the rights where they say them.
pub fn apply(image: &mut Image, settings: &Settings) {
    let (rights, metadata) = (&image.usage_rights, &mut image.metadata);
    let (byline, credit, image_type) = match rights.category() {
        Some("staff-photographer") => {
            let own = |by: &String| settings.own.publications.values().any(|publication| publication == by);
            if metadata.copyright.as_ref().is_none_or(own) {
                metadata.copyright = rights.get("publication").map(str::to_owned);
            }
            ("photographer", "publication", Some(PHOTOGRAPH))
        }
        Some("contract-photographer" | "commissioned-photographer") => {
            ("photographer", "publication", Some(PHOTOGRAPH))
        }
        Some("contract-illustrator" | "commissioned-illustrator") => ("creator", "publication", Some(ILLUSTRATION)),
        Some("staff-illustrator") => ("creator", "creator", Some(ILLUSTRATION)),
        Some("composite") => ("", "suppliers", Some(COMPOSITE)),
        Some("screengrab") => ("", "source", None),
        _ => return,
    };
    let said = [
        (&mut metadata.byline, rights.get(byline)),
        (&mut metadata.credit, rights.get(credit)),
        (&mut metadata.image_type, image_type),
    ];
    for (field, text) in said {
        *field = text.map(str::to_owned).or_else(|| field.take());
    }
}
