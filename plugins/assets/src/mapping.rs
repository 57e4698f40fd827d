//! The rules of an asset, from the item of the table `Assets` to the document of the index `assets`.
//!
//! An attribute that is not named here is ignored, but for what lies in the maps that other writers fill: there it is
//! passed through, and the index takes texts, numbers and booleans of one name in any order. A name that is a map in one
//! item and a text in another is the engine's to refuse. Does not look at the item's id beside the body.

use reindex_guest::{Document, Invalid, Json, Map, Value};

/// What the names of fields and empty texts may add to the size of an item.
const MARGIN: usize = 256;

const ADDRESS: [&str; 7] =
    ["uprn", "addressLine1", "addressLine2", "addressLine3", "addressLine4", "postCode", "postPreamble"];

const TENURE: [&str; 5] = ["id", "paymentReference", "type", "startOfTenureDate", "endOfTenureDate"];

/// `isTemporaryAccomodation` is spelt so in the table and in the index.
const MANAGEMENT: Named = Named {
    booleans: &[
        "isCouncilProperty",
        "isNoRepairsMaintenance",
        "isTMOManaged",
        "isTemporaryAccomodation",
        "isPartOfTemporaryAccommodationBlock",
    ],
    texts: &[
        "agent",
        "areaOfficeName",
        "managingOrganisation",
        "managingOrganisationId",
        "owner",
        "propertyOccupiedStatus",
        "temporaryAccommodationParentAssetId",
    ],
    ..Named::NOTHING
};

const LOCATION: Named = Named { texts: &["floorNo"], ..Named::NOTHING };

const CONTRACT: Named = Named {
    booleans: &["isActive", "isApproved"],
    dates: &["approvalDate", "startDate", "endDate"],
    texts: &["id", "targetId", "targetType", "approvalStatus", "approvalStatusReason", "endReason"],
    others: &["charges", "relatedPeople"],
};

const CHARGE: Named = Named { texts: &["id", "type", "subType", "frequency"], others: &["amount"], ..Named::NOTHING };

const RELATED: Named = Named { texts: &["id", "name", "type", "subType"], ..Named::NOTHING };

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
    parents(&mut document, asset)?;
    document.map("assetCharacteristics", asset.map("assetCharacteristics").if_any(), characteristics)?;
    document.boolean("isActive", asset.boolean("isActive")?);
    document.map("assetManagement", asset.map("assetManagement").if_any(), |document, map| {
        MANAGEMENT.pass(document, map)
    })?;
    document.map("assetLocation", asset.map("assetLocation").if_any(), |document, map| LOCATION.pass(document, map))?;
    document.maps("assetContracts", asset.list("assetContracts").if_any(), contract)?;
    Ok(document.finish())
}

fn address(document: &mut Document, address: Map) -> Result<(), Invalid> {
    for name in ADDRESS {
        document.text(name, address.text(name).or_empty());
    }
    Ok(())
}

fn tenure(document: &mut Document, tenure: Map) -> Result<(), Invalid> {
    for name in TENURE {
        document.text(name, tenure.text(name).or_empty());
    }
    document.boolean("isActive", tenure.boolean("isActive")?);
    Ok(())
}

/// Writes the ids of the parents: a text stays a text, and a list a list.
fn parents(document: &mut Document, asset: Map) -> Result<(), Invalid> {
    if let Some(list) = asset.list("parentAssetIds").if_any() {
        return document.texts("parentAssetIds", list.values());
    }
    document.text("parentAssetIds", asset.text("parentAssetIds").if_any());
    Ok(())
}

fn contract(document: &mut Document, contract: Map) -> Result<(), Invalid> {
    CONTRACT.pass(document, contract)?;
    one_or_many(document, contract, "charges", |document, charge| {
        // The index holds a number here and refuses an empty text.
        if let Some(amount) = charge.get("amount").filter(is_amount) {
            document.value("amount", amount);
        }
        CHARGE.pass(document, charge)
    })?;
    one_or_many(document, contract, "relatedPeople", |document, person| RELATED.pass(document, person))
}

/// Writes an object where the map has a map of that name, and a list of objects where it has a list of maps.
fn one_or_many(
    document: &mut Document,
    map: Map,
    name: &str,
    fields: impl Fn(&mut Document, Map) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    document.map(name, map.map(name).if_any(), &fields)?;
    document.maps(name, map.list(name).if_any(), &fields)
}

/// The members of a map that the index has a type for, or that are written apart.
struct Named {
    booleans: &'static [&'static str],
    dates: &'static [&'static str],
    texts: &'static [&'static str],
    others: &'static [&'static str],
}

impl Named {
    const NOTHING: Self = Self { booleans: &[], dates: &[], texts: &[], others: &[] };

    /// Writes what has a type, then passes through whatever else is there.
    fn pass(&self, document: &mut Document, map: Map) -> Result<(), Invalid> {
        for name in self.booleans {
            document.boolean(name, map.boolean(name)?);
        }
        for name in self.dates {
            // The index holds a date here and refuses an empty text.
            document.text(name, map.text(name).unless_empty());
        }
        for name in self.texts {
            document.text(name, map.text(name).if_any());
        }
        document.rest(map, &[self.booleans, self.dates, self.texts, self.others]);
        Ok(())
    }
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

fn is_amount(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::Text(text) => !text.is_empty(),
        Value::Null | Value::Boolean(_) | Value::List(_) | Value::Map(_) => false,
    }
}
