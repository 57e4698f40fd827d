//! Writes a byline in mixed case that is all in one.

use super::capitalise::capitalise;
use crate::{Settings, processors::Image};

/// Words between the names of a person.
const JOINING: [&str; 9] = ["van", "der", "den", "dem", "von", "de", "du", "la", "et"];

/// Capitalises the names of a person: at least two words, without slashes and digits.
pub fn clean(image: &mut Image, settings: &Settings) {
    if let Some(byline) = image.metadata.byline.as_mut().filter(|byline| is_person(byline)) {
        *byline = capitalise(byline, &JOINING, settings.parity);
    }
}

fn is_person(byline: &str) -> bool {
    !byline.contains(|c: char| c == '/' || c.is_ascii_digit()) && byline.split_whitespace().nth(1).is_some()
}
