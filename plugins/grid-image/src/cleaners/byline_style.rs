//! Writes the apostrophes and initials of a byline in the style of the house.

use crate::{Settings, processors::Image, text::trim};

/// Curls apostrophes, and takes the dots off initials.
pub fn clean(image: &mut Image, _: &Settings) {
    if let Some(byline) = &mut image.metadata.byline {
        *byline = trim(&without_dots(&byline.replace('\'', "’"))).to_owned();
    }
}

/// Puts a blank in the place of the dot after a single letter, and of the blank after the dot.
fn without_dots(byline: &str) -> String {
    let letters: Vec<_> = byline.chars().collect();
    let mut plain = String::with_capacity(byline.len());
    let mut n = 0;
    while let Some(letter) = letters.get(n) {
        plain.push(*letter);
        n += 1;
        let stands_alone = is_word(*letter) && n.checked_sub(2).is_none_or(|before| !continues(letters[before]));
        if stands_alone && letters.get(n) == Some(&'.') {
            let next = letters.get(n + 1);
            if next.is_none_or(|next| next.is_ascii_whitespace() || continues(*next)) {
                plain.push(' ');
                n += if next.is_some_and(char::is_ascii_whitespace) { 2 } else { 1 };
            }
        }
    }
    plain
}

/// A character that can be an initial.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A character of a word, of any alphabet.
fn continues(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
