//! Rules that tidy the metadata of an image, each on the result of the one before.

pub mod byline_case;
pub mod byline_credit_split;
pub mod byline_style;
pub mod canonical_credit;
mod capitalise;
pub mod copyright_prefix;
pub mod country_code;
pub mod credit_from_byline;
pub mod image_type;
pub mod join_initials;
pub mod location_case;
pub mod photographer_names;
pub mod redundant_title;
pub mod redundant_tokens;
pub mod rubbish_location;

use crate::processors::Rule;

/// The cleaners in their order.
pub const ALL: [Rule; 17] = [
    rubbish_location::clean,
    copyright_prefix::clean,
    redundant_tokens::clean,
    byline_credit_split::clean,
    canonical_credit::clean,
    credit_from_byline::clean,
    country_code::clean,
    byline_style::clean,
    byline_case::clean,
    join_initials::clean,
    location_case::country,
    location_case::state,
    location_case::city,
    location_case::sub_location,
    redundant_title::clean,
    photographer_names::clean,
    image_type::clean,
];
