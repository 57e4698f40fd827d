//! The rules of a tenure, from the item of the table `TenureInformation` to the document of the index `tenures`.
//!
//! An attribute that is not named here is ignored. Does not look at the item's id beside the body.

use reindex_guest::{Document, Invalid, Json, Map, Value};

/// What the names of fields and empty texts may add to the size of an item.
const MARGIN: usize = 64;

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
    Ok(document.finish())
}

fn household_member(document: &mut Document, member: Map) -> Result<(), Invalid> {
    document.text("id", member.required_id("id")?);
    document.text("type", member.text("type").if_any());
    document.text("fullName", member.text("fullName").if_any());
    document.boolean("isResponsible", is_responsible(member.get("isResponsible"))?);
    Ok(())
}

fn tenured_asset(document: &mut Document, asset: Map) -> Result<(), Invalid> {
    document.text("id", asset.required_id("id")?);
    document.text("type", asset.text("type").if_any());
    document.text("fullAddress", asset.text("fullAddress").if_any());
    document.text("uprn", asset.text("uprn").if_any());
    Ok(())
}

fn tenure_type(document: &mut Document, tenure_type: Map) -> Result<(), Invalid> {
    document.text("code", tenure_type.required_text("code")?);
    document.text("description", tenure_type.text("description").if_any());
    Ok(())
}

/// A boolean in any of the forms in which it was stored over the years; who is not said to be responsible is not.
fn is_responsible(value: Option<Value>) -> Result<bool, Invalid> {
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Boolean(value)) => Ok(value),
        Some(Value::Number(digits)) => Ok(!is_zero(digits)),
        Some(Value::Text(text)) if text.to_str().eq_ignore_ascii_case("true") => Ok(true),
        Some(Value::Text(text)) if text.to_str().eq_ignore_ascii_case("false") => Ok(false),
        Some(_) => Err(Invalid::new("isResponsible is not a boolean")),
    }
}

/// Tells whether a number is zero, however it is written: `0`, `-0.0`, `0e7`.
fn is_zero(digits: &str) -> bool {
    let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
    !mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}
