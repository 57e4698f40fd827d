//! The rules of a tenure, from the item of the table `TenureInformation` to the document of the index `tenures`.
//!
//! An attribute that is not named here is ignored, but for what lies in `tempAccommodationInfo`, which is passed
//! through. Does not look at the item's id beside the body.

use reindex_guest::{Document, Invalid, Json, Map};

/// What the names of fields and empty texts may add to the size of an item.
const MARGIN: usize = 64;

/// The texts of an officer who looks after a temporary accommodation.
const OFFICER: [&str; 4] = ["id", "email", "firstName", "lastName"];

/// Maps the body of a tenure's item to the document's text.
///
/// *Errors*: the body is not a map, a required attribute is not there, or an element of a list has the wrong type.
pub fn document(body: &str) -> Result<String, Invalid> {
    let item = Json::parse(body)?;
    let tenure = item.map()?;
    let mut document = Document::with_capacity(body.len() + MARGIN);
    document.text("id", tenure.required_id("id")?);
    document.text("paymentReference", tenure.text("paymentReference").or_empty());
    document.maps("householdMembers", tenure.list("householdMembers").if_any(), household_member)?;
    document.map("tenuredAsset", tenure.map("tenuredAsset").if_any(), tenured_asset)?;
    // The index holds a date here and refuses an empty text.
    document.text("startOfTenureDate", tenure.text("startOfTenureDate").unless_empty());
    document.text("endOfTenureDate", tenure.text("endOfTenureDate").unless_empty());
    document.map("tenureType", tenure.map("tenureType").if_any(), tenure_type)?;
    document.boolean("isActive", tenure.boolean("isActive")?);
    document.map("tempAccommodationInfo", tenure.map("tempAccommodationInfo").if_any(), accommodation)?;
    Ok(document.finish())
}

fn household_member(document: &mut Document, member: Map) -> Result<(), Invalid> {
    document.text("id", member.required_id("id")?);
    document.text("type", member.text("type").if_any());
    document.text("fullName", member.text("fullName").if_any());
    // Who is not said to be responsible is not.
    document.boolean("isResponsible", member.boolean("isResponsible")?.unwrap_or(false));
    document.text("dateOfBirth", member.text("dateOfBirth").if_any());
    document.text("personTenureType", member.text("personTenureType").if_any());
    Ok(())
}

fn tenured_asset(document: &mut Document, asset: Map) -> Result<(), Invalid> {
    document.text("id", asset.required_id("id")?);
    document.text("type", asset.text("type").if_any());
    document.text("fullAddress", asset.text("fullAddress").if_any());
    document.text("uprn", asset.text("uprn").if_any());
    document.boolean("isTemporaryAccommodation", asset.boolean("isTemporaryAccommodation")?);
    Ok(())
}

fn tenure_type(document: &mut Document, tenure_type: Map) -> Result<(), Invalid> {
    document.text("code", tenure_type.required_text("code")?);
    document.text("description", tenure_type.text("description").if_any());
    Ok(())
}

/// What the search service filters by, then whatever else is there.
fn accommodation(document: &mut Document, info: Map) -> Result<(), Invalid> {
    document.text("bookingStatus", info.text("bookingStatus").if_any());
    document.map("assignedOfficer", info.map("assignedOfficer").if_any(), officer)?;
    document.rest(info, &[&["bookingStatus", "assignedOfficer"]]);
    Ok(())
}

fn officer(document: &mut Document, officer: Map) -> Result<(), Invalid> {
    for name in OFFICER {
        document.text(name, officer.text(name).if_any());
    }
    document.rest(officer, &[&OFFICER]);
    Ok(())
}
