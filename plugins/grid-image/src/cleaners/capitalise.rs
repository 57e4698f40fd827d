//! Writes a text in mixed case that is all in one.

use crate::{Parity, text::capitalised};

/// Characters after which a letter is capitalised, too.
const INNER: [char; 3] = ['\'', '’', '-'];

/// Capitalises the words of a text that is all in upper or all in lower case; words that join names stay small, unless
/// they are the first.
pub(super) fn capitalise(text: &str, joining: &[&str], parity: Parity) -> String {
    if text != text.to_uppercase() && text != text.to_lowercase() {
        return text.to_owned();
    }
    let words = text.split(' ').filter(|word| !word.is_empty()).map(str::to_lowercase);
    let cased = words.enumerate().map(|(n, word)| {
        if n > 0 && joining.contains(&word.as_str()) { word } else { inner_capitalised(&word, parity) }
    });
    cased.collect::<Vec<_>>().join(" ")
}

fn inner_capitalised(word: &str, parity: Parity) -> String {
    let word = match parity {
        Parity::Grid => word.trim_end_matches(INNER),
        Parity::Fixed => word,
    };
    let mut parts = word.split_inclusive(INNER);
    let mut cased: String = parts.next().map(capitalised).unwrap_or_default();
    for part in parts {
        // The `s` of a genitive is no name.
        let is_genitive = parity == Parity::Fixed && part == "s" && !cased.ends_with('-');
        cased.push_str(&if is_genitive { part.to_owned() } else { capitalised(part) });
    }
    cased
}
