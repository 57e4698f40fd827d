//! Removes a title that says nothing new.

use crate::{Settings, processors::Image};

/// Removes a title with which the description begins.
pub fn clean(image: &mut Image, _: &Settings) {
    let metadata = &mut image.metadata;
    if let (Some(title), Some(description)) = (&metadata.title, &metadata.description)
        && description.starts_with(title.as_str())
    {
        metadata.title = None;
    }
}
