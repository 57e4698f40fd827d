//! Removes the mark of copyright from the start of byline and credit.

use std::sync::LazyLock;

use regex_lite::Regex;

use crate::{Settings, processors::Image};

#[expect(clippy::unwrap_used, reason = "a test runs it")]
static PREFIX: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)^(?:©|Copyright(?: of)?|\(c\)|\s|:)*").unwrap());

/// Removes it, with the blanks and colons around it, from a text of one line.
pub fn clean(image: &mut Image, _: &Settings) {
    for line in [&mut image.metadata.byline, &mut image.metadata.credit] {
        if let Some(text) = line.as_mut().filter(|text| !text.contains(['\n', '\r'])) {
            *text = PREFIX.replace(text, "").into_owned();
        }
    }
}
