//! Reuters, and those it distributes.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::supplied;
use crate::{Settings, UsageRights, processors::Image, text::trim};

/// Its name, or one of its common misspellings, at the end.
#[expect(clippy::unwrap_used, reason = "a test runs it")]
static AT_END: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)^(.*?)(?:/ ?| )?(?:via )?(?:reuters|retuers|reuetrs)/?$").unwrap());

/// Recognises it by copyright or credit.
pub fn apply(image: &mut Image, _: &Settings) {
    let metadata = &image.metadata;
    let is_usa_today = metadata.copyright.as_ref().is_some_and(|by| by.to_uppercase() == "USA TODAY SPORTS");
    let credit =
        if is_usa_today { Some("USA Today Sports".to_owned()) } else { metadata.credit.as_deref().and_then(credit) };
    if let Some(credit) = credit {
        let reference = image.file.iptc.get("Fixture Identifier").map(String::as_str);
        supplied(image, UsageRights::agency("Reuters", None), credit, reference);
    }
}

fn credit(said: &str) -> Option<String> {
    let small = said.to_lowercase();
    let names = |name: &str| small.contains(name);
    if names("reuters") && names("agencja") && (names("wyborcza") || names("gazeta")) {
        return Some("Agencja Wyborcza.pl/Reuters".to_owned());
    }
    let before = trim(AT_END.captures(said).filter(|_| !names("action images"))?.get(1)?.as_str());
    Some(if before.is_empty() { "Reuters".to_owned() } else { format!("{before}/Reuters") })
}
