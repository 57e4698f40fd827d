//! Joins the initials of a byline.

use crate::{Settings, processors::Image};

/// Removes the blanks between two capital letters of which the second stands at the end of its word.
pub fn clean(image: &mut Image, _: &Settings) {
    if let Some(byline) = &mut image.metadata.byline {
        *byline = joined(byline);
    }
}

fn joined(byline: &str) -> String {
    let mut joined = String::with_capacity(byline.len());
    let mut rest = byline;
    while let Some(letter) = rest.chars().next() {
        joined.push(letter);
        rest = &rest[letter.len_utf8()..];
        if let Some((second, after)) = letter.is_uppercase().then(|| second(rest)).flatten() {
            joined.push(second);
            rest = after;
        }
    }
    joined
}

/// The capital letter that stands alone after blanks, and the rest of the text.
fn second(text: &str) -> Option<(char, &str)> {
    let word = text.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let letter = word.chars().next().filter(|letter| letter.is_uppercase() && word.len() < text.len())?;
    let after = &word[letter.len_utf8()..];
    let ends = after.chars().next().is_none_or(|next| next.is_ascii_whitespace());
    ends.then_some((letter, after))
}
