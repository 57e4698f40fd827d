//! The rules of an asset, from the item of the table `Assets` to the document of the index `assets`.
//!
//! An attribute that is not named here is ignored. Does not look at the item's id beside the body.

use reindex_guest::{Document, Invalid, Json, Map, Value};

/// What the names of fields and empty texts may add to the size of an item.
const MARGIN: usize = 256;

/// Maps the body of an asset's item to the document's text.
///
/// *Errors*: the body is not a map, or a required attribute is not there.
pub fn document(body: &str) -> Result<String, Invalid> {
    let item = Json::parse(body)?;
    let asset = item.map()?;
    let mut document = Document::with_capacity(body.len() + MARGIN);
    document.text("id", asset.required_id("id")?);
    document.text("assetId", asset.text("assetId").or_empty());
    document.text("assetType", asset.required_text("assetType")?);
    document.map("assetAddress", asset.map("assetAddress").if_any(), address)?;
    document.map("tenure", asset.map("tenure").if_any(), tenure)?;
    document.boolean("isCautionaryAlerted", false);
    document.text("rootAsset", asset.text("rootAsset").if_any());
    document.text("parentAssetIds", asset.text("parentAssetIds").if_any());
    document.map("assetCharacteristics", asset.map("assetCharacteristics").if_any(), characteristics)?;
    Ok(document.finish())
}

fn address(document: &mut Document, address: Map) -> Result<(), Invalid> {
    for name in ["uprn", "addressLine1", "addressLine2", "addressLine3", "addressLine4", "postCode", "postPreamble"] {
        document.text(name, address.text(name).or_empty());
    }
    Ok(())
}

fn tenure(document: &mut Document, tenure: Map) -> Result<(), Invalid> {
    for name in ["id", "paymentReference", "type", "startOfTenureDate", "endOfTenureDate"] {
        document.text(name, tenure.text(name).or_empty());
    }
    Ok(())
}

/// Passes booleans, whole numbers and texts through under their own names. Any other value counts as null.
fn characteristics(document: &mut Document, characteristics: Map) -> Result<(), Invalid> {
    characteristics.members().filter(|(_, value)| is_passed(*value)).for_each(|member| document.member(member));
    Ok(())
}

fn is_passed(value: Value) -> bool {
    match value {
        Value::Boolean(_) | Value::Text(_) => true,
        Value::Number(digits) => !digits.contains(['.', 'e', 'E']),
        Value::Null | Value::List(_) | Value::Map(_) => false,
    }
}
