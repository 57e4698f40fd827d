//! Writes the credit of the organisation itself in its canonical way.

use crate::{Settings, processors::Image};

/// Replaces a credit that is configured.
pub fn clean(image: &mut Image, settings: &Settings) {
    if let Some(credit) = &mut image.metadata.credit
        && let Some(canonical) = settings.own.canonical_credits.get(credit)
    {
        canonical.clone_into(credit);
    }
}
