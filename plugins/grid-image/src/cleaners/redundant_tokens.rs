//! Removes the parts of byline and credit that name no one.

use crate::{
    Settings,
    processors::Image,
    text::{trim, without_empty_tail},
};

const REDUNDANT: [&str; 33] = [
    "Handout",
    "Handout .",
    "HANDOUT",
    "HO",
    "HO HANDOUT",
    "Pool",
    "POOL",
    "POOL New",
    "STAFF",
    "Staff",
    "STRINGER",
    "stringer",
    "Stringer",
    "Stringer .",
    "str",
    "Str",
    "STR",
    "STR New",
    "-STR",
    "supplied",
    "Supplied",
    "SUPPLIED",
    "-",
    ".",
    "UNCREDITED",
    "Uncredited",
    "uncredited",
    "XXSTRINGERXX xxxxx",
    "AFP Contributor",
    "AFP Contributor#AFP",
    "Reuters Photographer",
    "REUTERS PHOTOGRAPHER",
    "Contributor#8523328",
];

/// Removes them. A byline may vanish; a credit keeps its last part.
pub fn clean(image: &mut Image, _: &Settings) {
    let metadata = &mut image.metadata;
    metadata.byline = metadata.byline.take().map(|byline| trim(&telling(&byline)).to_owned());
    metadata.byline = metadata.byline.take().filter(|byline| !byline.is_empty());
    if let Some(credit) = &mut metadata.credit {
        let rest = telling(credit);
        let kept = if rest.is_empty() { parts(credit).last().copied().unwrap_or_default() } else { &rest };
        *credit = trim(kept).to_owned();
    }
}

/// The parts that name someone, with slashes between.
fn telling(line: &str) -> String {
    let kept = parts(line).into_iter().filter(|part| !REDUNDANT.contains(&trim(part)));
    kept.collect::<Vec<_>>().join("/")
}

fn parts(line: &str) -> Vec<&str> {
    without_empty_tail(line.split(" via ").flat_map(|part| part.split('/')))
}
