//! PA.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::supplied;
use crate::{Parity, Settings, UsageRights, processors::Image};

/// Its names. Of those that begin alike, the longest comes first.
const NAMES: &str = "PA Wire/PA Images|PA Wire/PA Photos|PA Wire/Press Association Images|PA Archive/PA Photos|\
     PA Archive/PA Images|PA Archive/Press Association Images|PA Archive/Press Association Ima|PA Wire|PA Archive|PA|\
     Press Association Images";

/// One of its names among others: as much as possible before it.
#[expect(clippy::unwrap_used, reason = "a test runs it")]
static CREDIT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!("(?i)^(?:(?<before>.*)/)?(?:{NAMES})(?:/(?<after>.*))?$")).unwrap());

/// One of its names alone.
#[expect(clippy::unwrap_used, reason = "a test runs it")]
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(&format!("(?i)^(?:{NAMES})$")).unwrap());

/// Recognises its names as parts of the credit, else of the source, and moves it to the end.
pub fn apply(image: &mut Image, settings: &Settings) {
    let lines = [&image.metadata.credit, &image.metadata.source];
    let found = lines.into_iter().flatten().find_map(|line| {
        let found = CREDIT.captures(line)?;
        let others = [found.name("before"), found.name("after")].into_iter().flatten().map(|part| part.as_str());
        let others = others.filter(|part| settings.parity == Parity::Grid || !NAME.is_match(part));
        Some(others.chain(["PA"]).collect::<Vec<_>>().join("/"))
    });
    if let Some(credit) = found {
        supplied(image, UsageRights::agency("PA", None), credit, None);
    }
}
