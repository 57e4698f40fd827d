//! PA.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::supplied;
use crate::{Parity, Settings, UsageRights, processors::Image};

/// Its name among others. Of the names that begin alike, the longest comes first.
const CREDIT: &str = r"(?i)^(?:(?<before>.*)/)?(?:PA Wire/PA Images|PA Wire/PA Photos|PA Wire/Press Association Images|PA Archive/PA Photos|PA Archive/PA Images|PA Archive/Press Association Images|PA Archive/Press Association Ima|PA Wire|PA Archive|PA|Press Association Images)(?:/(?<after>.*))?$";

#[expect(clippy::unwrap_used, reason = "a test runs it")]
static LONGEST_BEFORE: LazyLock<Regex> = LazyLock::new(|| Regex::new(CREDIT).unwrap());

#[expect(clippy::unwrap_used, reason = "a test runs it")]
static SHORTEST_BEFORE: LazyLock<Regex> = LazyLock::new(|| Regex::new(&CREDIT.replacen(".*", ".*?", 1)).unwrap());

/// Recognises its names as parts of the credit, else of the source, and moves it to the end.
pub fn apply(image: &mut Image, settings: &Settings) {
    let credit = match settings.parity {
        Parity::Grid => &LONGEST_BEFORE,
        Parity::Fixed => &SHORTEST_BEFORE,
    };
    let lines = [&image.metadata.credit, &image.metadata.source];
    let found = lines.into_iter().flatten().find_map(|line| {
        let found = credit.captures(line)?;
        let others = [found.name("before"), found.name("after")].into_iter().flatten().map(|part| part.as_str());
        Some(others.chain(["PA"]).collect::<Vec<_>>().join("/"))
    });
    if let Some(credit) = found {
        supplied(image, UsageRights::agency("PA", None), credit, None);
    }
}
