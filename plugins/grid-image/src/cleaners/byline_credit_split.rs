//! Leaves one name in the byline, and moves the other ones to the credit.

use std::sync::LazyLock;

use regex_lite::Regex;

use crate::{
    Settings,
    processors::Image,
    text::{distinct, equal_in_any_case},
};

#[expect(clippy::unwrap_used, reason = "a test runs it")]
static SPACED_SLASH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\s*/\s*").unwrap());

#[expect(clippy::unwrap_used, reason = "a test runs it")]
static CREDIT_PARTS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)\W+via\W+|/").unwrap());

#[expect(clippy::unwrap_used, reason = "a test runs it")]
static BYLINE_PARTS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)\W+via\W+|/| - |#").unwrap());

/// Splits both at what stands between names. One name in each stays where it is, as it cannot be told which is which.
pub fn clean(image: &mut Image, _: &Settings) {
    let metadata = &mut image.metadata;
    for line in [&mut metadata.byline, &mut metadata.credit].into_iter().flatten() {
        *line = SPACED_SLASH.replace_all(line, "/").into_owned();
    }
    let (Some(byline), credit) = (&metadata.byline, metadata.credit.as_deref().unwrap_or_default()) else { return };
    let (bylines, credits) = (parts(byline, &BYLINE_PARTS), parts(credit, &CREDIT_PARTS));
    let Some((first, others)) = bylines.split_first() else { return };
    if others.is_empty() && credits.len() == 1 {
        return;
    }
    let is_credited = |part: &&str| credits.iter().any(|credit| equal_in_any_case(credit, part));
    let moved = others.iter().copied().filter(|part| !is_credited(part));
    let kept = credits.iter().copied().filter(|credit| !equal_in_any_case(credit, first));
    let credit = distinct(moved.chain(kept)).join("/");
    (metadata.byline, metadata.credit) = (Some((*first).to_owned()), Some(credit).filter(|credit| !credit.is_empty()));
}

fn parts<'a>(line: &'a str, between: &Regex) -> Vec<&'a str> {
    between.split(line).filter(|part| !part.is_empty()).collect()
}
