//! Writes names of places in mixed case that are all in one.

use super::capitalise::capitalise;
use crate::{Parity, Settings, processors::Image};

/// Capitalises the country.
pub fn country(image: &mut Image, settings: &Settings) {
    clean(&mut image.metadata.country, settings.parity);
}

/// Capitalises the state.
pub fn state(image: &mut Image, settings: &Settings) {
    clean(&mut image.metadata.state, settings.parity);
}

/// Capitalises the city.
pub fn city(image: &mut Image, settings: &Settings) {
    clean(&mut image.metadata.city, settings.parity);
}

/// Capitalises the sub-location.
pub fn sub_location(image: &mut Image, settings: &Settings) {
    clean(&mut image.metadata.sub_location, settings.parity);
}

fn clean(place: &mut Option<String>, parity: Parity) {
    if let Some(name) = place {
        *name = capitalise(name, &[], parity);
    }
}
