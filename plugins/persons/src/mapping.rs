//! The rules of a person, from the item of the table `Persons` to the document of the index `persons`.
//!
//! An attribute that is not named here is ignored. Does not look at the item's id beside the body.

use reindex_guest::{Document, Invalid, Json, Map};

/// What the names of fields and empty texts may add to the size of an item.
const MARGIN: usize = 256;

/// Maps the body of a person's item to the document's text.
///
/// *Errors*: the body is not a map, a required attribute is not there, or an element of a list has the wrong type.
pub fn document(body: &str) -> Result<String, Invalid> {
    let item = Json::parse(body)?;
    let person = item.map()?;
    let mut document = Document::with_capacity(body.len() + MARGIN);
    document.text("id", person.required_id("id")?);
    document.text("title", person.text("title").or_empty());
    document.text("preferredTitle", person.text("preferredTitle").or_empty());
    document.text("preferredFirstname", person.text("preferredFirstName").or_empty());
    document.text("preferredMiddleName", person.text("preferredMiddleName").or_empty());
    document.text("preferredSurname", person.text("preferredSurname").or_empty());
    document.text("firstname", person.text("firstName").or_empty());
    document.text("middleName", person.text("middleName").or_empty());
    document.text("surname", person.text("surname").or_empty());
    document.text("dateOfBirth", person.text("dateOfBirth").or_empty());
    document.text("placeOfBirth", person.text("placeOfBirth").or_empty());
    document.maps("tenures", person.list("tenures").if_any(), tenure)?;
    document.texts("personTypes", person.list("personTypes").values())?;
    Ok(document.finish())
}

fn tenure(document: &mut Document, tenure: Map) -> Result<(), Invalid> {
    document.text("id", tenure.required_id("id")?);
    for name in
        ["paymentReference", "type", "startDate", "endDate", "assetFullAddress", "uprn", "propertyReference", "assetId"]
    {
        document.text(name, tenure.text(name).if_any());
    }
    Ok(())
}
