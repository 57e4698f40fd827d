//! Takes the publication out of a byline such as `Jane Doe for the Guardian`.

use crate::{Settings, processors::Image, settings::Own, text::equal_in_any_case};

/// What stands between the name and the publication.
const FOR_THE: &str = " for the ";

/// IPTC cuts off a byline after so many characters.
const IPTC_BYLINE: usize = 31;

/// Moves the publication to the credit, in place of what is there.
pub fn clean(image: &mut Image, settings: &Settings) {
    let byline = image.metadata.byline.as_deref();
    if let Some((name, credit)) = byline.and_then(|byline| taken_apart(byline, &settings.own)) {
        (image.metadata.byline, image.metadata.credit) = (Some(name), Some(credit));
    }
}

fn taken_apart(byline: &str, own: &Own) -> Option<(String, String)> {
    let start = byline.to_ascii_lowercase().rfind(FOR_THE).filter(|start| *start > 0)?;
    let (name, publication) = (&byline[..start], &byline[start + FOR_THE.len()..]);
    let said = publication.strip_suffix('.').unwrap_or(publication);
    let whole = own.publications.iter().find(|(known, _)| equal_in_any_case(known, said)).map(|(_, credit)| credit);
    let credit = whole.or_else(|| {
        let is_cut = byline.encode_utf16().count() == IPTC_BYLINE && !publication.is_empty();
        let (known, start) = (own.organisation.to_lowercase(), publication.to_lowercase());
        own.publications.get(&own.organisation).filter(|_| is_cut && known.starts_with(&start))
    })?;
    Some((name.to_owned(), credit.clone()))
}
