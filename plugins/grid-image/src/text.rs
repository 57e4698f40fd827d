//! How the reference's runtime cuts and trims texts, where that differs from Rust's.

/// Removes blanks and control characters of ASCII from both ends. A no-break space stays.
pub fn trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

/// Drops the empty parts at the end of what was cut. An empty text keeps its one part.
pub fn without_empty_tail<'a>(parts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut parts: Vec<_> = parts.collect();
    if parts.len() > 1 {
        let kept = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
        parts.truncate(kept);
    }
    parts
}

/// The parts of a credit line between slashes.
pub fn slashed(line: &str) -> Vec<&str> {
    without_empty_tail(line.split('/'))
}

/// Whether two texts are equal in any case.
pub fn equal_in_any_case(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

/// The text without this start, in any case of its ASCII letters.
pub fn strip_prefix_in_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Its first letter in upper case, the rest as it is.
pub fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Removes what stands in a list twice; the first stays.
pub fn distinct<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    values.into_iter().fold(Vec::new(), |mut kept, value| {
        if !kept.contains(&value) {
            kept.push(value);
        }
        kept
    })
}
