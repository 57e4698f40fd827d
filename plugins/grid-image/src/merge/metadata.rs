//! Metadata that users have edited.

use serde_json::{Map, Value};

use crate::{ImageMetadata, Parity};

/// In which of the reference's two ways an edit is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As a projection does: a field that was blanked stays, and of two domains of one name the original's does.
    Projected,
    /// As an update of the index does: a field that was blanked goes, and the edit's domains take the place of the
    /// original's.
    Indexed,
}

impl From<Parity> for Way {
    fn from(parity: Parity) -> Self {
        match parity {
            Parity::Grid => Self::Projected,
            Parity::Fixed => Self::Indexed,
        }
    }
}

/// Lays an edit over the original, field by field.
pub fn merge(original: ImageMetadata, edit: Option<&ImageMetadata>, way: Way) -> ImageMetadata {
    let merged = match edit {
        Some(edit) => over(original, edit.clone(), way),
        None => original,
    };
    if way == Way::Indexed { without_blanks(merged) } else { merged }
}

fn over(original: ImageMetadata, edit: ImageMetadata, way: Way) -> ImageMetadata {
    ImageMetadata {
        date_taken: edit.date_taken.or(original.date_taken),
        description: edit.description.or(original.description),
        credit: edit.credit.or(original.credit),
        credit_uri: edit.credit_uri.or(original.credit_uri),
        byline: edit.byline.or(original.byline),
        byline_title: edit.byline_title.or(original.byline_title),
        title: edit.title.or(original.title),
        copyright: edit.copyright.or(original.copyright),
        suppliers_reference: edit.suppliers_reference.or(original.suppliers_reference),
        source: edit.source.or(original.source),
        special_instructions: edit.special_instructions.or(original.special_instructions),
        keywords: edit.keywords.or(original.keywords),
        sub_location: edit.sub_location.or(original.sub_location),
        city: edit.city.or(original.city),
        state: edit.state.or(original.state),
        country: edit.country.or(original.country),
        subjects: edit.subjects.or(original.subjects),
        people_in_image: edit.people_in_image.or(original.people_in_image),
        domain_metadata: domains(original.domain_metadata, edit.domain_metadata, way),
        image_type: edit.image_type.or(original.image_type),
    }
}

fn domains(original: Map<String, Value>, edit: Map<String, Value>, way: Way) -> Map<String, Value> {
    match way {
        Way::Indexed if edit.is_empty() => original,
        Way::Indexed => edit,
        Way::Projected => {
            let mut merged = original;
            for (name, domain) in edit {
                merged.entry(name).or_insert(domain);
            }
            merged
        }
    }
}

fn without_blanks(mut metadata: ImageMetadata) -> ImageMetadata {
    let texts = [
        &mut metadata.description,
        &mut metadata.credit,
        &mut metadata.credit_uri,
        &mut metadata.byline,
        &mut metadata.byline_title,
        &mut metadata.title,
        &mut metadata.copyright,
        &mut metadata.suppliers_reference,
        &mut metadata.source,
        &mut metadata.special_instructions,
        &mut metadata.sub_location,
        &mut metadata.city,
        &mut metadata.state,
        &mut metadata.country,
        &mut metadata.image_type,
    ];
    for text in texts {
        *text = text.take().filter(|text| !text.is_empty());
    }
    metadata
}
