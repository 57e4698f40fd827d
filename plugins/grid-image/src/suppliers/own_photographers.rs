//! Photographers who work for the organisation.

use crate::{
    Settings, UsageRights,
    dates::DateTime,
    processors::Image,
    settings::{Photographer, Photographers},
    text::equal_in_any_case,
    usage_rights::Employment,
};

/// Recognises them by their bylines, where no agency has supplied the image.
pub fn apply(image: &mut Image, settings: &Settings) {
    let Some(byline) = image.metadata.byline.clone().filter(|_| image.usage_rights.are_none()) else { return };
    let day = image.metadata.date_taken.unwrap_or(image.upload_time).day();
    let staff = publication(&settings.own.staff_photographers, &byline, day).map(|of| (Employment::Staff, of));
    let found = staff.or_else(|| {
        publication(&settings.own.contract_photographers, &byline, day).map(|of| (Employment::Contract, of))
    });
    if let Some((employment, publication)) = found {
        image.usage_rights = UsageRights::photographer(employment, &byline, publication);
        image.metadata.credit = Some(publication.to_owned());
    }
}

/// The publication for which someone of this name worked on that day.
fn publication<'a>(lists: &'a [Photographers], byline: &str, day: i64) -> Option<&'a str> {
    let has = |list: &&Photographers| {
        list.photographers.iter().any(|one| equal_in_any_case(&one.name, byline) && is_active(one, day))
    };
    lists.iter().find(has).map(|list| list.publication.as_str())
}

fn is_active(photographer: &Photographer, day: i64) -> bool {
    let day_of = |date: &Option<String>| date.as_deref().and_then(DateTime::from_iso).map(DateTime::day);
    day_of(&photographer.from).is_none_or(|from| from <= day) && day_of(&photographer.to).is_none_or(|to| day <= to)
}
