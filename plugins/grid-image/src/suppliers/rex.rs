//! Rex Features.

use crate::{
    Settings, UsageRights,
    processors::Image,
    text::{slashed, strip_prefix_in_any_case},
};

const SOURCES: [&str; 4] = ["Rex Features", "REX/Shutterstock", "Shutterstock", "Shutterstock Editorial"];

/// How its credits end.
const CREDIT: &str = "/ Rex Features";

/// What stands before the name in the line of a description that says whom to credit.
const CREDIT_LINE: &str = "Mandatory Credit: Photo by ";

/// Recognises it as the source or by the credit. Exclusive images have no rights yet.
pub fn apply(image: &mut Image, _: &Settings) {
    let metadata = &image.metadata;
    let is_source = metadata.source.as_deref().is_some_and(|source| SOURCES.contains(&source));
    let before = metadata.credit.as_deref().and_then(|credit| credit.strip_suffix(CREDIT));
    if !is_source && before.is_none_or(str::is_empty) {
        return;
    }
    let instructions = metadata.special_instructions.as_deref().unwrap_or_default();
    image.usage_rights = match strip_prefix_in_any_case(instructions, "exclusive") {
        Some(_) => UsageRights::default(),
        None => UsageRights::agency("Rex Features", None),
    };
    image.metadata.description = description(image);
}

/// The description without the instructions, and without a line that says no more than byline and credit do.
fn description(image: &Image) -> Option<String> {
    let metadata = &image.metadata;
    let description = metadata.description.as_deref()?;
    let description = match metadata.special_instructions.as_deref() {
        Some(instructions) => description.replace(&format!("{instructions}\n"), ""),
        None => description.to_owned(),
    };
    let line = metadata.suppliers_reference.as_deref().and_then(|reference| credit_line(&description, reference));
    Some(match line {
        Some((line, name)) if is_known(name, image) => description.replacen(line, "", 1),
        _ => description,
    })
}

/// The line that says whom to credit for the image of this reference, and the name in it.
fn credit_line<'a>(description: &'a str, reference: &str) -> Option<(&'a str, &'a str)> {
    let end = format!(" ({reference})\n");
    description.split_inclusive('\n').find_map(|line| {
        let line = &line[line.find(CREDIT_LINE)?..];
        let name = line.strip_prefix(CREDIT_LINE)?.strip_suffix(end.as_str())?;
        Some((line, name))
    })
}

/// Whether a name consists of nothing but the byline and parts of the credit.
fn is_known(name: &str, image: &Image) -> bool {
    let credits = image.metadata.credit.as_deref().map(slashed).unwrap_or_default();
    let known = image.metadata.byline.as_deref().into_iter().chain(credits).filter(|known| !known.is_empty());
    let rest = known.fold(name.to_lowercase(), |name, known| name.replace(&known.to_lowercase(), ""));
    rest.chars().all(|c| c.is_whitespace() || c == '/')
}
