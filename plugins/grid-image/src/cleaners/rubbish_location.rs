//! Removes names of places that are nothing but dots or dashes.

use crate::{Settings, processors::Image, text::trim};

/// Removes them from the sub-location, the city, the state and the country.
pub fn clean(image: &mut Image, _: &Settings) {
    let metadata = &mut image.metadata;
    for place in [&mut metadata.sub_location, &mut metadata.city, &mut metadata.state, &mut metadata.country] {
        *place = place.take().filter(|name| !is_rubbish(name));
    }
}

fn is_rubbish(name: &str) -> bool {
    trim(name).chars().all(|c| matches!(c, '.' | '-'))
}
