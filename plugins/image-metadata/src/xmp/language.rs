//! Names of languages, and the alternatives of a text.

use super::node::Node;

pub(super) const LANG: &str = "xml:lang";
pub(super) const DEFAULT: &str = "x-default";
/// The language of a text that should have had one.
pub(super) const REPAIR: &str = "x-repair";

/// Brings the name of a language into one form: `en-GB`.
pub(super) fn normalised(name: &str) -> String {
    if name == DEFAULT {
        return name.to_owned();
    }
    let parts = name.split(['-', '_']).enumerate().map(|(place, part)| {
        let part = part.replace(' ', "");
        if place == 1 { part.to_uppercase() } else { part.to_lowercase() }
    });
    parts.collect::<Vec<_>>().join("-")
}

/// Makes an alternative with languages begin with its default. An item that came first before and the default second
/// takes over the text of the default; so it is in Adobe's library.
pub(super) fn default_first(alternative: &mut Node) {
    if !alternative.children.iter().any(|item| item.language().is_some()) {
        return;
    }
    alternative.is_alt_text = true;
    let is_default = |item: &Node| item.qualifiers.first().is_some_and(|first| first.value.as_deref() == Some(DEFAULT));
    let Some(place) = alternative.children.iter().skip(1).position(is_default) else { return };
    let place = place + 1;
    let item = alternative.children.remove(place);
    alternative.children.insert(0, item);
    if place == 1 {
        alternative.children[1].value = alternative.children[0].value.clone();
    }
}

/// Makes an array an alternative of texts: those without a language get one, and what is no text is removed.
pub(super) fn repair(array: &mut Node) {
    if !array.is_array {
        return;
    }
    array.is_alt_text = true;
    array.children.retain_mut(|item| {
        if item.is_struct || item.is_array {
            return false;
        }
        if item.language().is_none() {
            if item.value.as_deref().unwrap_or_default().is_empty() {
                return false;
            }
            item.set_language(REPAIR);
        }
        true
    });
}
