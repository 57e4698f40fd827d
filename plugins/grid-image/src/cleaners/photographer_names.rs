//! Corrects the names of photographers.

use crate::{Settings, processors::Image};

/// Replaces a byline that is configured.
pub fn clean(image: &mut Image, settings: &Settings) {
    if let Some(byline) = &mut image.metadata.byline
        && let Some(name) = settings.photographer_names.get(byline)
    {
        name.clone_into(byline);
    }
}
