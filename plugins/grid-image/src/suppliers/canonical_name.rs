//! What agencies have in common whose name stands once, in one spelling, at the end of the credit.

use crate::{
    ImageMetadata, UsageRights,
    processors::Image,
    text::{capitalised, equal_in_any_case, slashed, trim},
};

/// An agency by the names that credit lines give it.
pub(super) struct Agency {
    /// The name that stays.
    pub(super) name: &'static str,
    /// All of its names.
    pub(super) names: &'static [&'static str],
    /// The supplier that images of it have.
    pub(super) supplier: &'static str,
}

impl Agency {
    /// Moves the name to the end of the credit, and makes the rest of it the collection.
    pub(super) fn apply(&self, image: &mut Image) {
        let metadata = &mut image.metadata;
        let said = [&metadata.byline, &metadata.credit].map(|line| line.as_deref().unwrap_or_default()).concat();
        if !said.contains(self.name) {
            return;
        }
        self.name_once(metadata);
        self.move_to_credit(metadata);
        drop_credited(metadata);
        let credit = metadata.credit.as_deref().unwrap_or_default();
        let Some(others) = self.others(credit) else { return };
        let credit = title_case(&others.iter().copied().chain([self.name]).collect::<Vec<_>>().join("/"));
        let collection = Some(title_case(&others.join("/"))).filter(|_| !others.is_empty());
        metadata.credit = Some(credit);
        image.usage_rights = UsageRights::agency(self.supplier, collection.as_deref());
        drop_collection(image, collection);
    }

    fn is_named(&self, part: &str) -> bool {
        self.names.contains(&part)
    }

    /// The parts of a line around the name; around the last one if there are several. None where it is not named.
    fn others<'a>(&self, line: &'a str) -> Option<Vec<&'a str>> {
        let mut parts = slashed(line);
        let named = parts.iter().rposition(|part| self.is_named(part))?;
        parts.remove(named);
        Some(parts)
    }

    fn name_once(&self, metadata: &mut ImageMetadata) {
        if let Some(credit) = &mut metadata.credit {
            let mut is_first = true;
            let parts = slashed(credit).into_iter().filter_map(|part| match part {
                part if !self.is_named(part) => Some(part),
                _ => std::mem::take(&mut is_first).then_some(self.name),
            });
            *credit = parts.collect::<Vec<_>>().join("/");
        }
    }

    fn move_to_credit(&self, metadata: &mut ImageMetadata) {
        let Some(others) = metadata.byline.as_deref().and_then(|byline| self.others(byline)) else { return };
        let byline = others.join("/");
        metadata.credit = Some(match metadata.credit.take() {
            None => self.name.to_owned(),
            Some(credit) if self.others(&credit).is_some() => credit,
            Some(credit) => format!("{credit}/{}", self.name),
        });
        metadata.byline = unless_blank(byline);
    }
}

/// Removes the parts of the byline that are parts of the credit, too.
fn drop_credited(metadata: &mut ImageMetadata) {
    if let (Some(byline), Some(credit)) = (&metadata.byline, &metadata.credit) {
        let credits = slashed(credit);
        let kept = slashed(byline).into_iter().filter(|part| !credits.contains(part));
        metadata.byline = unless_blank(kept.collect::<Vec<_>>().join("/"));
    }
}

/// Removes a byline that is the collection, whose spelling is better there.
fn drop_collection(image: &mut Image, collection: Option<String>) {
    let (Some(byline), Some(collection)) = (&image.metadata.byline, collection) else { return };
    if equal_in_any_case(byline, &collection) {
        image.usage_rights = std::mem::take(&mut image.usage_rights).in_collection(byline);
        if let Some(credit) = &mut image.metadata.credit {
            *credit = credit.replace(&collection, byline);
        }
        image.metadata.byline = None;
    }
}

fn unless_blank(line: String) -> Option<String> {
    Some(line).filter(|line| !trim(line).is_empty())
}

/// Capitalises each word after a blank or a slash.
fn title_case(line: &str) -> String {
    line.to_lowercase().split_inclusive([' ', '/']).map(capitalised).collect()
}
