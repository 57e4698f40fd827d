//! Writes out a country of which the file says the code.

use std::{collections::HashMap, sync::LazyLock};

use crate::{Settings, image_metadata::country_candidates, processors::Image};

/// Lines of a code, a tabulator and a name.
static NAMES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    include_str!("../../data/countries.tsv").lines().filter_map(|line| line.split_once('\t')).collect()
});

/// The longest code, in characters.
const LONGEST: usize = 3;

/// Replaces the country by the name of the first code that the file says.
pub fn clean(image: &mut Image, _: &Settings) {
    let codes = country_candidates(image.file).into_iter().flatten();
    let mut names = codes.filter(|code| code.encode_utf16().count() <= LONGEST).filter_map(|code| NAMES.get(code));
    if let Some(name) = names.next() {
        image.metadata.country = Some((*name).to_owned());
    }
}
