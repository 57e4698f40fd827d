//! The Allstar Picture Library.

use super::canonical_name::Agency;
use crate::{Settings, processors::Image};

pub(super) const SUPPLIER: &str = "Allstar Picture Library";

const AGENCY: Agency = Agency { name: "Allstar", names: &["Allstar", SUPPLIER], supplier: SUPPLIER };

/// Recognises its names in byline and credit.
pub fn apply(image: &mut Image, _: &Settings) {
    AGENCY.apply(image);
}
