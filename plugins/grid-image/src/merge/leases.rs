//! Who may use an image, and who may not, for a time.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    listed,
    shape::{Field, Kind, optional, required, shaped},
};
use crate::{Failure, dates::DateTime, record::Record};

/// The store, as failures name it.
pub const STORE: &str = "leases";

/// The words of old leases, and those that took their place.
const OLD_ACCESS: [(&str, &str); 2] = [("allow", "allow-use"), ("deny", "deny-use")];

const ACCESS: Kind = Kind::OneOf(&["allow-use", "deny-use", "allow-syndication", "deny-syndication", "allow", "deny"]);

const LEASE: &[Field] = &[
    optional("id", Kind::Text),
    optional("leasedBy", Kind::Text),
    optional("startDate", Kind::Date),
    optional("endDate", Kind::Date),
    required("access", ACCESS),
    optional("notes", Kind::Text),
    required("mediaId", Kind::Text),
    required("createdAt", Kind::Date),
];

/// The leases of an image, and when the last of them came.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leases {
    /// The leases.
    pub leases: Vec<Map<String, Value>>,
    /// When the last of them came; written as null where there is none.
    pub last_modified: Option<DateTime>,
}

/// Reads the leases of an image. Those are active that are so now.
///
/// *Errors*: [`Failure::Record`] for a lease of another shape.
pub fn read(record: &Record, now: DateTime) -> Result<Leases, Failure> {
    let mut leases = Leases::default();
    for record in listed(record, "leases")? {
        let mut lease = shaped(&record, LEASE)?;
        if let Some(access) = lease.get_mut("access")
            && let Some((_, new)) = OLD_ACCESS.iter().find(|(old, _)| access == old)
        {
            *access = Value::from(*new);
        }
        lease.insert("active".to_owned(), is_active(&record, now)?.into());
        leases.leases.push(lease);
        let created = record.date("createdAt")?;
        leases.last_modified = leases.last_modified.into_iter().chain([created]).max_by_key(|date| date.millis());
    }
    Ok(leases)
}

fn is_active(record: &Record, now: DateTime) -> Result<bool, Failure> {
    let (start, end) = (record.optional_date("startDate")?, record.optional_date("endDate")?);
    let (start, end) = (start.map(DateTime::millis), end.map(DateTime::millis));
    Ok(start.is_none_or(|start| start < now.millis()) && end.is_none_or(|end| now.millis() < end))
}
