//! Who has the right to syndicate an image.

use serde_json::{Map, Value};

use super::shape::{Field, Kind, list, optional, required, shaped};
use crate::{Failure, record::Record};

/// The store, as failures name it.
pub const STORE: &str = "syndication rights";

const SUPPLIER: &[Field] =
    &[optional("supplierName", Kind::Text), optional("supplierId", Kind::Text), optional("prAgreement", Kind::Boolean)];

const PROPERTY: &[Field] =
    &[required("propertyCode", Kind::Text), optional("expiresOn", Kind::Date), optional("value", Kind::Text)];

const RIGHT: &[Field] = &[
    required("rightCode", Kind::Text),
    optional("acquired", Kind::Boolean),
    list("properties", Kind::List(&Kind::Object(PROPERTY))),
];

const RIGHTS: &[Field] = &[
    optional("published", Kind::Date),
    list("suppliers", Kind::List(&Kind::Object(SUPPLIER))),
    list("rights", Kind::List(&Kind::Object(RIGHT))),
    required("isInferred", Kind::Boolean),
];

/// Reads the syndication rights of an image.
///
/// *Errors*: [`Failure::Record`] for a record of another shape.
pub fn read(record: &Record) -> Result<Map<String, Value>, Failure> {
    shaped(record, RIGHTS)
}
