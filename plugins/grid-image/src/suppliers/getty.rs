//! Getty Images.

use super::supplied;
use crate::{Settings, UsageRights, processors::Image, text::equal_in_any_case};

const NAME: &str = "Getty Images";

/// Credits that are names of collections.
const COLLECTIONS: [&str; 4] = ["AFP", "FilmMagic", "WireImage", "Hulton"];

/// Recognises its own notes in the file.
pub fn apply(image: &mut Image, _: &Settings) {
    let Some(asset) = image.file.getty.get("Asset ID") else { return };
    let credit = image.metadata.credit.clone();
    let is_credited = |collection: &&str| credit.as_deref().is_some_and(|credit| equal_in_any_case(credit, collection));
    let collection = COLLECTIONS.into_iter().find(is_credited).or(image.metadata.source.as_deref());
    let rights = UsageRights::agency(NAME, collection);
    supplied(image, rights, credit.unwrap_or_else(|| NAME.to_owned()), Some(asset));
}
