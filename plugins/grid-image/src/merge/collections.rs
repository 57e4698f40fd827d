//! The collections that an image is in.

use super::{
    Records, listed,
    shape::{Field, Kind, required, shaped},
};
use crate::{Failure, record::Record};

/// The store, as failures name it.
pub const STORE: &str = "collections";

const ACTION: &[Field] = &[required("author", Kind::Text), required("date", Kind::Date)];

/// Reads the collections of an image. What is written besides path and action follows from the path.
///
/// *Errors*: [`Failure::Record`] for a collection of another shape.
pub fn read(record: &Record) -> Result<Records, Failure> {
    let mut collections = Records::default();
    for collection in listed(record, "collections")? {
        let path = collection.required("path")?;
        let path = path.elements()?.iter().map(Record::as_text).collect::<Result<Vec<_>, _>>()?;
        let action = collection.required("actionData")?;
        let date = action.date("date")?;
        collections.last_modified =
            collections.last_modified.into_iter().chain([date]).max_by_key(|date| date.millis());
        let fields = [
            ("path", path.clone().into()),
            ("pathId", path.join("/").to_lowercase().into()),
            ("description", path.last().copied().unwrap_or_default().into()),
            ("actionData", shaped(&action, ACTION)?.into()),
        ];
        collections.records.push(fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect());
    }
    Ok(collections)
}
