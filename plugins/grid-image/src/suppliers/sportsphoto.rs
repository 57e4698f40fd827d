//! Sportsphoto, a part of the Allstar Picture Library.

use super::{allstar, canonical_name::Agency};
use crate::{Settings, processors::Image};

const AGENCY: Agency = Agency {
    name: "Sportsphoto",
    names: &["Sportsphoto", "Sportsphoto Ltd", "Sportsphoto Ltd.", "Sportsphoto Limited"],
    supplier: allstar::SUPPLIER,
};

/// Recognises its names in byline and credit.
pub fn apply(image: &mut Image, _: &Settings) {
    AGENCY.apply(image);
}
